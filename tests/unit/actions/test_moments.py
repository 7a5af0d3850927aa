"""What is said of hook points, by `sealpy plugin doctor` and by notices, is what the actions do."""

from __future__ import annotations

import pytest

from sealpy.actions.apply import add_hosts, begin, create
from sealpy.actions.delete import delete_all
from sealpy.actions.hooks import Hooks
from sealpy.actions.part import remove_hosts
from sealpy.clusterfile import loads
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.plugin import Hook
from sealpy.plugin.moments import ADD, CREATE, DELETE, MOMENTS, REMOVE
from sealpy.sdk import HookPoint
from sealpy.testing.builders import a_context

HOOKS = Hooks(())
FIRED = {
    operation: {phase.point for phase in phases if isinstance(phase, Hook)}
    for operation, phases in {
        CREATE: [*begin(HOOKS), *create(HOOKS)],
        ADD: [*begin(HOOKS), *add_hosts(HOOKS)],
        REMOVE: remove_hosts(HOOKS, DrainNodes(timeout=1.0, force=False), ["10.0.0.2"], frozenset()),
        DELETE: delete_all(HOOKS),
    }.items()
}


@pytest.mark.parametrize("point", HookPoint)
def test_every_name_of_both_vocabularies_fires_where_it_is_said_to(point: HookPoint) -> None:
    assert MOMENTS[point].operations == tuple(operation for operation, points in FIRED.items() if point in points)


def test_what_fires_in_no_action_yet_is_the_upgrade_alone() -> None:
    unfired = {point for point in HookPoint if not MOMENTS[point].operations}
    assert unfired == {HookPoint.UPGRADE_HOST, HookPoint.UPGRADE, HookPoint.ROLLBACK}


def test_a_document_for_what_never_fires_is_told() -> None:
    text = "kind: Cluster\nspec: {image: a, hosts: [{ips: [10.0.0.1], roles: [master]}]}\n---\n"
    text += "kind: Plugin\nmetadata: {name: up}\nspec: {type: SHELL, action: upgrade|PreInit, data: date}\n"
    ctx = a_context()
    (notice,) = Hooks.of(loads(text, name="Clusterfile"), ctx.image, ctx.inventory).notices
    assert str(notice) == (
        "Clusterfile:4: plugin 'up': 'upgrade' fires in an upgrade, which this version does not do yet"
    )
