"""Hosts leave by their names on the command line, and nothing else is changed."""

from __future__ import annotations

import pytest

from sealpy.actions.remove import remove
from sealpy.errors import ConfigError, StoreError
from tests.unit.actions.conftest import World, clusterfile

A, B, C, D = (f"10.0.0.{n}" for n in range(1, 5))


def test_a_worker_leaves_without_the_image_though_another_one_is_dead(world: World) -> None:
    made = clusterfile([A], [B, C, D])
    world.apply(made)
    world.fleet.restart()
    world.fleet.machine(C).off = True
    remove(made, [B], None, world.around())
    assert {node.address for node in world.fleet.nodes()} == {A, C, D}
    assert world.fleet.machine(B).marks == {}
    assert {where for where, _ in world.fleet.log} == {B, "cluster"}
    world.fleet.machine(C).off = False
    world.fleet.restart()
    assert world.apply(clusterfile([A], [C, D])).changed == 0


def test_the_others_take_over_from_a_control_plane_that_leaves(world: World) -> None:
    made = clusterfile([A, B], [C])
    world.apply(made)
    world.fleet.restart()
    with pytest.raises(StoreError, match="is not here, and a control plane leaves"):
        remove(made, [A], None, world.around())
    assert world.fleet.log == []
    remove(made, [A], world.image, world.around())
    assert world.fleet.members == [B]
    world.fleet.restart()
    assert world.apply(clusterfile([B], [C])).changed == 0


@pytest.mark.parametrize(
    ("hosts", "told"), [(["10.0.0.22"], "10.0.0.22 is no host of cluster"), ([A], "no control plane .* would stay")]
)
def test_who_cannot_leave_is_told(world: World, hosts: list[str], told: str) -> None:
    made = clusterfile([A], [B])
    world.apply(made)
    world.fleet.restart()
    with pytest.raises(ConfigError, match=told):
        remove(made, hosts, world.image, world.around())
    assert world.fleet.log == []


def test_a_rehearsal_of_a_removal_changes_nothing(world: World) -> None:
    made = clusterfile([A], [B])
    world.apply(made)
    world.fleet.restart()
    planned = [step.title for step in remove(made, [B], None, world.around(rehearsal=True)).recorded]
    assert planned[:2] == ["cordon n2", "note: nothing is done any more"]
    assert world.fleet.log == []
