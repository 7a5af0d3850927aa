"""sealpy plugin list, doctor and test, as an operator and an author call them."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image

CHECKOUT = Path(__file__).parents[4]
GOLDEN = CHECKOUT / "tests" / "golden" / "plugin" / "doctor"
EXAMPLES = CHECKOUT / "examples" / "plugins"
# name → content: files of which all but the first two are no plugins
FILES = {
    "mine.py": 'PluginType = "MINE"\n__version__ = "1.2"\nclass Plugin:\n    parallel = 2\n    timeout = 30\n',
    "mine.yaml": "kind: Plugin\nmetadata: {name: beside}\nspec: {type: MINE, action: PostJoin}\n",
    "notes.txt": "read by nobody",
    "broken.py": "def",
    "half.py": 'PluginType = "HALF"\n',
    "points.py": 'PluginType = "POINTS"\nclass Plugin:\n    phases = ("PostInstal",)\n',
    "other.py": 'PluginType = "MINE"\nclass Plugin: ...\n',
    "torn.pyz": "no zip",
    "native": "\x7fELF",
    "tool.manifest.yaml": "kind: PluginManifes\n",
    "go.so": "",
    "wheel.whl": "",
    "wrong.yaml": "kind: Plugin\nmetadata: {name: wrong}\nspec: {typ: SHELL}\n",
}

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Clusterfile").write_bytes((GOLDEN / "Clusterfile").read_bytes())
    (tmp_path / "plugins").mkdir(mode=0o755)
    for name, text in FILES.items():
        (tmp_path / "plugins" / name).write_text(text, encoding="utf-8")
    return tmp_path


def only(directory: Path, *names: str) -> None:
    for path in (directory / "plugins").iterdir():
        if path.name not in names:
            path.unlink()


# ---- doctor


def test_doctor_names_every_mistake_with_its_place_and_the_nearest_right_word(
    capsys: Capture, golden: Callable[[Path, str], None]
) -> None:
    assert run(["plugin", "doctor", "-f", "Clusterfile", "--plugins-dir", "plugins"]) == 2
    told = capsys.readouterr()
    golden(GOLDEN / "result.txt", told.out)
    golden(GOLDEN / "errors.txt", told.err)


def test_doctor_tells_a_program_likewise(capsys: Capture) -> None:
    assert run(["--output", "json", "plugin", "doctor", "--plugins-dir", "plugins"]) == 2
    found, error = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "warning" not in line]
    (in_order,) = [use for use in found["plugins"] if use["plugin"] == "in-order"]
    assert in_order["terms"] == "order 5, timeout 90 s, 3 tries, 5 s apart"
    assert [turn["hosts"] for turn in in_order["turns"]] == [["10.0.0.3", "10.0.0.4", "10.0.0.5"]] * 2
    assert len(found["problems"]) == len(error["problems"])


def test_doctor_finds_nothing_wrong_with_what_is_in_order(here: Path, capsys: Capture) -> None:
    only(here, "mine.py", "mine.yaml")
    a_stored_image(Store(here / "home" / "images"), {}, name="shop:1")
    text = (here / "Clusterfile").read_text(encoding="utf-8")
    (here / "Clusterfile").write_text("---".join(text.split("---")[:4]), encoding="utf-8")
    assert run(["plugin", "doctor", "--plugins-dir", "plugins"]) == 0
    assert capsys.readouterr().out.startswith("4 plugins, in the order in which they fire\n\n✓ mine (Clusterfile:")


def test_doctor_counts_the_documents_that_are_wrong(capsys: Capture) -> None:
    assert run(["plugin", "doctor", "--plugins-dir", "plugins"]) == 2
    told = capsys.readouterr().out.splitlines()
    wrong = len([line for line in told if line.startswith("✗")])
    assert told[:2] == [
        f"20 plugins, {wrong} of them wrong, in the order in which they would fire",
        "image 'shop:1', which is not here, may bring more",
    ]


def test_doctor_does_not_say_what_an_image_that_is_not_here_may_bring(here: Path, capsys: Capture) -> None:
    only(here)
    text = (here / "Clusterfile").read_text(encoding="utf-8")
    (here / "Clusterfile").write_text(text.split("---")[0], encoding="utf-8")
    assert run(["plugin", "doctor"]) == 5
    assert capsys.readouterr().out == (
        "no plugin fires by what is written here; image 'shop:1', which is not here, may bring some\n"
    )


def test_doctor_says_so_when_the_cluster_itself_cannot_be_read(here: Path, capsys: Capture) -> None:
    (here / "Clusterfile").write_text(
        "kind: Cluster\nspec: {imag: x}\n---\nkind: Plugin\nmetadata: {name: a}\nspec: {type: SHEL, action: PreInit}\n",
        encoding="utf-8",
    )
    assert run(["plugin", "doctor"]) == 2
    told = capsys.readouterr().err
    assert "did you mean 'image'?" in told
    assert "did you mean 'SHELL'?" in told


def test_doctor_names_a_file_that_is_not_there(capsys: Capture) -> None:
    assert run(["plugin", "doctor", "-f", "No"]) == 2
    assert "'No': no such file or directory" in capsys.readouterr().err


# ---- list


def test_list_shows_type_source_version_and_hook_points(here: Path, capsys: Capture) -> None:
    only(here, "mine.py")
    assert run(["plugin", "list", "--plugins-dir", "plugins"]) == 0
    rows = {line.split()[0]: line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()}
    assert rows["TYPE"] == ["TYPE", "SOURCE", "VERSION", "HOOK POINTS"]
    assert rows["MINE"] == ["MINE", "plugins/mine.py", "1.2", "any"]
    assert rows["HOSTNAME"][1:3] == ["built", "in"]
    assert list(rows) == ["TYPE", "CLUSTERCHECK", "ETCD", "HOSTNAME", "LABEL", "MINE", "SHELL", "TAINT"]


def test_list_refuses_files_that_are_no_plugins(capsys: Capture) -> None:
    assert run(["plugin", "list", "--plugins-dir", "plugins"]) == 2
    assert "plugins/broken.py:1: not Python" in capsys.readouterr().err


def test_list_and_doctor_look_into_an_image(here: Path, capsys: Capture) -> None:
    files = {f"plugins/{name}": FILES[name].encode() for name in ("mine.py", "mine.yaml")}
    a_stored_image(Store(here / "home" / "images"), files, name="shop:1")
    assert run(["plugin", "list", "shop:1"]) == 0
    assert "MINE           plugins/mine.py   1.2" in capsys.readouterr().out
    text = (here / "Clusterfile").read_text(encoding="utf-8")
    (here / "Clusterfile").write_text("---".join(text.split("---")[:4]), encoding="utf-8")
    assert run(["plugin", "doctor"]) == 0  # the image is the Clusterfile's
    told = capsys.readouterr()
    assert "✓ beside (image:plugins/mine.yaml:1)\n" in told.out
    assert told.err == ""
    assert run(["plugin", "list", "no:1"]) == 5


# ---- test


def trials(capsys: Capture) -> str:
    return capsys.readouterr().out


def test_test_shows_steps_what_was_printed_and_a_verdict(capsys: Capture) -> None:
    plugin = EXAMPLES / "list_nodes" / "list_nodes.py"
    assert run(["plugin", "test", str(plugin), "--answer", "kubectl=node/one\\nnode/two"]) == 0
    text = trials(capsys)
    assert "✓ LIST_NODE at PostInstall, run: " in text
    assert text.count("    10.0.0.1  ask  which nodes are there?\n    │ node/one\n    │ node/two\n") == 1
    assert text.endswith("good: 3 trials\n")


def test_test_takes_a_program_with_its_manifest_and_a_directory(capsys: Capture) -> None:
    for path in ("free_space/free_space.sh", "free_space"):
        assert run(["plugin", "test", str(EXAMPLES / path), "--at", "PreInit", "--answer", "df=12G"]) == 0
        assert "✓ FREE_SPACE 1.0.0 at PreInit, run: " in trials(capsys)


def test_test_takes_the_name_of_an_installed_type_too(capsys: Capture) -> None:
    assert run(["plugin", "test", "SHELL", "--at", "PreInit", "--data", "date"]) == 0
    assert "10.0.0.2  run  run the script of mine" in trials(capsys)


DATES = '{"certificates": [{"name": "apiserver", "expirationDate": "2199-01-01T00:00:00Z"}]}'


def test_test_takes_the_directory_of_a_zipapp_as_its_author_has_it(capsys: Capture) -> None:
    words = [str(EXAMPLES / "certificates"), "--at", "PostJoin", "--answer", f"kubeadm certs={DATES}"]
    assert run(["plugin", "test", *words]) == 0
    assert "✓ CERTIFICATES 1.0.0 at PostJoin, run: " in trials(capsys)


def readme_lines() -> list[str]:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("sealpy plugin test ")]


@pytest.mark.parametrize("line", readme_lines())
def test_each_trial_that_the_readme_shows_is_good(line: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(EXAMPLES)
    assert run(shlex.split(line, comments=True)[1:]) == 0, capsys.readouterr().err


def test_a_mistake_in_a_directory_that_becomes_a_zipapp_is_told_with_the_directory(capsys: Capture) -> None:
    certificates = str(EXAMPLES / "certificates")
    assert run(["plugin", "test", certificates, "--at", "PostJoin"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith(f"  {certificates}: CERTIFICATES at PostJoin (rehearsal, run): ")
    assert lines[-1].endswith("--answer 'kubeadm certs check-expiration -o json=JSON'")


def test_the_files_of_a_zipapp_may_be_of_any_age(here: Path, capsys: Capture) -> None:
    (here / "mine").mkdir()
    main = here / "mine" / "__main__.py"
    main.write_text('PluginType = "MINE"\ndef Plugin(context, phase):\n    print("hello")\n', encoding="utf-8")
    os.utime(main, (1, 1))  # as reproducible checkouts have it
    assert run(["plugin", "test", "mine"]) == 0
    assert "hello" in trials(capsys)


def test_a_directory_that_becomes_a_zipapp_is_refused_by_the_name_of_its_file(here: Path, capsys: Capture) -> None:
    (here / "mine").mkdir()
    (here / "mine" / "__main__.py").write_text("print()", encoding="utf-8")
    assert run(["plugin", "test", "mine"]) == 2
    assert "mine/__main__.py: no 'PluginType' at the top level of the file" in capsys.readouterr().err


def test_one_mistake_is_told_once_with_the_trials_that_it_ended(here: Path, capsys: Capture) -> None:
    (here / "one.py").write_text('PluginType = "MINE"\ndef Plugin(context, phase):\n    1 / 0\n', encoding="utf-8")
    assert run(["plugin", "test", "one.py"]) == 2
    told = capsys.readouterr()
    assert told.out.count('File "one.py", line 3') == 1
    assert [line.rpartition(":")[0] for line in told.out.splitlines() if line.startswith("✗")] == [
        f"✗ MINE at PostInstall, {kind}" for kind in ("rehearsal", "run", "failures")
    ]
    assert told.err == (
        "error: one.py: 3 of 3 trials failed\n"
        "  one.py: MINE at PostInstall (rehearsal, run, failures): raised ZeroDivisionError: division by zero\n"
    )


@pytest.mark.parametrize(
    ("ask", "typed"),
    [
        ("['kubectl', 'get', 'nodes']", "--answer 'kubectl get nodes=TEXT'"),
        ("['df', '--output=avail', '/']", "--answer df=TEXT"),
        ("['sh', '-c', 'true; ' * 10]", "--answer 'sh -c=TEXT'"),
    ],
)
def test_a_plugin_that_missed_an_answer_gets_the_words_to_type(
    here: Path, capsys: Capture, ask: str, typed: str
) -> None:
    body = f"def Plugin(context, phase):\n    context.ask(context.leader, {ask}).text.split()[1]\n"
    (here / "one.py").write_text(f'PluginType = "MINE"\n{body}', encoding="utf-8")
    assert run(["plugin", "test", "one.py"]) == 2
    hint = f"next: its commands print nothing here; say what they print: {typed}"
    assert capsys.readouterr().err.splitlines()[-1] == hint
    assert run(["plugin", "test", "one.py", "--answer", f"{typed.split(maxsplit=1)[1].strip(chr(39))} b"]) == 2
    assert "--answer" not in capsys.readouterr().err  # it fails where every command fails, which no answer mends


def test_a_plugin_that_did_well_without_an_answer_may_want_one_all_the_same(capsys: Capture) -> None:
    assert run(["plugin", "test", str(EXAMPLES / "list_nodes")]) == 0
    assert trials(capsys).splitlines()[-2:] == [
        "good: 3 trials",
        "its commands print nothing here; say what they print: --answer kubectl=TEXT",
    ]


# source after its type → how the first problem is told
AUTHORS = {
    "class Plugin: ...": "(rehearsal, run, failures): Plugin has neither steps(context, host) nor run(context, phase)",
    "class Plugin:\n    def steps(self, context, host):\n        return []": "failures): 10.0.0.1, 10.0.0.2: steps()",
    "def Plugin(context, phase):\n    context.run(context.leader, 'rm -r /tmp/x')": (
        "raised TypeError: a command is a list of words: ['rm', '-r', '/tmp/x'], not 'rm -r /tmp/x'"
    ),
    "import requests\ndef Plugin(context, phase): ...": (
        "No module named 'requests': a file has Python's own and sealpy.sdk; a zipapp brings others"
    ),
}


@pytest.mark.parametrize("source", AUTHORS)
def test_what_authors_get_wrong_at_first_is_told_so_that_they_can_mend_it(
    here: Path, capsys: Capture, source: str
) -> None:
    (here / "one.py").write_text(f'PluginType = "MINE"\n{source}\n', encoding="utf-8")
    assert run(["plugin", "test", "one.py"]) == 2
    assert AUTHORS[source] in capsys.readouterr().err


def test_a_plugin_that_does_nothing_is_told_to_be_so(here: Path, capsys: Capture) -> None:
    body = 'from sealpy.sdk import Run\nclass Plugin:\n    def steps(self, context, host):\n        Run("x", "true")\n'
    (here / "one.py").write_text(f'PluginType = "MINE"\n{body}', encoding="utf-8")
    assert run(["plugin", "test", "one.py"]) == 0
    assert trials(capsys).splitlines()[-1] == "good: 3 trials, in which it did nothing: no step, and nothing printed"


@pytest.mark.parametrize(("words", "told"), [([], True), (["--data", " "], True), (["--data", "date"], False)])
def test_a_plugin_that_ends_for_want_of_data_gets_the_option(capsys: Capture, words: list[str], *, told: bool) -> None:
    assert run(["plugin", "test", "SHELL", *words]) == (2 if told else 0)
    hint = "next: say what its document would hold as data: --data TEXT, or --data @FILE"
    assert (hint in capsys.readouterr().err.splitlines()) is told


# source → the exit code, what is told
VERDICTS = {
    "raise ValueError('oops')": (2, "MINE at PostInstall (rehearsal, run, failures): raised ValueError: oops"),
    "assert context.run(context.leader, ['true']).ok": (0, "'true' failed with exit status 1"),
    "assert context.ask(context.leader, ['id']).text": (2, "raised AssertionError"),
    "print(context.ask(context.leader, ['id']).text.split('=')[1])": (
        2,
        "MINE at PostInstall (failures): raised IndexError",
    ),
    "import time; time.sleep(60)": (2, "was ended: it used up its 1 s without an answer"),
}


@pytest.mark.parametrize("line", VERDICTS)
def test_the_verdict_tells_mistakes_of_the_plugin_from_commands_that_fail(
    here: Path, capsys: Capture, line: str
) -> None:
    path = here / "one.py"
    seconds = 1 if "sleep" in line else 50  # a busy machine takes its time
    head = f"class Plugin:\n    timeout = {seconds}\n    def run(self, context, phase):\n        "
    path.write_text(f'PluginType = "MINE"\n{head}{line}\n', encoding="utf-8")
    code, message = VERDICTS[line]
    assert run(["plugin", "test", str(path), "--answer", "id=uid=0"]) == code
    told = capsys.readouterr()
    assert message in told.out + told.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.py"], "'no.py': no such file, and no such type"),
        (["SHEL"], "did you mean 'SHELL'?"),
        (["plugins/notes.txt"], "no plugin is in there"),
        (["plugins/lonely.sh"], "put the manifest of the program beside it: plugins/lonely.sh.manifest.yaml"),
        (["."], "name one of the directories in it: plugins"),
        ([str(EXAMPLES / "wait_for")], "a package is installed first: pip install "),
        (["plugins/mine.py", "--at", "PostInstal"], "hook point 'PostInstal' is not known"),
        (["plugins/mine.py", "--answer", "kubectl"], "--answer: 'kubectl' is not WORDS=TEXT"),
        (["plugins/mine.py", "--answer", "echo 'a=b"], "--answer: 'echo 'a=b': no closing quotation"),
        (["plugins/mine.py", "--data", "@plugins/latin.txt"], "--data: 'plugins/latin.txt': the file is no text"),
        (["plugins/mine.py", "--data", "@no.txt"], "--data: 'no.txt': no such file or directory"),
    ],
)
def test_test_refuses_what_it_cannot_try(here: Path, capsys: Capture, words: list[str], message: str) -> None:
    (here / "plugins" / "latin.txt").write_bytes(b"caf\xe9")
    (here / "plugins" / "lonely.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    assert run(["plugin", "test", *words]) == 2
    assert message in capsys.readouterr().err
