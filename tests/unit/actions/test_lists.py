"""The lists of phases are the product's table of contents: which hook point fires where in each operation."""

from __future__ import annotations

import pytest

from sealpy.actions.apply import add_hosts, begin, create, end, phases, upkeep
from sealpy.actions.delete import delete_all
from sealpy.actions.hooks import Hooks
from sealpy.actions.part import forget, remove_hosts
from sealpy.actions.upgrade import go_back, upgrade
from sealpy.engine import Journal
from sealpy.phases.drain_nodes import DrainNodes
from sealpy.phases.upgrade_kubernetes import VacateNodes
from sealpy.sdk import HookPoint
from sealpy.testing.builders import a_context, a_host, good_facts

HOOKS = Hooks(())
JOURNAL = Journal(None, run="r1", action="apply")
ORDER = {
    "create": (
        "preflight check_ways keep_clusterfile *Originally* distribute *pre-install* *PreInit* *pre-init-host* "
        "write_hosts install_container_engine prepare_authority start_registry trust_registry *PreInstall* "
        "prepare_kubernetes "
        "init_control_plane adapt_dns install_network issue_ticket join_control_planes join_workers wait_ready "
        "*post-init-host* *post-install* label_nodes *PreGuest* launch_apps wait_serving *PostInstall* settle "
        "save_state"
    ),
    "add hosts": (
        "preflight check_ways keep_clusterfile *Originally* distribute *pre-scaleup* *PreJoin* *pre-init-host* "
        "write_hosts install_container_engine prepare_authority start_registry trust_registry "
        "reconfigure_control_planes publish_settings reconfigure_nodes adapt_dns prepare_kubernetes install_network "
        "issue_ticket join_control_planes join_workers wait_ready *post-init-host* *post-scaleup* label_nodes "
        "*PreGuest* launch_apps *PostJoin* settle save_state"
    ),
    "forget dead hosts": "forget_control_planes remove_nodes",
    "remove hosts": (
        "*PreClean* *pre-clean-host* drain_nodes forget_control_planes reset_hosts remove_nodes remove_registry "
        "uninstall_container_engine *PostClean* *post-clean-host* remove_rootfs audit"
    ),
    "upgrade": (
        "distribute_beside *upgrade-host* write_hosts prepare_authority start_registry trust_registry *upgrade* "
        "upgrade_control_planes upgrade_masters upgrade_workers renew_container_engine reconfigure_control_planes "
        "publish_settings reconfigure_nodes adapt_dns install_network wait_ready label_nodes launch_apps wait_serving "
        "remove_superseded"
    ),
    "rollback": (
        "*rollback* distribute_beside write_hosts prepare_authority start_registry trust_registry "
        "upgrade_control_planes upgrade_masters upgrade_workers renew_container_engine reconfigure_control_planes "
        "publish_settings reconfigure_nodes adapt_dns install_network wait_ready label_nodes launch_apps wait_serving "
        "remove_superseded"
    ),
    "delete all": (
        "*pre-uninstall* *PreClean* *pre-clean-host* reset_hosts remove_registry uninstall_container_engine "
        "*PostClean* *post-clean-host* *post-uninstall* remove_rootfs audit"
    ),
}
DRAIN, VACATE = DrainNodes(timeout=1, force=False), VacateNodes(timeout=1, force=False)
LISTS = {
    "create": [*begin(HOOKS), *create(HOOKS), *end()],
    "add hosts": [*begin(HOOKS), *add_hosts(HOOKS), *end()],
    "forget dead hosts": forget(["10.0.0.2"], frozenset()),
    "remove hosts": remove_hosts(HOOKS, DRAIN, ["10.0.0.2"], frozenset()),
    "upgrade": upgrade(HOOKS, VACATE, 0),
    "rollback": go_back(HOOKS, VACATE, 0),
    "delete all": delete_all(HOOKS),
}


@pytest.mark.parametrize("operation", ORDER)
def test_phases_and_hook_points_come_in_the_documented_order(operation: str) -> None:
    names = [f"*{phase.name}*" if phase.name in set(HookPoint) else phase.name for phase in LISTS[operation]]
    assert names == ORDER[operation].split()


def test_every_hook_point_fires_somewhere() -> None:
    assert set(HookPoint) <= {phase.name for phases_ in LISTS.values() for phase in phases_}


def test_the_facts_choose_the_operation() -> None:
    ctx = a_context()
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(create(HOOKS))

    made = {"node": ctx.kubernetes, "created": "x", "settled": ctx.image.digest}
    ctx.facts["10.0.0.1"] = good_facts("a", marks=made, kube_ca="one")
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(add_hosts(HOOKS))
    assert ctx.operation == ("10.0.0.2",), "plugins fire for the new host alone"

    ctx.facts["10.0.0.2"] = good_facts("b", marks={"node": ctx.kubernetes}, kube_ca="one")
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(add_hosts(HOOKS))
    assert ctx.operation == ("10.0.0.2",), "a run was cut behind the join: the plugins of after it have still to fire"

    ctx.facts["10.0.0.2"] = good_facts("b", marks={"node": ctx.kubernetes, "settled": ctx.image.digest}, kube_ca="one")
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(upkeep())
    assert not ctx.operation


def test_a_host_with_other_roles_alone_is_settled_without_being_a_node() -> None:
    ctx = a_context([a_host("10.0.0.1"), a_host("10.0.0.9", "storage")])
    made = {"node": ctx.kubernetes, "created": "x", "settled": ctx.image.digest}
    ctx.facts["10.0.0.1"] = good_facts("a", marks=made, kube_ca="one")
    ctx.facts["10.0.0.9"] = good_facts("s", marks={"settled": ctx.image.digest})
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(upkeep())
    ctx.facts["10.0.0.9"] = good_facts("s", marks={"rootfs": "x"})
    assert len(phases(ctx, HOOKS, JOURNAL)) == len(add_hosts(HOOKS))
    assert ctx.operation == ("10.0.0.9",)
