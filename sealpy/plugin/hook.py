"""A hook point as a phase: fire the plugins that belong to it, one after the other, on the hosts each is for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sealpy.context import Context
from sealpy.engine import Executor, Outcomes, Phase
from sealpy.errors import (
    CommandError,
    HostError,
    InterruptedRunError,
    PluginError,
    PluginFailedError,
    Problem,
    SealpyError,
)
from sealpy.events import Event, HookFinished, HookStarted, PluginFinished, PluginOutput, PluginSkipped, PluginStarted
from sealpy.plugin.bind import BoundPlugin, select
from sealpy.plugin.conversation import supervise
from sealpy.plugin.labels import labelled
from sealpy.plugin.limits import Limits
from sealpy.plugin.operation import Operation
from sealpy.plugin.session import Session, Surroundings, open_session
from sealpy.sdk import HookPoint, Steps

__all__ = ["Firing", "Hook"]


class Hook(Phase[Context]):
    """Fire the plugins of one hook point."""

    def __init__(self, point: HookPoint, plugins: Iterable[BoundPlugin], *, limits: Limits | None = None) -> None:
        self.point = point
        self.plugins = tuple(plugin for plugin in plugins if point in plugin.points)
        self._limits = limits

    @property
    def name(self) -> str:
        """Give the name of the hook point, as users write it."""
        return self.point.value

    @property
    def title(self) -> str:
        """Give the name of the hook point, as users write it."""
        return f"hook {self.point.value}"

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Fire every plugin; raises PluginFailedError for the first that fails, after its other hosts have finished."""
        if self.plugins:
            self.fire(Operation.of(ctx), executor)

    def fire(self, operation: Operation, executor: Executor) -> None:
        """Fire every plugin of this point in an operation; a point without plugins is passed over in silence."""
        begun = time.monotonic()
        executor.emit(HookStarted(hook=self.name, plugins=tuple(plugin.name for plugin in self.plugins)))
        for plugin in self.plugins:
            executor.check_interrupted()
            Firing(plugin, self.point, operation, executor, self._limits_of(plugin)).run()
        executor.emit(HookFinished(hook=self.name, seconds=time.monotonic() - begun))

    def _limits_of(self, plugin: BoundPlugin) -> Limits:
        """Give the plugin the time that it asks for, unless this hook allows less."""
        limits = self._limits or Limits(deadline=plugin.timeout)
        return replace(limits, deadline=min(limits.deadline, plugin.timeout))


@dataclass(frozen=True, slots=True)
class Firing:
    """Be one plugin at one hook point in one operation."""

    plugin: BoundPlugin
    point: HookPoint
    operation: Operation
    executor: Executor
    limits: Limits

    def run(self) -> None:
        """Call the plugin, or tell why not; raises PluginFailedError."""
        hosts, reason = self._hosts()
        identity = self._identity(hosts)
        if not reason and self.executor.journal.done(identity):
            reason = "the run that was cut had finished it"
        if reason:
            self._emit(PluginSkipped(plugin=self.plugin.name, hook=self.point, reason=reason))
            return
        begun = time.monotonic()
        type_ = self.plugin.type.type
        self._emit(PluginStarted(plugin=self.plugin.name, type=type_, hook=self.point, hosts=hosts))
        error = ""
        changed = 0
        try:
            changed = self._call(hosts)
        except SealpyError as failed:
            error = failed.message
            raise
        finally:
            seconds = time.monotonic() - begun
            self._emit(
                PluginFinished(
                    plugin=self.plugin.name,
                    type=type_,
                    hook=self.point,
                    seconds=seconds,
                    changed=changed,
                    error=error,
                )
            )
        if not self.executor.rehearsal:
            self.executor.journal.mark(identity)

    def _call(self, hosts: Sequence[str]) -> int:
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
        except PluginError as error:
            raise self._failed({"": error}) from error
        if outcomes.errors:
            raise self._failed(outcomes.errors) from next(iter(outcomes.errors.values()))
        return outcomes.changed

    def _fan_out(self, session: Session, hosts: Sequence[str]) -> Outcomes:
        """Work on all hosts at once, or, when the plugin looks after the hosts itself, once."""
        limit, reachable = self.limits.steps, self.operation.reachable

        def steps(host: str) -> Steps:
            return supervise(session.begin(host), host=host, reachable=reachable, limit=limit)

        phase = f"{self.point}/{self.plugin.name}"
        return self.executor.fan_out(phase, hosts if session.per_host else ("",), steps)

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

    def _identity(self, hosts: Sequence[str]) -> str:
        """Name this firing for the journal; a host that was installed anew since is another one by its machine-id."""
        document = self.plugin.document
        machines = (f"{host} {self.operation.machines.get(host, '')}" for host in hosts)
        parts = (self.plugin.name, self.plugin.type.digest, document.data, document.on, document.scope, *machines)
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"plugin {self.plugin.name} {self.point} {digest}"

    def _failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Name plugin, hook point, hosts and causes in one error; a Ctrl-C stays what it is."""
        for error in errors.values():
            if isinstance(error, InterruptedRunError):
                return error
        return PluginFailedError(
            self.plugin.name,
            self.plugin.type.type,
            hook=self.point,
            hosts=[host for host in errors if host],
            problems=_causes(errors),
            place=self.plugin.document.place,
            hint=next((error.hint for error in errors.values() if error.hint), ""),
        )

    def _emit(self, event: Event) -> None:
        self.executor.emit(event)

    def _print(self, line: str, stream: str) -> None:
        self._emit(PluginOutput(plugin=self.plugin.name, hook=self.point, line=line, stream=stream))


def _causes(errors: Mapping[str, SealpyError]) -> list[Problem]:
    """Tell what happened on each host, with the last lines of the command that failed; the same is told once."""
    hosts: dict[str, list[str]] = {}
    for host, error in errors.items():
        tail = error.tail if isinstance(error, CommandError) else ()
        hosts.setdefault("\n  ".join((error.message, *tail)), []).append("" if isinstance(error, HostError) else host)
    return [Problem(": ".join(filter(None, (", ".join(named), cause)))) for cause, named in hosts.items()]
