"""What a hook must know of the operation in which it fires."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealpy.context import Context
from sealpy.inventory import Inventory
from sealpy.plugin.bound import BoundPlugin
from sealpy.sdk import HookPoint, PluginContext, PluginHost

__all__ = ["Operation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Describe what is going on: the cluster, all its hosts, and the addresses of those that are concerned.

    `env` holds the whole environment of each host by address, `names` the host names that are known already,
    `machines` the machine-ids. `home` is the directory of the cluster on this machine.
    """

    cluster: str
    inventory: Inventory
    hosts: tuple[str, ...]
    rootfs: str
    env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    machines: Mapping[str, str] = field(default_factory=dict)
    home: str = ""

    @classmethod
    def of(cls, ctx: Context) -> Operation:
        """Take from a run's context what plugins may know."""
        return cls(
            cluster=ctx.name,
            inventory=ctx.inventory,
            hosts=ctx.operation,
            rootfs=ctx.rootfs,
            env=ctx.env,
            names={address: facts.name for address, facts in ctx.facts.items()},
            machines={address: facts.machine_id for address, facts in ctx.facts.items()},
            home=str(ctx.home),
        )

    @property
    def leader(self) -> str:
        """Give the address of the first control-plane host."""
        return self.inventory.leader

    @property
    def reachable(self) -> frozenset[str]:
        """Give the hosts that a plugin may address: those of the operation, and the leader, where kubectl works."""
        return frozenset((*self.hosts, self.leader))

    def context(self, bound: BoundPlugin, point: HookPoint, hosts: Sequence[str], *, rehearsal: bool) -> PluginContext:
        """Build what the plugin is called with."""
        return PluginContext(
            plugin=bound.name,
            type=bound.type.type,
            hook=point,
            data=bound.document.data,
            cluster=self.cluster,
            leader=self.leader,
            hosts=tuple(self._host(address) for address in hosts),
            masters=self.inventory.masters,
            workers=self.inventory.workers,
            rootfs=self.rootfs,
            env=dict(self.env.get(self.leader, {})),
            rehearsal=rehearsal,
            on=bound.document.on,
            timeout=bound.document.timeout,
            home=self.home,
        )

    def _host(self, address: str) -> PluginHost:
        host = self.inventory[address]
        return PluginHost(address, self.names.get(address, ""), host.roles, dict(self.env.get(address, host.env)))
