"""What is said of hook points, by `sealpy plugin doctor` and by notices, is what the actions do."""

from __future__ import annotations

import pytest

from sealpy.actions.application import launching
from sealpy.actions.apply import add_hosts, begin, create
from sealpy.actions.delete import delete_all
from sealpy.actions.hooks import Hooks
from sealpy.actions.part import remove_hosts
from sealpy.actions.upgrade import go_back, upgrade
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.phases.upgrade_kubernetes import VacateNodes
from sealpy.plugin import Hook
from sealpy.plugin.moments import ADD, APPLICATION, CREATE, DELETE, MOMENTS, REMOVE, ROLLBACK, UPGRADE
from sealpy.sdk import HookPoint

HOOKS = Hooks(())
DRAIN, VACATE = DrainNodes(timeout=1.0, force=False), VacateNodes(timeout=1.0, force=False)
FIRED = {
    operation: {phase.point for phase in phases if isinstance(phase, Hook)}
    for operation, phases in {
        CREATE: [*begin(HOOKS), *create(HOOKS)],
        ADD: [*begin(HOOKS), *add_hosts(HOOKS)],
        REMOVE: remove_hosts(HOOKS, DRAIN, ["10.0.0.2"], frozenset()),
        DELETE: delete_all(HOOKS),
        UPGRADE: upgrade(HOOKS, VACATE, 0),
        ROLLBACK: go_back(HOOKS, VACATE, 0),
        APPLICATION: launching(HOOKS),
    }.items()
}


@pytest.mark.parametrize("point", HookPoint)
def test_every_name_of_both_vocabularies_fires_where_it_is_said_to(point: HookPoint) -> None:
    assert MOMENTS[point].operations == tuple(operation for operation, points in FIRED.items() if point in points)


def test_there_is_no_hook_point_that_never_fires() -> None:
    assert [point for point in HookPoint if not MOMENTS[point].operations] == []
