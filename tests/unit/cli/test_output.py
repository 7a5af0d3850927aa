from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sealpy.cli.output import Detail, Output, Settings, Style
from sealpy.errors import ConfigError
from sealpy.events import PhaseFinished, PhaseStarted, PluginOutput, RunFinished, RunStarted, StepOutput, Warned

NOON = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC


class Screens:
    """An Output whose streams can be read."""

    def __init__(self, settings: Settings | None = None, *, crashes: Path | None = None) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        self.output = Output(settings, stdout=self.stdout, stderr=self.stderr, clock=lambda: NOON, crashes=crashes)

    @property
    def out(self) -> str:
        return self.stdout.getvalue()

    @property
    def err(self) -> str:
        return self.stderr.getvalue()


MakeScreens = Callable[..., Screens]


@pytest.fixture
def make_screens() -> Iterator[MakeScreens]:
    with ExitStack() as stack:

        def make(settings: Settings | None = None, *, crashes: Path | None = None) -> Screens:
            screens = Screens(settings, crashes=crashes)
            stack.callback(screens.output.close)
            return screens

        yield make


JSON = Settings(style=Style.JSON)


def test_results_go_to_stdout_and_events_to_stderr(make_screens: MakeScreens) -> None:
    screens = make_screens()
    screens.output.text("a result")
    screens.output.emit(Warned(message="the clock is wrong"))
    assert (screens.out, screens.err) == ("a result\n", "warning: the clock is wrong\n")


def test_with_json_events_are_results_too(make_screens: MakeScreens) -> None:
    screens = make_screens(JSON)
    screens.output.emit(Warned(message="the clock is wrong", host="10.0.0.1"))
    assert screens.err == ""
    assert json.loads(screens.out) == {
        "v": 1,
        "time": "2025-06-15T15:06:40.000Z",
        "event": "warning",
        "message": "the clock is wrong",
        "host": "10.0.0.1",
        "hint": "",
    }


def test_json_is_indented_for_people_and_on_one_line_for_programs(make_screens: MakeScreens) -> None:
    people, programs = make_screens(), make_screens(JSON)
    for screens in (people, programs):
        screens.output.json({"name": "app:1", "path": Path("/x")})
    assert people.out == '{\n  "name": "app:1",\n  "path": "/x"\n}\n'
    assert programs.out == '{"name":"app:1","path":"/x"}\n'


def test_a_table_is_text_or_a_list_of_objects(make_screens: MakeScreens) -> None:
    people, programs = make_screens(), make_screens(JSON)
    for screens in (people, programs):
        screens.output.table("Images", ["name", "total size"], [("app:1", 3)])
    assert people.out == "Images\nNAME    TOTAL SIZE\napp:1   3\n"
    assert programs.out == '[{"name":"app:1","total_size":3}]\n'


def test_quiet_shows_warnings_only(make_screens: MakeScreens) -> None:
    screens = make_screens(Settings(detail=Detail.QUIET))
    screens.output.emit(PluginOutput(plugin="p", hook="PreInit", line="hello"))
    screens.output.emit(Warned(message="the clock is wrong"))
    assert screens.err == "warning: the clock is wrong\n"


@pytest.mark.parametrize("settings", [Settings(), JSON, Settings(detail=Detail.VERBOSE)])
def test_a_secret_leaves_by_no_door(make_screens: MakeScreens, settings: Settings, tmp_path: Path) -> None:
    screens = make_screens(settings)
    output = screens.output
    output.open_log(tmp_path / "run.log")
    output.secrets.add("correct horse")
    output.emit(StepOutput(host="h", phase="p", title="login", line="password: correct horse", live=True))
    output.text("text: correct horse")
    output.json({"correct horse": ["correct horse"]})
    output.table("", ["x"], [("correct horse",)])
    output.error(ConfigError("cannot use 'correct horse'", hint="not 'correct horse'"))
    output.error(ValueError("correct horse"))
    everything = screens.out + screens.err + (tmp_path / "run.log").read_text()
    assert "correct horse" not in everything
    assert everything.count("******") > 6


