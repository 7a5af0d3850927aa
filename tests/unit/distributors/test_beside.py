"""A host of the registry keeps what the image before has there, until somebody takes it away."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sealpy.distributors import Tree, keeping, registry_there
from sealpy.sdk import Ask, Result
from tests.unit.distributors.test_stream import Machine, tree_of

OLD = {"bin/kubelet": b"old", "registry/blobs/a": b"a" * 99, "registry/blobs/common": b"c", "registry/tags/v1": b"a"}
NEW = {"bin/kubelet": b"new", "registry/blobs/b": b"b" * 99, "registry/blobs/common": b"c", "registry/tags/v2": b"b"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    found = Machine(tmp_path / "data" / "my-cluster")
    found.deliver(tree_of(OLD))
    return found


def both(machine: Machine) -> Tree:
    """Ask the machine, as a run does, and give the tree that is delivered."""
    steps = registry_there(str(machine.directory))
    step = next(steps)
    assert isinstance(step, Ask)
    done = subprocess.run(step.argv, capture_output=True, check=False)
    with pytest.raises(StopIteration) as end:
        steps.send(Result(exit_status=done.returncode, stdout=done.stdout))
    return keeping(tree_of(NEW), end.value.value)


def test_what_the_registry_had_stays_beside_what_comes_and_goes_with_the_next_delivery(machine: Machine) -> None:
    tree = both(machine)
    machine.deliver(tree)
    assert machine.files() == {**OLD, **NEW}
    assert machine.deliver(both(machine)) == [], "a second run finds it so"
    assert machine.deliver(tree_of(NEW)) == ["ask", "put files in place"]
    assert machine.files() == NEW


def test_a_file_that_is_damaged_or_gone_is_not_kept(machine: Machine) -> None:
    rootfs = machine.directory / "rootfs" / "registry"
    (rootfs / "blobs" / "a").write_bytes(b"other")
    (rootfs / "tags" / "v1").unlink()
    machine.deliver(both(machine))
    assert machine.files() == NEW


def test_a_host_that_has_nothing_keeps_nothing(tmp_path: Path) -> None:
    tree = tree_of(NEW)
    assert both(Machine(tmp_path / "nothing")).index == tree.index
