"""SHELL: what travels to the host, and what bash makes of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sealpy.errors import PluginError
from sealpy.sdk import HookPoint
from sealpy.testing.connector import Asked
from sealpy.testing.stage import Stage, cluster, document

SCRIPT = 'set -e\nread line || echo "no input"\ncat <<EOF\n$(basename "$PWD") $Disk\nEOF\n'


def fire(stage: Stage, data: str = SCRIPT, at: HookPoint = HookPoint.PRE_INIT) -> Asked:
    """Fire the script and give the command that the master got."""
    stage.fire(document(data=data, actions=(at,)), at=at)
    return stage.machines["10.0.0.1"].asked[-1]


def perform(asked: Asked) -> subprocess.CompletedProcess[str]:
    """Run the command on this machine, as a host would."""
    env = {"PATH": "/usr/bin:/bin", **dict(asked.env)}
    return subprocess.run(
        asked.argv, input=asked.stdin.decode(), env=env, capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.fixture
def here(tmp_path: Path) -> Stage:
    """Give a stage whose rootfs is a directory of this machine."""
    rootfs = tmp_path / "the rootfs"
    rootfs.mkdir()
    return Stage(inventory=cluster(masters=("10.0.0.1",), nodes=()), rootfs=str(rootfs), env={"Disk": "$(reboot) 'x'"})


def test_the_script_travels_on_standard_input_and_never_in_argv(stage: Stage) -> None:
    asked = fire(stage, "echo secret\n")
    assert asked.stdin == b"echo secret\n"
    assert not any("secret" in word for word in asked.argv)


def test_each_host_gets_its_environment_and_its_address() -> None:
    stage = Stage(inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",)), env={"Disk": "/dev/vdb"})
    fire(stage)
    assert [dict(machine.asked[-1].env) for machine in stage.machines.values()] == [
        {"Disk": "/dev/vdb", "HostIP": "10.0.0.1"},
        {"Disk": "/dev/vdb", "HostIP": "10.0.0.2"},
    ]


def test_it_runs_in_the_rootfs_with_values_taken_literally_and_no_input(here: Stage) -> None:
    done = perform(fire(here))
    assert (done.stdout, done.returncode) == ("no input\nthe rootfs $(reboot) 'x'\n", 0)


def test_in_originally_there_is_no_rootfs_to_run_in(here: Stage) -> None:
    assert perform(fire(here, "pwd\n", HookPoint.ORIGINALLY)).stdout == "/\n"


@pytest.mark.parametrize(
    ("script", "status"), [("exit 7", 7), ("false\ntrue", 0), ("set -e\nfalse\ntrue", 1), ("if", 2)]
)
def test_the_exit_status_is_that_of_the_script(here: Stage, script: str, status: int) -> None:
    assert perform(fire(here, script)).returncode == status


def test_a_rootfs_that_is_missing_is_an_error_while_a_cluster_is_made(here: Stage) -> None:
    here.rootfs += "/gone"
    done = perform(fire(here, "echo done"))
    assert done.returncode != 0
    assert "done" not in done.stdout


@pytest.mark.parametrize(
    "at", ["PreClean", "PostClean", "pre-clean-host", "post-clean-host", "pre-uninstall", "post-uninstall"]
)
def test_a_rootfs_that_is_gone_skips_the_script_while_a_cluster_is_taken_away(here: Stage, at: str) -> None:
    asked = fire(here, "echo done", HookPoint(at))
    assert perform(asked).stdout == "done\n"
    Path(here.rootfs).rmdir()
    done = perform(asked)
    assert (done.stdout, done.returncode) == (f"skipped: {here.rootfs} is gone\n", 0)


@pytest.mark.parametrize("at", list(HookPoint))
def test_it_may_be_used_at_every_hook_point(stage: Stage, at: HookPoint) -> None:
    assert fire(stage, "date", at).argv[0] == "bash"


def test_an_empty_script_is_refused(stage: Stage) -> None:
    with pytest.raises(PluginError) as caught:
        fire(stage, " \n")
    assert "data is empty" in caught.value.problems[0].message
