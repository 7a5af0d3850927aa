"""One plugin at one hook point: on which hosts, how often, and what comes of a failure."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealpy.engine import Executor, Outcomes
from sealpy.errors import CommandError, HostError, InterruptedRunError, PluginFailedError, Problem, SealpyError
from sealpy.events import PluginFinished, PluginOutput, PluginRetrying, PluginSkipped, PluginStarted
from sealpy.plugin.bind import select
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.conversation import supervise
from sealpy.plugin.deadline import Deadline
from sealpy.plugin.labels import labelled
from sealpy.plugin.limits import Limits
from sealpy.plugin.moments import ADD, MOMENTS
from sealpy.plugin.operation import Operation
from sealpy.plugin.session import Session, Surroundings, open_session
from sealpy.sdk import HookPoint, Steps

__all__ = ["Firing"]


@dataclass(slots=True)
class _Tally:
    """Count what came of a firing so far; `errors` are those of the last try, by host, "" for the plugin as a whole."""

    attempts: int = 0
    changed: int = 0
    errors: Mapping[str, SealpyError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Firing:
    """Be one plugin at one hook point in one operation."""

    plugin: BoundPlugin
    point: HookPoint
    operation: Operation
    executor: Executor
    limits: Limits

    def run(self) -> None:
        """Call the plugin, or tell why not; raises PluginFailedError, unless its document ignores failures."""
        try:
            hosts, reason = self._hosts()
        except PluginFailedError as unanswered:
            if not self._ignored(unanswered):
                raise
            hosts, reason = (), f"{unanswered.problems[0].message}; its document ignores that"
        left = tuple(host for host in hosts if not self.executor.journal.done(self._identity(host)))
        if not reason and not left:
            reason = "the run that was cut had finished it"
        if reason:
            self.executor.emit(PluginSkipped(plugin=self.plugin.name, hook=self.point, reason=reason))
            return
        tally = _Tally()
        error = self._work(left, tally)
        if error is None:
            self._note(left)
        elif not (self._ignored(error) or self._may_leave_out(tally.errors, error)):
            raise error

    def _may_leave_out(self, errors: Mapping[str, SealpyError], error: SealpyError) -> bool:
        """Tell whether the run goes on without the hosts on which the plugin failed.

        They join by a later run, so that it may only where the plugin fires for them then.
        """
        if isinstance(error, InterruptedRunError) or "" in errors or ADD not in MOMENTS[self.point].operations:
            return False
        return not self.executor.forgive({host: self._failed({host: cause}) for host, cause in errors.items()})

    def _work(self, hosts: tuple[str, ...], tally: _Tally) -> SealpyError | None:
        """Call the plugin, as often as its document allows, between the events of its start and end."""
        name, type_, begun = self.plugin.name, self.plugin.type.type, time.monotonic()
        self.executor.emit(
            PluginStarted(plugin=name, type=type_, hook=self.point, hosts=hosts, terms=self.plugin.terms)
        )
        error: SealpyError | None = None
        try:
            self._try(hosts, tally)
            error = self._failed(tally.errors) if tally.errors else None
        except InterruptedRunError as interrupted:
            error = interrupted
        self.executor.emit(
            PluginFinished(
                plugin=name,
                type=type_,
                hook=self.point,
                seconds=time.monotonic() - begun,
                changed=tally.changed,
                error=error.message if error else "",
                attempts=tally.attempts,
                ignored=error is not None and self._ignored(error),
            )
        )
        return error

    def _try(self, hosts: Sequence[str], tally: _Tally) -> None:
        """Call the plugin until it succeeds or its tries are used up; again only for the hosts on which it failed."""
        retry = self.plugin.document.retry
        attempts = 1 if self.executor.rehearsal else retry.attempts
        for attempt in range(1, attempts + 1):
            tally.attempts = attempt
            tally.errors = self._call(hosts, tally)
            if not tally.errors or attempt == attempts:
                return
            failed = tuple(host for host in tally.errors if host)
            hosts = tuple(hosts) if "" in tally.errors else failed
            self.executor.emit(
                PluginRetrying(
                    plugin=self.plugin.name,
                    hook=self.point,
                    hosts=hosts,
                    attempt=attempt,
                    attempts=attempts,
                    pause=retry.backoff,
                    error=_causes(tally.errors)[0].message,
                )
            )
            self.executor.pause(retry.backoff)

    def _call(self, hosts: Sequence[str], tally: _Tally) -> Mapping[str, SealpyError]:
        """Call the plugin once; gives what went wrong, by host. A Ctrl-C is raised."""
        context = self.operation.context(self.plugin, self.point, hosts, rehearsal=self.executor.rehearsal)
        around = Surroundings(
            limits=self.limits,
            show=lambda line: self._print(line, "stdout"),
            log=lambda line: self._print(line, "stderr"),
            check_interrupted=self.executor.check_interrupted,
        )
        try:
            with open_session(self.plugin.type.code, context, around) as session:
                outcomes = self._fan_out(session, hosts)
        except InterruptedRunError:
            raise
        except SealpyError as failed:
            return {"": failed}
        tally.changed += outcomes.changed
        for error in outcomes.errors.values():
            if isinstance(error, InterruptedRunError):
                raise error
        return outcomes.errors

    def _fan_out(self, session: Session, hosts: Sequence[str]) -> Outcomes:
        """Work on all hosts at once, or, when the plugin looks after the hosts itself, once."""
        limit, reachable, seconds = self.limits.steps, self.operation.reachable, self.plugin.document.timeout

        def steps(host: str) -> Steps:
            deadline = Deadline(seconds)
            begun = session.begin(host)
            value = yield from supervise(begun, host=host, reachable=reachable, limit=limit, deadline=deadline)
            if session.per_host:  # a run that is cut while others are busy must not do it here again
                self._note([host])
            return value

        phase = f"{self.point}/{self.plugin.name}"
        return self.executor.fan_out(phase, hosts if session.per_host else ("",), steps, at_once=self.plugin.parallel)

    def _hosts(self) -> tuple[tuple[str, ...], str]:
        """Give the hosts on which the plugin is to work, and if there are none, why."""
        scope = self.plugin.scope(self.point)
        if scope.label:
            try:
                return labelled(self.executor, self.operation, self.point, scope.label)
            except HostError as error:
                raise self._failed({error.host: error}) from error
        selected = select(scope, self.operation.inventory)
        concerned = (self.operation.leader,) if self.point.on_leader else self.operation.hosts
        words = "|".join(scope.words)
        if not selected:
            return (), f"'{words}' selects no host of this cluster"
        hosts = tuple(address for address in concerned if address in selected)
        return hosts, "" if hosts else f"'{words or 'all'}' selects no host of this operation"

    def _note(self, hosts: Sequence[str]) -> None:
        """Note in the journal that the plugin has done its work for these hosts."""
        for host in hosts if not self.executor.rehearsal else ():
            self.executor.journal.mark(self._identity(host))

    def _identity(self, host: str) -> str:
        """Name this firing on a host for the journal; one that was installed anew is another one by its machine-id."""
        document = self.plugin.document
        machine = f"{host} {self.operation.machines.get(host, '')}"
        parts = (self.plugin.name, self.plugin.type.digest, document.data, document.on, document.scope, machine)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"plugin {self.plugin.name} {self.point} {digest}"

    def _ignored(self, error: SealpyError) -> bool:
        """Tell whether the document lets the run go on; a Ctrl-C ends it in any case."""
        return self.plugin.document.failure_policy == "Ignore" and not isinstance(error, InterruptedRunError)

    def _failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Name plugin, hook point, hosts and causes in one error."""
        error = PluginFailedError(
            self.plugin.name,
            self.plugin.type.type,
            hook=self.point,
            hosts=[host for host in errors if host],
            problems=_causes(errors),
            place=self.plugin.document.place,
            hint=next((error.hint for error in errors.values() if error.hint), ""),
        )
        error.__cause__ = next(iter(errors.values()))
        return error

    def _print(self, line: str, stream: str) -> None:
        self.executor.emit(PluginOutput(plugin=self.plugin.name, hook=self.point, line=line, stream=stream))


def _causes(errors: Mapping[str, SealpyError]) -> list[Problem]:
    """Tell what happened on each host, with the last lines of the command that failed; the same is told once."""
    hosts: dict[str, list[str]] = {}
    for host, error in errors.items():
        tail = error.tail if isinstance(error, CommandError) else ()
        hosts.setdefault("\n  ".join((error.message, *tail)), []).append("" if isinstance(error, HostError) else host)
    return [Problem(": ".join(filter(None, (", ".join(named), cause)))) for cause, named in hosts.items()]