def test_the_log_holds_every_event_with_its_time_and_is_for_its_owner_alone(
    make_screens: MakeScreens, tmp_path: Path
) -> None:
    path = tmp_path / "logs" / "run.log"
    screens = make_screens(Settings(detail=Detail.QUIET))
    screens.output.open_log(path)
    screens.output.emit(StepOutput(host="10.0.0.1", phase="init", title="kubeadm init", line="[certs] done"))
    assert path.read_text() == "2025-06-15T15:06:40.000Z 10.0.0.1  kubeadm init │ [certs] done\n"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_an_error_goes_to_stderr_with_what_to_do_next_and_the_log(make_screens: MakeScreens, tmp_path: Path) -> None:
    screens = make_screens()
    screens.output.open_log(tmp_path / "run.log")
    assert screens.output.error(ConfigError("no master", hint="name one with '-m'")) == 2
    assert screens.err == f"error: no master\nnext: name one with '-m'\nlog:  {tmp_path}/run.log\n"
    assert "ConfigError: no master" in (tmp_path / "run.log").read_text()


def test_with_json_an_error_is_one_line_on_stdout(make_screens: MakeScreens) -> None:
    screens = make_screens(JSON)
    screens.output.error(ConfigError("no master", hint="name one with '-m'"))
    line = json.loads(screens.out)
    assert screens.err == ""
    assert {key: line[key] for key in ("v", "event", "code", "message", "hint", "exit_code")} == {
        "v": 1,
        "event": "error",
        "code": "config",
        "message": "no master",
        "hint": "name one with '-m'",
        "exit_code": 2,
    }


def test_a_bug_leaves_its_traceback_in_a_file_and_names_the_file(make_screens: MakeScreens, tmp_path: Path) -> None:
    screens = make_screens(crashes=tmp_path)
    assert screens.output.error(ZeroDivisionError("oops")) == 70
    (trace,) = tmp_path.iterdir()
    assert f"log:  {trace}" in screens.err
    assert "ZeroDivisionError: oops" in trace.read_text()


def test_a_bug_whose_traceback_cannot_be_kept_shows_it(make_screens: MakeScreens, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    screens = make_screens(crashes=tmp_path / "file")
    screens.output.error(ZeroDivisionError("oops"))
    assert screens.err.startswith("ZeroDivisionError: oops\n")


class Gone(io.StringIO):
    def write(self, _text: str, /) -> int:
        raise BrokenPipeError


def test_a_reader_that_went_away_does_not_stop_the_run(tmp_path: Path) -> None:
    output = Output(stdout=io.StringIO(), stderr=Gone(), clock=lambda: NOON)
    output.open_log(tmp_path / "run.log")
    output.emit(Warned(message="one"))
    output.emit(Warned(message="two"))
    output.close()
    assert "two" in (tmp_path / "run.log").read_text()


def test_a_full_disk_ends_the_log_and_not_the_run(make_screens: MakeScreens) -> None:
    screens = make_screens()
    screens.output.open_log(Path("/dev/full"))
    screens.output.emit(Warned(message="one"))
    screens.output.emit(Warned(message="two"))
    assert screens.err.splitlines() == [
        "warning: the log file ends here: /dev/full: no space left on device",
        "warning: one",
        "warning: two",
    ]


def test_lines_of_many_threads_never_mix(make_screens: MakeScreens) -> None:
    screens = make_screens()

    def speak(host: str) -> None:
        for _ in range(50):
            screens.output.emit(Warned(message="x" * 40, host=host))

    threads = [threading.Thread(target=speak, args=(f"10.0.0.{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = screens.err.splitlines()
    assert len(lines) == 400
    assert all(line.endswith("  warning: " + "x" * 40) for line in lines)


def test_color_marks_the_words_at_the_start_of_an_error_on_a_terminal(make_screens: MakeScreens) -> None:
    screens = make_screens(Settings(color=True))
    screens.output.error(ConfigError("no master", hint="name one"))
    assert screens.err == "\033[1;31merror:\033[0m no master\n\033[1;36mnext:\033[0m name one\n"


def test_the_directories_of_the_log_are_for_their_owner_alone(make_screens: MakeScreens, tmp_path: Path) -> None:
    make_screens().output.open_log(tmp_path / "home" / "clusters" / "c" / "run.log")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("home", "home/clusters", "home/clusters/c")] == (
        [0o700] * 3
    )


def test_a_result_in_the_middle_of_a_run_does_not_make_the_end_forget(make_screens: MakeScreens) -> None:
    screens = make_screens(Settings(terminal=True))
    screens.output.emit(RunStarted(run="r", action="apply", cluster="c", hosts=("10.0.0.1",)))
    screens.output.emit(PhaseStarted(phase="p", title="Prepare", hosts=("10.0.0.1",)))
    screens.output.text("a result")
    screens.output.emit(PhaseFinished(phase="p", title="Prepare", seconds=1, changed=0))
    screens.output.emit(RunFinished(run="r", ok=True, seconds=1))
    assert "10.0.0.1   0         ok" in screens.err
