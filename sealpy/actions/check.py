"""Put machines to every check, before anything is made of them; nothing on them is changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sealpy.actions.environment import network_env
from sealpy.actions.review import prepared
from sealpy.actions.session import Surroundings
from sealpy.checks import Found, Needs, inspect, refuse_unknown
from sealpy.clusterfile import Clusterfile
from sealpy.connectors.reach import Ways
from sealpy.engine import Connections, Executor, Journal, Outcomes, telling
from sealpy.engine.interrupt import interruptible
from sealpy.errors import SealpyError
from sealpy.image.cluster_image import ClusterImage
from sealpy.inventory import Facts, Inventory, gather_facts
from sealpy.phases.check_ways import WAYS, WHY_WAYS, find_blocked, ways_between
from sealpy.phases.preflight import needs_of
from sealpy.sdk import Steps

__all__ = ["EXPLAINED", "Checked", "check", "needs_without_image", "refuse_skips"]

_CONNECT, _ROOT = "connect", "root"
_WHY_CONNECT = "what cannot be reached cannot be made a node"
_WHY_ROOT = "most of what makes a node is root's to do"
# The checks that are not made on facts: their ids, and why they are made.
EXPLAINED = ((_CONNECT, _WHY_CONNECT), (_ROOT, _WHY_ROOT), (WAYS, WHY_WAYS))

_AT_ONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Tell what was found, on which hosts, and how long it took."""

    hosts: tuple[str, ...]
    found: tuple[Found, ...]
    seconds: float

    def count(self, severity: str) -> int:
        """Count the findings of a severity."""
        return sum(one.severity == severity for one in self.found)


def check(clusterfile: Clusterfile, image: ClusterImage | None, surroundings: Surroundings) -> Checked:
    """Look at all hosts at once; one that cannot be reached is a finding like any other.

    Without an image its processor, its size and its plugins are not looked at. Raises one error with everything that is
    wrong in the Clusterfile.
    """
    refuse_skips(surroundings.skip)
    begun = time.monotonic()
    preparation = prepared(clusterfile, image, surroundings)[0] if image else None
    inventory = preparation.inventory if preparation else Inventory.of(clusterfile.cluster, surroundings.logins)
    for secret in (*clusterfile.cluster.secrets, *inventory.secrets):
        surroundings.secret(secret)
    stop = surroundings.interruption
    ways = Ways(known_hosts=surroundings.known_hosts, emit=surroundings.emit, interruption=stop)
    connections = Connections(lambda address: ways.to(inventory[address].target), stop)
    with contextlib.closing(connections):
        ctx = preparation.make_context(connections, surroundings.emit) if preparation else None
        needs = needs_of(ctx) if ctx else needs_without_image(clusterfile, inventory)
        survey = _Survey(Executor(connections, emit=surroundings.emit, journal=Journal(None, run="", action="check")))
        with interruptible(survey.executor):
            found = survey.look(inventory, f"{clusterfile.cluster.data_root}/{clusterfile.cluster.name}")
            left = inventory.without(set(inventory.addresses) - set(survey.facts))
            found += inspect(left, survey.facts, replace(needs, leader=inventory.leader), skip=surroundings.skip)
            if WAYS not in surroundings.skip:
                found += survey.knock(left, needs)
    order = {address: number for number, address in enumerate(inventory.addresses)}
    ordered = sorted(
        (one for one in found if one.check not in surroundings.skip),
        key=lambda one: (order.get(one.host, -1), one.severity != "error"),
    )
    return Checked(hosts=inventory.addresses, found=tuple(ordered), seconds=time.monotonic() - begun)


def refuse_skips(skip: Iterable[str]) -> None:
    """Raise ConfigError for the id of no check, and for that of one which cannot be left out."""
    refuse_unknown(skip, more=(WAYS,), fixed=(_CONNECT, _ROOT))


def needs_without_image(clusterfile: Clusterfile, inventory: Inventory) -> Needs:
    """Say what is asked of the machines, as far as the Clusterfile alone says; raises ClusterfileError."""
    cluster, env = clusterfile.cluster, network_env(clusterfile)
    return Needs(
        data_root=cluster.data_root,
        pods=_texts(env.get("PodCIDR", "")),
        services=_texts(env.get("SvcCIDR", "")),
        registry_hosts=inventory.masters if cluster.registry.local.ha else (inventory.leader,),
        registry_port=cluster.registry.local.port,
    )


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


class _Survey:
    """Ask all hosts the same, and tell how far that is."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.facts: Mapping[str, Facts] = {}

    def look(self, inventory: Inventory, directory: str) -> list[Found]:
        """Gather the facts of every host that can be reached, and tell why others cannot."""
        outcomes = self._told(
            "gather_facts", "Look at the hosts", inventory.addresses, lambda _: gather_facts(directory)
        )
        self.facts = {host: facts for host, facts in outcomes.values.items() if isinstance(facts, Facts)}
        found = [_unreached(host, error) for host, error in outcomes.errors.items()]
        return found + [_not_root(host) for host, facts in self.facts.items() if facts.uid != 0]

    def knock(self, inventory: Inventory, needs: Needs) -> list[Found]:
        """Try every way between hosts that is needed."""
        wanted = ways_between(inventory, self.facts, needs)
        if not wanted:
            return []
        with telling(self.executor, "check_ways", "Check that the hosts reach each other", wanted) as told:
            found = [one for _, one in find_blocked("check_ways", self.executor, wanted, self.facts)]
            told.failed += [(one.host, one.message) for one in found]
        return found

    def _told(self, phase: str, title: str, hosts: Sequence[str], steps: Callable[[str], Steps]) -> Outcomes:
        with telling(self.executor, phase, title, hosts) as told:
            outcomes = self.executor.fan_out(phase, hosts, steps, at_once=_AT_ONCE)
            told.failed += [(host, error.message) for host, error in outcomes.errors.items()]
        self.executor.check_interrupted()
        return outcomes


def _unreached(host: str, error: SealpyError) -> Found:
    return Found(host, _CONNECT, "error", error.message, _WHY_CONNECT, error.hint)


def _not_root(host: str) -> Found:
    return Found(host, _ROOT, "error", "commands do not run as root", _WHY_ROOT, "log in as root or allow sudo")
