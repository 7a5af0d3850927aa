"""Zip archives and programs: what is refused when they are found, and what becomes of broken ones."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.errors import PluginError, PluginFailedError, Problem
from sealpy.plugin import discover
from sealpy.plugin.code import Program, ZipApp
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, document

MANIFEST = b"""\
apiVersion: plugins.sealpy.io/v1alpha1
kind: PluginManifest
metadata: {name: mine, version: 1.2.3, description: Does mine.}
spec:
  implements:
    - {type: MINE, phases: [PostInstall, post-install], default: PostInstall, timeout: 20s, parallel: 2}
"""
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, text in files.items():
            zipped.writestr(f"{name}.py", text)
    return buffer.getvalue()


def problems(*files: tuple[str, bytes]) -> tuple[Problem, ...]:
    with pytest.raises(PluginError) as caught:
        discover(files)
    return caught.value.problems


def test_a_program_is_what_its_manifest_says() -> None:
    found = discover([("plugins/mine", b"#!/bin/sh\n"), ("plugins/mine.manifest.yaml", MANIFEST)]).find("MINE")
    assert found.code == Program("plugins/mine", b"#!/bin/sh\n")
    declaration = found.declaration
    assert declaration.phases == (HookPoint.POST_INSTALL, HookPoint.POST_INSTALL_CLUSTER)
    assert (declaration.default, declaration.timeout, declaration.parallel) == ((HookPoint.POST_INSTALL,), 20.0, 2)
    assert (found.version, declaration.summary) == ("1.2.3", "Does mine")


def test_an_archive_is_what_its_main_says_and_its_digest_is_of_all_of_it() -> None:
    content = archive(__main__='__version__ = "2"\nPluginType = "MINE"\nclass Plugin:\n    timeout = 7\n', other="")
    found = discover([("plugins/mine.pyz", content)]).find("MINE")
    assert found.code == ZipApp("plugins/mine.pyz", content)
    assert (found.declaration.timeout, found.version) == (7.0, "2")
    changed = archive(__main__='__version__ = "2"\nPluginType = "MINE"\nclass Plugin:\n    timeout = 7\n', other="1")
    assert discover([("plugins/mine.pyz", changed)]).find("MINE").digest != found.digest


# files → place and message, hint
REFUSED: list[tuple[list[tuple[str, bytes]], str, str]] = [
    ([("a.pyz", b"no zip")], "a.pyz: no zip archive", "make it by python3 -m zipapp"),
    ([("a.pyz", archive(other=""))], "a.pyz: no __main__.py in the archive", "its two names are PluginType and Plugin"),
    (
        [("a.pyz", archive(__main__="PluginType = 'A'"))],
        "a.pyz/__main__.py: no 'Plugin' at the top level of the file",
        "a plugin has two",
    ),
    ([("a.whl", b"")], "a.whl: a wheel is installed, not copied", "pip install it beside sealpy"),
    ([("a", ELF)], "a: nothing says which type this program implements", "put its manifest beside it, as a.manifest"),
    ([("a.manifest.yaml", MANIFEST)], "a.manifest.yaml: there is no executable for this manifest", "put a beside it"),
    (
        [("a.manifest.yaml", MANIFEST), ("a", b"echo hello\n")],
        "a: neither a script that begins with '#!' nor a program for Linux",
        "the first line of a script names its interpreter",
    ),
    ([("a.manifest.yaml", b"# nothing\n"), ("a", ELF)], "a.manifest.yaml: the manifest is empty", "PluginManifest"),
    (
        [("a.manifest.yaml", MANIFEST.replace(b"post-install", b"post-instal")), ("a", ELF)],
        "a.manifest.yaml:6: spec.implements[0].phases: 'post-instal' is no hook point",
        "did you mean 'post-install'?",
    ),
    (
        [("a.manifest.yaml", MANIFEST.replace(b"timeout: 20s", b"timout: 20s")), ("a", ELF)],
        "a.manifest.yaml:6: spec.implements[0].timout: this field is unknown",
        "did you mean 'timeout'?",
    ),
    (
        [("a.manifest.yaml", MANIFEST.replace(b"PluginManifest", b"PluginManifes")), ("a", ELF)],
        "a.manifest.yaml:2: kind: 'PluginManifes' is not one of 'PluginManifest'",
        "did you mean 'PluginManifest'?",
    ),
    ([("a.manifest.yaml", b"\tkind: x\n"), ("a", ELF)], "a.manifest.yaml:1: ", ""),
]


@pytest.mark.parametrize(("files", "message", "hint"), REFUSED, ids=[message for _, message, _ in REFUSED])
def test_a_file_that_is_no_plugin_is_refused_with_its_place(
    files: list[tuple[str, bytes]], message: str, hint: str
) -> None:
    (problem,) = problems(*files)
    assert str(problem).startswith(message)
    assert hint in problem.hint


def test_other_files_are_let_be_and_known() -> None:
    others = discover([("plugins/readme.txt", b"x"), ("plugins/helper.sh", b"#!/bin/sh\n"), ("plugins/a.yaml", b"")])
    assert others.others == ("plugins/readme.txt", "plugins/helper.sh")


# script → what the operator is told
FAULTS = {
    "#!/bin/sh\necho last words >&2\nexit 3\n": "ended in the middle of the call, with exit status 3\n  last words",
    "#!/no/such/interpreter\n": "cannot be started: No such file or directory; is it made for this machine?",
    "#!/bin/sh\necho hello >&4\nread -r line <&3\nread -r line <&3\n": "wrote b'hello' on the descriptor of the",
    '#!/bin/sh\necho "{}" >&4\nread -r line <&3\nread -r line <&3\n': "answered '{}' where its style was asked for",
    '#!/bin/sh\necho \'{"ready": "run"}\' >&4\necho \'{"failed": {"message": "no licence"}}\' >&4\nread -r line <&3\n'
    "read -r line <&3\nread -r line <&3\n": "no licence",
    '#!/bin/sh\necho \'{"ready": "run"}\' >&4\necho \'{"step": {"kind": "reboot"}}\' >&4\nread -r line <&3\n'
    "read -r line <&3\nread -r line <&3\n": "sent a step that cannot be read: kind 'reboot' of step is not known",
}


def program(script: str) -> list[tuple[str, bytes]]:
    return [("plugins/mine", script.encode()), ("plugins/mine.manifest.yaml", MANIFEST)]


@pytest.mark.parametrize("script", FAULTS, ids=range(len(FAULTS)))
def test_a_broken_program_ends_the_hook_with_its_cause(stage: Stage, script: str) -> None:
    stage.files = program(script)
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="MINE"))
    assert caught.value.message.startswith("Clusterfile:1: plugin 'mine' (MINE) failed at PostInstall")
    assert FAULTS[script] in caught.value.problems[0].message


def test_a_program_that_hangs_is_ended_with_what_it_started(stage: Stage) -> None:
    stage.limits = replace(stage.limits, deadline=0.5)
    stage.files = program("#!/bin/sh\ntrap '' INT TERM\nsleep 3600 &\nsleep 3600\n")
    begun = time.monotonic()
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="MINE"))
    assert "it used up its 0.5 s" in caught.value.problems[0].message
    assert time.monotonic() - begun < 40


def test_a_program_of_another_processor_says_so(stage: Stage) -> None:
    stage.files = [("plugins/mine", ELF), ("plugins/mine.manifest.yaml", MANIFEST)]
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="MINE"))
    assert "cannot be started: Exec format error; is it made for this machine?" in caught.value.problems[0].message


def test_a_programs_environment_is_small_and_its_directory_its_own(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    stage.files = program(
        '#!/bin/sh\nread -r line <&3\necho \'{"ready": "run"}\' >&4\nread -r line <&3\n'
        "env | cut -d = -f 1 | sort | tr '\\n' ' '\nls\necho '{\"done\": true}' >&4\nread -r line <&3\n"
    )
    stage.fire(document(type_="MINE"))
    names = set(stage.printed()[0].split()) - {"LANG", "LC_ALL", "LC_CTYPE", "TZ", "OLDPWD", "mine"}
    assert names == {"HOME", "PATH", "PWD", "SEALPY_PLUGIN_PROTOCOL", "TMPDIR"}


def test_an_error_in_an_archive_names_its_own_lines(stage: Stage) -> None:
    stage.files = [
        (
            "plugins/mine.pyz",
            archive(
                __main__='PluginType = "MINE"\nfrom other import fail\ndef Plugin(context, phase):\n    fail()\n',
                other="def fail():\n    raise KeyError('gone')\n",
            ),
        )
    ]
    with pytest.raises(PluginFailedError) as caught:
        stage.fire(document(type_="MINE"))
    told = caught.value.problems[0].message
    assert "raised KeyError: 'gone'" in told
    assert 'mine.pyz/other.py", line 2, in fail' in told


# A sealpy that waits for the answer of a program; argv holds the program's file.
SEALPY = """
import pathlib, sys
from sealpy.plugin.child import Child
from sealpy.plugin.code import Program
from sealpy.plugin.limits import Limits
from sealpy.sdk import HookPoint, PluginContext
code = Program("mine", pathlib.Path(sys.argv[1]).read_bytes())
context = PluginContext(
    plugin="mine", type="MINE", hook=HookPoint.PRE_INIT, data="", cluster="", leader="", hosts=(), masters=(),
    workers=(), rootfs="",
)
def show(line):
    print(line, flush=True)
with Child(code, limits=Limits(), show=show, log=show, check_interrupted=bool) as child:
    child.load(context)
"""


def test_a_program_and_what_it_started_do_not_outlive_a_sealpy_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "mine"
    script.write_text("#!/bin/sh\nsleep 3600 &\necho $$ $!\nwait\n", encoding="utf-8")
    command = [sys.executable, "-c", SEALPY, str(script)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    ) as it:
        assert it.stdout
        pids = it.stdout.readline().split()
        assert len(pids) == 2
        it.kill()
    deadline = time.monotonic() + 40
    while any(lives(pid) for pid in pids):
        assert time.monotonic() < deadline, "it lives on"


def lives(pid: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
