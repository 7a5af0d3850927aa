"""What a plugin receives, and the two styles in which one is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sealpy.sdk.hooks import HookPoint
from sealpy.sdk.steps import Ask, Result, Run, Step, Steps

__all__ = ["ImperativePlugin", "PluginContext", "PluginFailure", "PluginHost", "StepPlugin"]


class PluginFailure(Exception):  # noqa: N818 - the field's word: a plugin reports its failure
    """Be raised by a plugin to fail with a sentence for the operator instead of a traceback."""


@dataclass(frozen=True, slots=True)
class PluginHost:
    """Describe one host of the operation: address, host name, roles and environment."""

    address: str
    name: str
    roles: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


def _no_channel(_address: str, _step: Step) -> Result:
    raise PluginFailure(
        "context.run and context.ask work only while the plugin's run() is called; steps() yields steps"
    )


def _words(argv: Sequence[str]) -> Sequence[str]:
    """Refuse a line for a shell, of which each letter would be a word."""
    if isinstance(argv, str):
        raise TypeError(f"a command is a list of words: {argv.split()}, not {argv!r}")
    return argv


@dataclass(frozen=True, slots=True)
class PluginContext:
    """Tell a plugin why, where and with what it is called.

    `hosts` are those this call concerns (the operation's hosts that `on` or `scope` select); `masters` and `workers`
    are all of the cluster. `leader` is the address of the first control-plane host. `rootfs` is the directory of the
    image's files on every host, which exists from `pre-install` and `PreInit` on. `on` is what the document says there,
    for types that select no hosts by it, `timeout` the seconds that the document gives, 0 for none. `home` is the
    directory of the cluster on the operator's machine. `tell` shows the operator a line, as `print` does out of tree.
    """

    plugin: str
    type: str
    hook: HookPoint
    data: str
    cluster: str
    leader: str
    hosts: tuple[PluginHost, ...]
    masters: tuple[str, ...]
    workers: tuple[str, ...]
    rootfs: str
    env: Mapping[str, str] = field(default_factory=dict)
    rehearsal: bool = False
    on: str = ""
    timeout: float = 0.0
    home: str = ""
    tell: Callable[[str], None] = field(default=print, repr=False, compare=False)
    channel: Callable[[str, Step], Result] = field(default=_no_channel, repr=False, compare=False)

    def host(self, address: str) -> PluginHost:
        """Find a host of this call by its address; raises PluginFailure when it is not among them."""
        for host in self.hosts:
            if host.address == address:
                return host
        raise PluginFailure(f"host {address!r} is not one of {', '.join(h.address for h in self.hosts)}")

    def run(self, host: str, argv: Sequence[str], *, timeout: float = 600.0, title: str = "") -> Result:
        """Change something by a command on a host; recorded, not performed, in a rehearsal. Raises StepFailedError."""
        return self.channel(host, Run(title or " ".join(_words(argv)), *argv, timeout=timeout))

    def ask(self, host: str, argv: Sequence[str], *, timeout: float = 60.0, title: str = "") -> Result:
        """Read by a command on a host, in a rehearsal too; a failing command is an answer: look at `Result.ok`."""
        return self.channel(host, Ask(title or " ".join(_words(argv)), *argv, timeout=timeout))


class StepPlugin(Protocol):
    """Write a plugin as a small phase: called once for each host, yields steps for it."""

    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        """Yield what is to be done on this host."""
        ...


class ImperativePlugin(Protocol):
    """Write a plugin in the imperative style: called once a hook point, acts by `context.run` and `context.ask`."""

    def run(self, context: PluginContext, phase: HookPoint) -> None:
        """Do the work; `Run` is accepted as a name too."""
        ...
