from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from sealpy.errors import MachineError
from sealpy.machines.control_groups import ControlGroups, Limits

HYBRID = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:25 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
31 30 0:26 / /sys/fs/cgroup/cpu rw,relatime shared:4 - cgroup cgroup rw,cpu
32 30 0:27 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
33 30 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
40 22 0:26 / /mnt/again rw,relatime - cgroup cgroup rw,cpu
"""


def v2(root: Path) -> ControlGroups:
    """Make a hierarchy of v2 of plain files."""
    (root / "cgroup.controllers").write_text("cpu memory\n")
    (root / "cgroup.subtree_control").write_text("")
    return ControlGroups(v1=(), v2=(root,))


def prepare(root: Path, *names: str) -> None:
    """Make a group with the files that the kernel would have put there."""
    root.mkdir()
    for name in names:
        (root / name).write_text("")


def test_each_mounted_hierarchy_is_found_once() -> None:
    groups = ControlGroups.mounted(HYBRID)

    assert groups.v1 == (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup/memory"))
    assert groups.v2 == (Path("/sys/fs/cgroup/unified"),)


def test_a_machine_has_a_group_in_every_hierarchy() -> None:
    assert ControlGroups.mounted(HYBRID).of("sealpy-lab-1") == (
        Path("/sys/fs/cgroup/cpu/sealpy-lab-1"),
        Path("/sys/fs/cgroup/memory/sealpy-lab-1"),
        Path("/sys/fs/cgroup/unified/sealpy-lab-1"),
    )


def test_bounds_are_written_in_the_words_of_v2(tmp_path: Path) -> None:
    groups = v2(tmp_path)
    prepare(tmp_path / "sealpy-lab-1", "cpu.max", "memory.max")

    groups.make("sealpy-lab-1", Limits(cpus=1.5, memory=2**30))

    assert (tmp_path / "sealpy-lab-1/cpu.max").read_text() == "150000 100000"
    assert (tmp_path / "sealpy-lab-1/memory.max").read_text() == "1073741824"


def test_no_bounds_are_written_as_such_in_v2(tmp_path: Path) -> None:
    groups = v2(tmp_path)
    prepare(tmp_path / "sealpy-lab-1", "cpu.max", "memory.max")

    groups.make("sealpy-lab-1", Limits())

    assert (tmp_path / "sealpy-lab-1/cpu.max").read_text() == "max 100000"
    assert (tmp_path / "sealpy-lab-1/memory.max").read_text() == "max"


def test_bounds_are_written_in_the_words_of_v1(tmp_path: Path) -> None:
    prepare(tmp_path / "sealpy-lab-1", "cpu.cfs_quota_us", "memory.limit_in_bytes")

    ControlGroups(v1=(tmp_path,), v2=()).make("sealpy-lab-1", Limits(cpus=0.5))

    assert (tmp_path / "sealpy-lab-1/cpu.cfs_quota_us").read_text() == "50000"
    assert (tmp_path / "sealpy-lab-1/memory.limit_in_bytes").read_text() == "-1"


def test_a_v1_group_gets_the_processors_of_its_parent_for_without_them_it_takes_no_process(tmp_path: Path) -> None:
    (tmp_path / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuset.mems").write_text("0\n")

    ControlGroups(v1=(tmp_path,), v2=()).make("sealpy-lab-1", Limits())

    assert (tmp_path / "sealpy-lab-1/cpuset.cpus").read_text() == "0-1\n"
    assert (tmp_path / "sealpy-lab-1/cpuset.mems").read_text() == "0\n"


def test_a_bound_that_the_kernel_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "sealpy-lab-1/memory.limit_in_bytes").mkdir(parents=True)  # what cannot be written

    with pytest.raises(MachineError, match=r"refuses memory\.limit_in_bytes = 1048576"):
        ControlGroups(v1=(tmp_path,), v2=()).limit("sealpy-lab-1", Limits(memory=2**20))


def test_processes_are_found_in_the_groups_below_as_well(tmp_path: Path) -> None:
    (tmp_path / "sealpy-unit-7/kubepods/pod1").mkdir(parents=True)
    (tmp_path / "sealpy-unit-7/cgroup.procs").write_text("4000001\n0\n")
    (tmp_path / "sealpy-unit-7/kubepods/pod1/cgroup.procs").write_text("4000002\n4000003\n")

    assert ControlGroups((tmp_path,), ()).processes("sealpy-unit-7") == {4000001, 4000002, 4000003}


def test_a_process_that_is_not_in_its_group_yet_is_found_by_its_command_line(tmp_path: Path) -> None:
    groups = ControlGroups((tmp_path,), ())

    words = ["sh", "-c", "echo here; read never", "sh", "--machine=sealpy-unit-1"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # before it the process may still be on its way into the program
        assert groups.processes("sealpy-unit-1") == {process.pid}
        assert "sealpy-unit-1" in groups.units()
        assert groups.kill("sealpy-unit-1") == 1

    assert process.returncode == -signal.SIGKILL


def test_groups_are_removed_from_the_lowest_up(tmp_path: Path) -> None:
    (tmp_path / "sealpy-lab-1/kubepods/pod1").mkdir(parents=True)
    groups = ControlGroups((tmp_path,), ())

    groups.remove("sealpy-lab-1")
    groups.remove("sealpy-lab-1")

    assert list(tmp_path.iterdir()) == []
