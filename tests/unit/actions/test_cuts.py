"""A run may end at any moment, as by `kill -9`: the next one finishes, comes to the same end, and repeats nothing.

Every scenario is run once undisturbed. Then, for each change it made, it is run again from the same beginning, cut off
behind that change, before sealpy could note that it was made, and run once more to its end.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from sealpy.clusterfile import Clusterfile
from sealpy.kube import Pod
from tests.unit.actions.conftest import FIRST, MINOR, OTHER_APPS, PATCH, World, clusterfile
from tests.unit.actions.fleet import Fleet, Killed

A, B, C, D = (f"10.0.0.{n}" for n in range(1, 5))
Change = tuple[str, str]
# Two plugins that fire early and late in every operation: more of them would only cost time.
SCRIPTS = "".join(
    f"---\nkind: Plugin\nmetadata: {{name: {name}}}\nspec: {{type: SHELL, action: {action}, data: {name}}}\n"
    for name, action in (
        ("early", "pre-install|PreJoin|PreClean|upgrade-host|rollback"),
        ("late", "post-init-host|PostInstall|PostClean|upgrade"),
    )
)
# Steps that take something away look for it themselves, and may be sent again as long as the host is not clean.
TAKES_AWAY = ("unmark", "reset", "kubeadm reset", "stop registry", "distrust", "uninstall engine", "write hosts")
# A ticket for joining is known to one run alone; the next one needs its own.
TICKET = ("kubeadm init phase", "put /etc/kubernetes/kubeadm.yaml", "rm -f /etc/kubernetes/kubeadm.yaml")
# As long as a control plane is to change, every run takes one of its own.
SNAPSHOT = ("take a snapshot", "rm -f -- /var/lib/etcd/")


@dataclass(frozen=True)
class Scenario:
    """From which Clusterfile to which, and from which image to which; no second Clusterfile deletes the cluster."""

    before: Clusterfile | None
    after: Clusterfile | None
    images: tuple[str, str] = (FIRST, FIRST)
    back: bool = False

    def prepare(self, world: World) -> None:
        world.image = world.images[self.images[0]]
        if self.before:
            world.apply(self.before)
            world.fleet.pods["n4"] = [Pod("default", f"web-{n}") for n in range(2)]

    def run(self, world: World) -> None:
        world.image = world.images[self.images[1]]
        if self.after and self.back:
            world.rollback(self.after)
        elif self.after:
            world.apply(self.after)
        elif self.before:
            world.delete(self.before)


SCENARIOS: Mapping[str, Scenario] = {
    "create": Scenario(None, clusterfile([A], [B], plugins=SCRIPTS)),
    "add": Scenario(clusterfile([A], [B]), clusterfile([A, C], [B, D], plugins=SCRIPTS)),
    "remove": Scenario(clusterfile([A, C], [B, D]), clusterfile([A], [B], plugins=SCRIPTS)),
    "replace the leader": Scenario(clusterfile([A, C]), clusterfile([C], [D])),
    "delete": Scenario(clusterfile([A], [B], plugins=SCRIPTS), None),
    "another image": Scenario(clusterfile([A], [B]), clusterfile([A], [B], plugins=SCRIPTS), (FIRST, OTHER_APPS)),
    "another Kubernetes": Scenario(clusterfile([A, C], [D]), clusterfile([A, C], [D], plugins=SCRIPTS), (FIRST, MINOR)),
    "back": Scenario(clusterfile([A], [D]), clusterfile([A], [D], plugins=SCRIPTS), (PATCH, FIRST), back=True),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_that_is_cut_behind_any_change_is_finished_by_the_next_one(
    name: str, make_world: Callable[[], World]
) -> None:
    scenario = SCENARIOS[name]
    origin = make_world()
    scenario.prepare(origin)
    undisturbed = _again(origin, make_world)
    scenario.run(undisturbed)
    whole = list(undisturbed.fleet.log)
    assert len(whole) > 15
    for cut in range(1, len(whole) + 1):
        world = _again(origin, make_world)
        world.fleet.restart(cut=cut)
        with pytest.raises(Killed):
            scenario.run(world)
        first = list(world.fleet.log)
        world.fleet.restart()
        scenario.run(world)
        told = f"cut behind {cut}: {first[-1]}"
        assert _differences(world, undisturbed) == [], told
        assert _repeated(first, world.fleet.log, whole) == Counter(), told


def _differences(world: World, other: World) -> list[str]:
    """Say which parts of two states differ."""
    here, there = world.fleet.state, other.fleet.state
    return [f"{name}: {here.get(name)} instead of {there.get(name)}" for name in there if here.get(name) != there[name]]


def _again(origin: World, make_world: Callable[[], World]) -> World:
    """Give a world in the state of another."""
    world = make_world()
    world.fleet = origin.fleet.copy()
    if origin.home.exists():
        shutil.copytree(origin.home, world.home)
    return world


def _repeated(first: Sequence[Change], second: Sequence[Change], whole: Sequence[Change]) -> Counter[Change]:
    """Give what was done more often than undisturbed, but for what the cut run could not know to be done.

    That is the last change, and what it did on a host behind the last mark there, plugins apart: they have the journal.
    """
    unknown = {first[-1]}
    for host in {where for where, _ in first}:
        done = [what for where, what in first if where == host]
        marks = [n for n, what in enumerate(done) if what.startswith("mark")]
        begun = done[marks[-1] if marks else 0 :]
        unknown |= {(host, what) for what in begun if not what.startswith("plugin")}
    extra = (Counter(first) + Counter(second)) - Counter(whole)
    return Counter({change: n for change, n in extra.items() if change not in unknown and not _is_harmless(change[1])})


def _is_harmless(what: str) -> bool:
    return what in TAKES_AWAY or what.startswith((*TICKET, *SNAPSHOT))


def test_a_fleet_copies_its_machines() -> None:
    fleet = Fleet()
    fleet.machine(A).marks["x"] = "1"
    other = fleet.copy()
    other.machine(A).marks["y"] = "2"
    assert fleet.machine(A).marks == {"x": "1"}
