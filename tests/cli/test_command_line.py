from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import typer

from sealpy import __version__
from sealpy.cli.app import COMMANDS, run
from sealpy.cli.exits import BUG, EXITS, SIGPIPE
from sealpy.cli.output import Detail
from sealpy.errors import (
    BadReferenceError,
    ClusterfileError,
    ConnectError,
    DiskFullError,
    ImageError,
    KeyFileError,
    NotBegunError,
    NotReadyError,
    PhaseError,
    PluginError,
    PluginFailedError,
    SealpyError,
)

GOLDEN = Path(__file__).parents[1] / "golden" / "cli"
RUN = "see 'sealpy run --help'"
APPLY = "see 'sealpy apply --help'"
COMPLETION = "type: sealpy completion <bash|zsh|fish>; 'sealpy completion --help' explains it"
HEAVY = ("rich", "paramiko", "kubernetes", "pydantic", "yaml", "cryptography", "sealpy.events", "sealpy.errors")

Capture = pytest.CaptureFixture[str]
Install = Callable[[Callable[[typer.Context], None]], None]


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Let a function stand in for the command `version`."""

    def put(function: Callable[[typer.Context], None]) -> None:
        module = ModuleType("sealpy.cli.commands.version")
        module.command = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "sealpy.cli.commands.version", module)

    return put


def failing(error: BaseException) -> Callable[[typer.Context], None]:
    def command(ctx: typer.Context) -> None:  # noqa: ARG001 - every command takes it
        raise error

    return command


def test_the_help_is_as_recorded(capsys: Capture, golden: Callable[[Path, str], None]) -> None:
    assert run(["--help"]) == 0
    golden(GOLDEN / "help.txt", capsys.readouterr().out)


@pytest.mark.parametrize("words", [[], ["lab"], ["manifest"], ["plugin"], ["store"]])
@pytest.mark.parametrize("flags", [[], ["-v"]])
def test_without_a_command_the_help_shows_which_there_are(words: list[str], flags: list[str], capsys: Capture) -> None:
    assert run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert run([*words, *flags]) == 0
    assert capsys.readouterr() == (shown, "")


@pytest.mark.parametrize("words", [[], ["run"], ["manifest", "push"], ["lab"]])
def test_the_word_help_does_what_the_flag_does(words: list[str], capsys: Capture) -> None:
    assert run([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert run(["help", *words]) == 0
    assert capsys.readouterr() == (shown, "")
    assert run(["help", "rnu"]) == 2
    assert "no command 'rnu'; did you mean 'run'?" in capsys.readouterr().err


def test_the_help_names_every_exit_code_there_is() -> None:
    assert set(EXITS) == {0, BUG, SIGPIPE} | {error.exit_code for error in every(SealpyError)}


def every(error: type[SealpyError]) -> set[type[SealpyError]]:
    return {error}.union(*(every(child) for child in error.__subclasses__()))


def test_the_readme_names_them_in_the_same_words() -> None:
    rows = [f"| {code} | {meaning} |" for code, meaning in EXITS.items()]
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert "\n".join(("| exit code | says |", "|---|---|", *rows, "")) in readme


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_the_version_is_a_result(words: list[str], capsys: Capture) -> None:
    assert run(words) == 0
    assert capsys.readouterr().out == f"sealpy {__version__}\n"


@pytest.mark.parametrize("words", [["--output", "json", "version"], ["version", "--output=json"]])
def test_global_flags_are_taken_before_and_after_the_command(words: list[str], capsys: Capture) -> None:
    assert run(words) == 0
    assert json.loads(capsys.readouterr().out) == {"version": __version__}


@pytest.mark.parametrize(
    ("flag", "detail"), [("-q", Detail.QUIET), ("--verbose", Detail.VERBOSE), ("--no-color", Detail.NORMAL)]
)
def test_flags_choose_how_much_is_shown(flag: str, detail: Detail, install: Install) -> None:
    seen: list[Detail] = []

    def command(ctx: typer.Context) -> None:
        seen.append(ctx.obj.settings.detail)

    install(command)
    assert (run(["version", flag]), run([flag, "version"]), seen) == (0, 0, [detail, detail])


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["aply"], "no command 'aply'; did you mean 'apply'?", "see 'sealpy --help'"),
        (["lab", "dwn"], "no command 'dwn'; did you mean 'down'?", "see 'sealpy lab --help'"),
        (["xyzzy"], "no command 'xyzzy'", "see 'sealpy --help'"),
        (["inspect", "a:1", "--sbom"], "option '--sbom' requires an argument", "see 'sealpy inspect --help'"),
        (["--vrsion"], "no such option: --vrsion; did you mean '--version'?", "see 'sealpy --help'"),
        (["version", "--hlp"], "no such option: --hlp; did you mean '--help'?", "see 'sealpy version --help'"),
        (
            ["run", "x:1", "-m", "10.0.0.1", "10.0.0.2"],
            "too many words: '10.0.0.2'",
            "hosts are one word, with commas: …,10.0.0.2",
        ),
        (["version", "x"], "too many words: 'x'", "type: sealpy version; 'sealpy version --help' explains it"),
        (["tag"], "missing argument 'IMAGE'", "type: sealpy tag IMAGE NAME…; 'sealpy tag --help' explains it"),
        (["run", "--port", "x"], "invalid value for '--port': 'x' is not a whole number", RUN),
        (["run", "--port", "65536"], "invalid value for '--port': 65536 is more than 65535", RUN),
        (["apply", "--drain-timeout", "x"], "invalid value for '--drain-timeout': 'x' is not a number", APPLY),
        (["apply", "--drain-timeout", "-1"], "invalid value for '--drain-timeout': -1 is less than 0", APPLY),
        (["apply", "-f", ""], "invalid value for '--file' / '-f': nothing is named", APPLY),
        (["keygen", "/"], "'/': is the name of no file", "such as /release"),
        (["completion"], "missing argument 'shell', one of bash, zsh, fish", COMPLETION),
        (["version", "--output", "yaml"], "'yaml' is neither 'text' nor 'json'", "see 'sealpy version --help'"),
    ],
)
def test_wrong_words_end_with_2_and_name_the_nearest_right_one(
    words: list[str], message: str, hint: str, capsys: Capture
) -> None:
    assert run(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.splitlines()[-1] == f"next: {hint}"
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["tag", "a:1"], "type: sealpy tag IMAGE NAME…; 'sealpy tag --help' explains it"),
        (["manifest", "push"], "type: sealpy manifest push INDEX [NAME]; 'sealpy manifest push --help' explains it"),
        (["sign", "a:1"], "type: sealpy sign IMAGE --key FILE; 'sealpy sign --help' explains it"),
        (["save", "a:1"], "type: sealpy save IMAGE -o PATH; 'sealpy save --help' explains it"),
        (["merge", "-t", "a:1"], "type: sealpy merge IMAGE… -t NAME; 'sealpy merge --help' explains it"),
    ],
)
def test_what_is_missing_is_answered_with_all_that_the_command_needs(
    words: list[str], hint: str, capsys: Capture
) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"next: {hint}"


def test_wrong_words_are_told_as_json_too_wherever_the_flag_stands(capsys: Capture) -> None:
    assert run(["version", "--hlp", "--output", "json"]) == 2
    captured = capsys.readouterr()
    assert captured.err == ""
    assert json.loads(captured.out)["message"] == "no such option: --hlp; did you mean '--help'?"


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (SealpyError("x"), 1),
        (ClusterfileError("x"), 2),
        (ConnectError("h", "x"), 3),
        (PhaseError("p", {"h": ConnectError("h", "x")}), 4),
        (NotBegunError("p", {"h": ConnectError("h", "x")}), 3),
        (PluginError("x"), 2),
        (PluginFailedError("p", "SHELL", hook="PreInit", hosts=["h"], problems=[]), 4),
        (ImageError("x"), 5),
        (BadReferenceError("x"), 2),
        (KeyFileError("x"), 2),
        (DiskFullError("x"), 1),
        (NotReadyError("x", waited=1, last_seen="y"), 6),
        (KeyboardInterrupt(), 130),
        (typer.Abort(), 130),
        (typer.Exit(7), 7),
        (ZeroDivisionError("x"), 70),
        (BrokenPipeError(), 141),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException, exit_code: int, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sealpy.cli.app._abandon_stdout", lambda: None)  # it would take the stdout of the test run
    install(failing(error))
    assert run(["version"]) == exit_code


def test_a_bug_leaves_its_traceback_in_the_home(install: Install, capsys: Capture, tmp_path: Path) -> None:
    install(failing(ZeroDivisionError("oops")))
    run(["version"])
    (trace,) = (tmp_path / "logs").iterdir()
    assert "ZeroDivisionError: oops" in trace.read_text()
    assert capsys.readouterr().err == (
        "error: this is a bug in sealpy: ZeroDivisionError: oops\n"
        "next: send the log file to the authors\n"
        f"log:  {trace}\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_completion_script(shell: str, capsys: Capture) -> None:
    assert run(["completion", shell]) == 0
    assert "_SEALPY_COMPLETE" in capsys.readouterr().out


def sealpy(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from sealpy.cli.app import main; main()", *words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_completion_knows_the_commands() -> None:
    assert sealpy("comp", env={"_SEALPY_COMPLETE": "bash"}).stdout.split("\t")[0] == "completion"


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = "from sealpy.cli.app import main; main()"
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as pipe:
        done = subprocess.run(
            [sys.executable, "-c", program, "completion", "bash"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("words", [["--help"], ["version"], ["version", "--output", "json"]])
def test_help_and_version_import_nothing_heavy(words: list[str]) -> None:
    program = (
        "import sys; from sealpy.cli.app import run; run(sys.argv[1:]);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_the_order_of_the_help_is_the_order_of_a_day() -> None:
    assert [entry.name for entry in COMMANDS][:7] == [
        "run",
        "apply",
        "plan",
        "scale-up",
        "upgrade",
        "rollback",
        "delete",
    ]
