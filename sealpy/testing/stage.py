"""A stage on which plugins are tried: a small cluster of machines that give scripted answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from sealpy.clusterfile import Plugin, Retry
from sealpy.clusterfile.types import FailurePolicy
from sealpy.connectors.target import Target
from sealpy.engine import Connections, Executor, Journal
from sealpy.errors import Place
from sealpy.events import Event, PluginOutput
from sealpy.inventory import Host, Inventory
from sealpy.plugin import Hook, Limits, Operation, check, discover
from sealpy.sdk import HookPoint
from sealpy.testing.connector import FakeConnector

__all__ = ["Stage", "cluster", "document"]

EventT = TypeVar("EventT", bound=Event)


def cluster(*, masters: Sequence[str] = ("10.0.0.1", "10.0.0.2"), nodes: Sequence[str] = ("10.0.0.3",)) -> Inventory:
    """Give the inventory of a cluster with these addresses."""
    hosts = [Host(target=Target(address=address), roles=("master",)) for address in masters]
    return Inventory((*hosts, *(Host(target=Target(address=address), roles=("node",)) for address in nodes)))


def document(
    name: str = "mine",
    *,
    type_: str = "SHELL",
    actions: Sequence[str] = ("PostInstall",),
    on: str = "",
    scope: str = "",
    data: str = "date\n",
    order: int = 0,
    timeout: float = 0.0,
    retry: Retry = Retry(),  # noqa: B008 - frozen
    failure_policy: FailurePolicy = "Fail",
    parallel: int = 0,
    line: int = 1,
) -> Plugin:
    """Write a document of kind Plugin, as if it stood in a Clusterfile at `line`."""
    return Plugin(
        name=name,
        type=type_,
        actions=tuple(actions),
        on=on,
        scope=scope,
        data=data,
        order=order,
        timeout=timeout,
        retry=retry,
        failure_policy=failure_policy,
        parallel=parallel,
        place=Place("Clusterfile", line),
    )


@dataclass(kw_only=True)
class Stage:
    """Fire plugins as a run would, and keep what was seen: events, printed lines, commands of each machine.

    `hosts` are those of the operation, all by default. `files` are the image's plugin files, path and content. `home`
    stands for the cluster's directory here. `machines` maps each address to a FakeConnector, which can be given answers
    before firing.
    """

    inventory: Inventory = field(default_factory=cluster)
    hosts: tuple[str, ...] = ()
    files: list[tuple[str, bytes]] = field(default_factory=list)
    limits: Limits = field(default_factory=lambda: Limits(deadline=20.0, term_after=0.2, kill_after=0.2))
    rehearsal: bool = False
    journal: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    machine_ids: Mapping[str, str] = field(default_factory=dict)
    rootfs: str = "/var/lib/sealpy/data/my-cluster/rootfs"
    home: Path = Path("/nonexistent")
    events: list[Event] = field(default_factory=list)
    machines: dict[str, FakeConnector] = field(init=False)
    executor: Executor = field(init=False)

    def __post_init__(self) -> None:
        """Set up the machines."""
        self.hosts = self.hosts or self.inventory.addresses
        self.machines = {address: FakeConnector(address) for address in self.inventory.addresses}

    def fire(self, *documents: Plugin, at: HookPoint = HookPoint.POST_INSTALL, image: Sequence[Plugin] = ()) -> None:
        """Check the documents of the Clusterfile and of the image, then fire one hook point.

        Raises PluginError for documents that are refused, PluginFailedError for a plugin that fails.
        """
        bound = check(documents, discover(self.files), self.inventory, image=image)
        self.perform(Hook(at, bound, limits=self.limits))

    def perform(self, hook: Hook) -> None:
        """Fire a hook point of an action's list in a run of its own."""
        self.executor = Executor(
            Connections(lambda address: self.machines[address]),
            emit=self.events.append,
            journal=Journal(self.journal, run="r1", action="apply"),
            rehearsal=self.rehearsal,
        )
        if hook.plugins:
            hook.fire(self._operation, self.executor)

    def fire_file(self, path: Path, *, at: HookPoint = HookPoint.POST_INSTALL, data: str = "", on: str = "") -> None:
        """Fire the plugin that stands in a file."""
        self.fire_source(path.read_text(encoding="utf-8"), name=path.name, at=at, data=data, on=on)

    def fire_source(
        self,
        source: str,
        *,
        name: str = "mine.py",
        at: HookPoint = HookPoint.POST_INSTALL,
        data: str = "",
        on: str = "",
    ) -> None:
        """Fire a plugin that is written out here; its PluginType is MINE when it names none."""
        text = source if "PluginType" in source else f'PluginType = "MINE"\n{source}'
        found = [(f"plugins/{name}", text.encode())]
        self.files.extend(found)
        types = {candidate.type for candidate in discover(found)} - {candidate.type for candidate in discover()}
        self.fire(document(type_=types.pop(), actions=(at.value,), data=data, on=on), at=at)

    def of(self, kind: type[EventT]) -> list[EventT]:
        """Give the events of one class."""
        return [event for event in self.events if isinstance(event, kind)]

    def printed(self, stream: str = "stdout") -> list[str]:
        """Give the lines that plugins printed."""
        return [event.line for event in self.of(PluginOutput) if event.stream == stream]

    def commands(self) -> dict[str, list[tuple[str, ...]]]:
        """Give the commands of each machine that got any."""
        return {address: machine.commands for address, machine in self.machines.items() if machine.commands}

    def _operation(self) -> Operation:
        addresses = self.inventory.addresses
        return Operation(
            machines=self.machine_ids,
            home=str(self.home),
            cluster="my-cluster",
            inventory=self.inventory,
            hosts=self.hosts,
            rootfs=self.rootfs,
            env={address: dict(self.env) for address in addresses},
            names={address: f"host-{address.rpartition('.')[2]}" for address in addresses},
        )
