"""The scripts of the rootfs, as far as they can be tried without a machine of their own."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[3] / "examples/kubernetes/rootfs/scripts").glob("*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_bash(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    found = subprocess.run(
        ["shellcheck", "--external-sources", *(script.name for script in SCRIPTS)],
        cwd=SCRIPTS[0].parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_stops_at_the_first_error(script: Path) -> None:
    if script.name not in {"lib.sh", "kubelet-pre-start.sh"}:
        assert "\nset -euo pipefail\n" in script.read_text()


def shell(text: str, directory: Path) -> str:
    """Run a few lines after lib.sh, in a directory."""
    lines = f"set -euo pipefail\n. {shlex.quote(str(SCRIPTS[0].parent))}/lib.sh\n{text}"
    done = subprocess.run(["bash", "-c", lines], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("install", ["install_program", "install_text"])
def test_installing_twice_changes_something_once(tmp_path: Path, install: str) -> None:
    (tmp_path / "source").write_text("content")
    said = shell(f"for _ in 1 2; do CHANGED=no; {install} source sub/target; echo $CHANGED; done", tmp_path)
    assert said.split() == ["yes", "no"]
    assert (tmp_path / "sub/target").read_text() == "content"
    assert not list(tmp_path.rglob("*.new"))


def test_a_program_is_replaced_while_its_old_self_may_run(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("new")
    (tmp_path / "target").write_text("old")
    with (tmp_path / "target").open() as running:
        shell("install_program source target", tmp_path)
        assert running.read() == "old"
    assert (tmp_path / "target").read_text() == "new"
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o755


def test_editing_an_installed_text_leaves_the_rootfs_alone(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("ours")
    shell("install_text source target; echo edited > target", tmp_path)
    assert (tmp_path / "source").read_text() == "ours"


def test_only_what_is_still_ours_is_removed(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("ours")
    shell("install_text source same; install_text source edited; echo edited > edited", tmp_path)
    shell("for target in same edited missing; do remove_installed source $target; done", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edited", "source"]


def test_a_directory_is_emptied_but_kept(tmp_path: Path) -> None:
    (tmp_path / "data/deep/er").mkdir(parents=True)
    (tmp_path / "data/.hidden").write_text("x")
    shell("empty_directory data nowhere", tmp_path)
    assert not list((tmp_path / "data").iterdir())


def test_directories_with_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/file").write_text("x")
    (tmp_path / "unused").mkdir()
    shell("remove_empty used unused nowhere", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
