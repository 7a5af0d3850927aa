"""One run on one cluster: connections, journal, Ctrl-C, and the report at its end."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sealpy.connectors import Connector
from sealpy.context import Context
from sealpy.disk import make_private
from sealpy.engine import Connections, Executor, Journal, Phase, Recorded, run_phases
from sealpy.engine.interrupt import interruptible
from sealpy.errors import Problem, SealpyError
from sealpy.events import Emit, Event, PhaseFinished, PluginStarted, RunFinished, RunStarted, Warned
from sealpy.inventory import Facts, Logins

__all__ = ["Report", "Session", "Surroundings", "exclusive", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Say where a run keeps its things, to whom it talks, and whether it only rehearses.

    `home` is `$SEALPY_HOME`. `secret` is told every value that must not be shown, before it can be. `logins` says
    what else than the Clusterfile has a word in how hosts are reached.
    """

    home: Path
    emit: Emit
    secret: Callable[[str], None]
    rehearsal: bool = False
    logins: Logins = field(default_factory=Logins)

    def cluster_home(self, name: str) -> Path:
        """Give the directory here that belongs to one cluster."""
        return self.home / "clusters" / name

    @property
    def known_hosts(self) -> Path:
        """Give the file of the host keys that were accepted."""
        return self.home / "known_hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tell what a run did: changed steps, payload bytes, what a rehearsal recorded, plugins, exchanges by host."""

    changed: int
    sent: int
    recorded: tuple[Recorded, ...]
    plugins: tuple[PluginStarted, ...] = ()
    round_trips: Mapping[str, int]
    facts: Mapping[str, Facts]
    seconds: float


@dataclass(slots=True)
class Session:
    """Run phases in one context until the run is over."""

    executor: Executor
    ctx: Context
    plugins: list[PluginStarted] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    def run(self, phases: Iterable[Phase[Context]]) -> None:
        """Run phases in order; raises what ends the run."""
        run_phases(phases, self.ctx, self.executor)

    def report(self) -> Report:
        """Tell what was done so far."""
        return Report(
            changed=self.executor.changed,
            sent=self.executor.sent,
            recorded=tuple(self.executor.recorded),
            plugins=tuple(self.plugins),
            round_trips=self.executor.connections.round_trips(),
            facts=dict(self.ctx.facts),
            seconds=time.monotonic() - self.begun,
        )


@contextlib.contextmanager
def session(
    action: str,
    surroundings: Surroundings,
    *,
    connect: Callable[[str], Connector],
    make_context: Callable[[Connections, Emit], Context],
    notices: Iterable[Problem] = (),
) -> Generator[Session]:
    """Open a run, tell the notices, each once, and end the run whatever happens."""
    run = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)
    phases: list[tuple[str, float]] = []
    plugins: list[PluginStarted] = []

    def emit(event: Event) -> None:
        if isinstance(event, PhaseFinished):
            phases.append((event.title, event.seconds))
        if isinstance(event, PluginStarted):
            plugins.append(event)
        surroundings.emit(event)

    connections = Connections(connect)
    ctx = make_context(connections, emit)
    home = surroundings.cluster_home(ctx.name)
    begin = Journal.rehearsing if surroundings.rehearsal else Journal
    journal = begin(home / "journal.jsonl", run=run, action=action)
    executor = Executor(connections, emit=emit, journal=journal, rehearsal=surroundings.rehearsal)
    begun = Session(executor, ctx, plugins)
    ok = False
    emit(
        RunStarted(
            run=run,
            action=action,
            cluster=ctx.name,
            hosts=ctx.inventory.addresses,
            roles=tuple(", ".join(host.roles) for host in ctx.inventory),
            rehearsal=surroundings.rehearsal,
        )
    )
    for notice in dict.fromkeys(notices):
        emit(Warned(message=str(notice), hint=notice.hint))
    try:
        with interruptible(executor):
            yield begun
        ok = True
    finally:
        journal.finish(ok=ok)
        ctx.kube.close()
        connections.close()
        emit(
            RunFinished(
                run=run,
                ok=ok,
                seconds=time.monotonic() - begun.begun,
                changed=executor.changed,
                sent=executor.sent,
                phases=tuple(phases),
            )
        )


@contextlib.contextmanager
def exclusive(home: Path) -> Generator[None]:
    """Hold the lock of a cluster's directory here; raises SealpyError when another run on this machine holds it."""
    make_private(home)
    with (home / "lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SealpyError(
                f"another run on this machine is busy with {home.name!r}", hint="wait for it, or stop it with Ctrl-C"
            ) from error
        yield
