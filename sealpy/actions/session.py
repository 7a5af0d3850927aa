"""One run on one cluster: connections, journal, Ctrl-C, and the report at its end."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from sealpy.connectors import Connector
from sealpy.connectors.interruption import Interruption
from sealpy.context import Context
from sealpy.disk import make_private
from sealpy.engine import Connections, Executor, Journal, Phase, Recorded, run_phases, strict
from sealpy.engine.interrupt import interruptible
from sealpy.errors import InterruptedRunError, PartlyDoneError, Problem, SealpyError
from sealpy.events import Emit, Event, PhaseFinished, PluginStarted, RunFinished, RunStarted, Warned
from sealpy.inventory import Facts, Inventory, Logins

__all__ = ["Report", "Session", "Surroundings", "exclusive", "session"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Say where a run keeps its things, to whom it talks, and whether it only rehearses.

    `home` is `$SEALPY_HOME`. `secret` is told every value that must not be shown, before it can be. `logins` says
    what else than the Clusterfile has a word in how hosts are reached. `plugins` are directories of them. `confirm`
    asks the operator. Up to `max_fail` hosts that are no control planes may fail without ending the run. `drain`
    bounds, in seconds, how long the pods of a host that leaves may take to go; `force` lets it leave without them.
    `drastic` refuses that hosts leave and that Kubernetes changes, because the Clusterfile was made up from the words
    of a command line. `skip` are the ids of checks that are left out. `interruption` ends what waits for machines, with
    the first Ctrl-C.
    """

    home: Path
    emit: Emit
    secret: Callable[[str], None]
    rehearsal: bool = False
    logins: Logins = field(default_factory=Logins)
    skip: frozenset[str] = frozenset()
    plugins: tuple[Path, ...] = ()
    confirm: Callable[[str], bool] = lambda _question: True
    drastic: Literal["asked", "refused"] = "asked"
    max_fail: int = 0
    drain: float = 300.0
    force: bool = False
    interruption: Interruption = field(default_factory=Interruption)

    def cluster_home(self, name: str) -> Path:
        """Give the directory here that belongs to one cluster."""
        return self.home / "clusters" / name

    @property
    def known_hosts(self) -> Path:
        """Give the file of the host keys that were accepted."""
        return self.home / "known_hosts"


class Preparation(Protocol):
    """Say what a session needs: how to reach a host, and how to make the context once there are connections."""

    @property
    def connect(self) -> Callable[[str], Connector]:
        """Give what makes the connector of an address."""
        ...

    @property
    def make_context(self) -> Callable[[Connections, Emit], Context]:
        """Give what makes the context of a run."""
        ...

    @property
    def inventory(self) -> Inventory:
        """Give the hosts."""
        ...


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
    """Run phases until the run is over; `ctx` is what most of them see, `left_out` are the hosts it goes on without."""

    executor: Executor
    ctx: Context
    ways: dict[str, Callable[[str], Connector]]
    surroundings: Surroundings
    plugins: list[PluginStarted] = field(default_factory=list)
    left_out: dict[str, SealpyError] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    def run(self, phases: Iterable[Phase[Context]], *, ctx: Context | None = None) -> None:
        """Run phases in order, by default in the session's own context; raises what ends the run."""
        self.executor.forgive = self._forgive if ctx is None else strict
        run_phases(phases, ctx or self.ctx, self.executor)

    def find_out(self, phases: Iterable[Phase[Context]], *, ctx: Context | None = None) -> dict[str, SealpyError]:
        """Run phases and go on without the hosts that do not answer; gives those, and why."""
        silent: dict[str, SealpyError] = {}
        seen = ctx or self.ctx

        def forgive(errors: Mapping[str, SealpyError]) -> Mapping[str, SealpyError]:
            if any(not error.retryable for error in errors.values()):
                return errors
            silent.update(errors)
            seen.leave_out(errors)
            return {}

        self.executor.forgive = forgive
        run_phases(phases, seen, self.executor)
        return silent

    def prepared(self, preparation: Preparation) -> Context:
        """Give another context of this run: the same connections and facts, other hosts or another leader."""
        for address in preparation.inventory.addresses:
            self.ways.setdefault(address, preparation.connect)
        ctx = preparation.make_context(self.executor.connections, self.executor.emit)
        ctx.facts = dict(self.ctx.facts)
        ctx.leave_out(self.left_out)
        if ctx.inventory.leader == self.ctx.inventory.leader:
            ctx.kube = self.ctx.kube
        return ctx

    def leave_out(self, errors: Mapping[str, SealpyError]) -> None:
        """Go on without these hosts, and tell it now and at the end."""
        self.left_out.update(errors)
        self.ctx.leave_out(errors)
        for host, error in errors.items():
            self.executor.emit(
                Warned(message=f"{error.message}: the run goes on without it", hint=error.hint, host=host)
            )

    def finish(self, done: str) -> Report:
        """Tell what was done; raises PartlyDoneError when that is `done` but not on every host."""
        if self.left_out and not self.executor.rehearsal:
            raise PartlyDoneError(done, self.left_out, hint="mend them and run the same command again")
        return self.report()

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

    def _forgive(self, errors: Mapping[str, SealpyError]) -> Mapping[str, SealpyError]:
        masters = self.ctx.inventory.masters
        fatal = any(host in masters or isinstance(error, InterruptedRunError) for host, error in errors.items())
        if fatal or len({*self.left_out, *errors}) > self.surroundings.max_fail:
            return errors
        self.leave_out(errors)
        return {}


@contextlib.contextmanager
def session(
    action: str,
    surroundings: Surroundings,
    preparation: Preparation,
    *,
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

    ways = dict.fromkeys(preparation.inventory.addresses, preparation.connect)
    connections = Connections(lambda address: ways[address](address), surroundings.interruption)
    ctx = preparation.make_context(connections, emit)
    home = surroundings.cluster_home(ctx.name)
    begin = Journal.rehearsing if surroundings.rehearsal else Journal
    journal = begin(home / "journal.jsonl", run=run, action=action)
    executor = Executor(connections, emit=emit, journal=journal, rehearsal=surroundings.rehearsal)
    begun = Session(executor, ctx, ways, surroundings, plugins)
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
        begun.ctx.kube.close()
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
