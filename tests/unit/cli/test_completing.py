"""What the shell is told may stand where the cursor is, and what bash makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sealpy.actions.check import EXPLAINED, refuse_skips
from sealpy.checks import CHECKS
from sealpy.cli.app import run
from sealpy.cli.shells import SCRIPTS, VARIABLE
from sealpy.errors import ConfigError
from sealpy.image.store import Store
from sealpy.phases.keep_clusterfile import KEPT
from sealpy.testing.builders import a_stored_image

Capture = pytest.CaptureFixture[str]

IMAGES = ["kubernetes:v1.34.4", "registry.example.com/team/shop:1"]
FILES = [":files"]
SAME = ("same-name", "same-machine-id", "same-mac", "same-product")
# what is typed, the last word up to the cursor → what may stand there
LINES = {
    "comp": ["completion"],
    "--output json comp": ["completion"],
    "--outp": ["--output"],
    "--output ": ["text", "json"],
    "--output=j": ["--output=json"],
    "store ": ["check", "repair", "path"],
    "nosuch ": [],
    "run ": IMAGES,
    "run kubernetes:v1.": IMAGES[:1],
    "run docker.io/": ["docker.io/library/kubernetes:v1.34.4"],
    "run -m 10.0.0.1 -q ": IMAGES,
    "run -m ": [],
    "run --dry-run kub": IMAGES[:1],
    "run kubernetes:v1.34.4 ": [],
    "run -c ": ["my-cluster", "shop"],
    "run --cluster=s": ["--cluster=shop"],
    "run --provider ": ["local"],
    "run --host-keys s": ["strict"],
    "run --skip sw": ["swap"],
    "check --pre --skip ti": ["time-sync"],
    "apply --skip=sw": ["--skip=swap"],
    "scale-up --skip way": ["ways"],
    "plan --skip swap,time-sync,s": [f"swap,time-sync,{id_}" for id_ in ("system", "selinux", *SAME)],
    "upgrade --skip swap --skip swap,sw": [],
    "rollback --skip another-": [],
    "run --skip conn": [],
    "run --pk ": FILES,
    "run --pk=": FILES,
    "run --nosuch=": [],
    "join --cluster s": ["shop"],
    "delete -c ": ["my-cluster", "shop"],
    "apply -f ": FILES,
    "upgrade k": IMAGES[:1],
    "rollback k": IMAGES[:1],
    "inspect ": IMAGES,
    "inspect shop:1 --sbom ": ["spdx", "cyclonedx"],
    "save ": IMAGES,
    "save kubernetes:v1.34.4 --format docker-": ["docker-archive", "docker-dir"],
    "save x --since k": IMAGES[:1],
    "push r": IMAGES[1:],
    "push kubernetes:v1.34.4 ": [],
    "tag k": IMAGES[:1],
    "tag kubernetes:v1.34.4 k": [],
    "rmi kubernetes:v1.34.4 ": IMAGES,
    "rmi -- ": IMAGES,
    "rmi -- -": [],
    "diff kubernetes:v1.34.4 r": IMAGES[1:],
    "load -i ": FILES,
    "logout ": ["registry.example.com"],
    "plugin test --at PostI": ["PostInstall"],
    "plugin test SHE": ["SHELL"],
    "plugin test ./pl": FILES,
    "plugin list --plugins-dir ": FILES,
    "lab ssh ": ["lab-1"],
    "lab down --name ": ["lab"],
    "completion ": ["bash", "zsh", "fish"],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    for name in IMAGES:
        a_stored_image(Store(home / "images"), {"a": b"b"}, name=name)
    for name in ("my-cluster", "shop"):
        (home / "clusters" / name).mkdir(parents=True)
        (home / "clusters" / name / KEPT).touch()
    (home / "clusters" / "gone" / "logs").mkdir(parents=True)
    (home / "auth.json").write_text(json.dumps({"auths": {"registry.example.com": {}}}), encoding="utf-8")
    (home / "lab" / "lab" / "machines" / "lab-1").mkdir(parents=True)
    (home / "lab" / "lab" / "lab.json").touch()
    return home


@pytest.fixture(autouse=True)
def _surroundings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(home))
    monkeypatch.setenv(VARIABLE, "bash")


def completed(line: str, capsys: Capture) -> list[str]:
    assert run(line.split(" ")) == 0
    told = capsys.readouterr()
    assert told.err == ""
    return [candidate.partition("\t")[0] for candidate in told.out.splitlines() if candidate]


@pytest.mark.parametrize("line", LINES)
def test_what_may_stand_there_is_told(line: str, capsys: Capture) -> None:
    assert completed(line, capsys) == LINES[line]


def test_each_candidate_says_what_it_is(capsys: Capture) -> None:
    run(["vers"])
    assert capsys.readouterr().out == "version\tShow the version.\n"


def test_every_check_that_can_be_left_out_is_told_and_no_other(capsys: Capture) -> None:
    every = {id_ for id_, _ in EXPLAINED} | {one.id for one in CHECKS}

    def can_be_left_out(id_: str) -> bool:
        try:
            refuse_skips([id_])
        except ConfigError:
            return False
        return True

    told = completed("check --pre --skip ", capsys)
    assert sorted(told) == sorted(filter(can_be_left_out, every))
    assert 0 < len(told) < len(every)


@pytest.mark.parametrize("text", ["{", "[]", '{"manifests": [{}]}', '{"manifests": [{"annotations": null}]}', ""])
def test_a_store_that_cannot_be_read_completes_nothing_and_says_nothing(
    tmp_path: Path, text: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "index.json").write_text(text, encoding="utf-8")
    assert completed("run ", capsys) == []


def test_nothing_heavy_is_imported_for_the_name_of_an_image() -> None:
    heavy = ("rich", "paramiko", "kubernetes", "pydantic", "yaml", "cryptography")
    program = (
        "import sys; from sealpy.cli.app import run; run(sys.argv[1:]);"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    for words in (["run", "k"], ["delete", "-c", ""], ["inspect", "k"], ["upgrade", "k"], ["plan", "--skip", "s"]):
        done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
        assert (words, done.stderr) == (words, "[]\n")


# what stands on the line, the signs besides blanks at which bash cuts words → what it puts in place of the part it cut
BASH = {
    ("sealpy run ", ":="): ["kubernetes:v1.34.4", "kubernetes:v1.33.1"],
    ("sealpy run kubernetes:v1.3", ":="): ["v1.34.4", "v1.33.1"],
    ("sealpy run --image=kubernetes:v1.34", ":="): ["v1.34.4", "v1.33.1"],
    ("sealpy run --image=kubernetes:v1.34", "="): ["kubernetes:v1.34.4", "kubernetes:v1.33.1"],
    ("sealpy run --image=kub", ":"): ["--image=kubernetes:v1.34.4", "--image=kubernetes:v1.33.1"],
    ("sealpy run kubernetes:v1.3", ""): ["kubernetes:v1.34.4", "kubernetes:v1.33.1"],
}


@pytest.mark.parametrize(("line", "signs"), BASH)
def test_bash_hands_over_whole_words_and_keeps_what_stands_before_a_sign(line: str, signs: str, tmp_path: Path) -> None:
    option, equals, _ = line.rpartition(" ")[2].rpartition("=")
    stub = tmp_path / "stub"
    candidates = "\n".join(f"{option}{equals}kubernetes:{tag}\twhat" for tag in ("v1.34.4", "v1.33.1"))
    stub.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\ncat <<EOF\n{candidates}\nEOF\n', encoding="utf-8")
    stub.chmod(0o755)
    state = f"COMP_WORDBREAKS=' {signs}' COMP_LINE='{line} more' COMP_POINT={len(line)}"
    program = f"{SCRIPTS['bash']}\n{state}\n_sealpy {stub}\n"
    done = subprocess.run(
        ["bash", "-c", program + 'printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert (done.stdout.split(), done.stderr) == (BASH[line, signs], "")
    assert (tmp_path / "words").read_text(encoding="utf-8") == f"{line.removeprefix('sealpy ')}\n"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_script_is_understood_by_its_shell(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not installed: apt-get install {shell}")
    (tmp_path / "script").write_text(SCRIPTS[shell], encoding="utf-8")
    done = subprocess.run([program, "-n", tmp_path / "script"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
