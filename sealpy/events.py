"""every event the engine emits, on one page.

The engine calls `emit(event)`; it never prints. Each class has a stable `name`, which is what `--output json` shows as
`event`; fields are plain data. Times are seconds, sizes are bytes, `host` is the address of a host.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

__all__ = [
    "VERSION",
    "Emit",
    "Event",
    "HookFinished",
    "HookStarted",
    "HostKeyAccepted",
    "PhaseFinished",
    "PhaseSkipped",
    "PhaseStarted",
    "PluginFinished",
    "PluginOutput",
    "PluginRetrying",
    "PluginSkipped",
    "PluginStarted",
    "RunFinished",
    "RunStarted",
    "StepFinished",
    "StepOutput",
    "StepRetrying",
    "StepStarted",
    "TaskFinished",
    "TaskOutput",
    "TaskProgress",
    "TransferProgress",
    "Warned",
]

VERSION = 1  # of the JSON lines; grows when a field changes its meaning or goes away


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Be the root of all events; the sink that receives one adds the time."""

    name: ClassVar[str] = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """Say that an action begins; `rehearsal` tells that nothing will be changed; `roles` are those of `hosts`."""

    name: ClassVar[str] = "run.started"
    run: str
    action: str
    cluster: str
    hosts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    rehearsal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Say how an action ended; `changed` counts the changing steps that were performed."""

    name: ClassVar[str] = "run.finished"
    run: str
    ok: bool
    seconds: float
    changed: int = 0
    sent: int = 0
    phases: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted(Event):
    """Say that a phase begins on these hosts."""

    name: ClassVar[str] = "phase.started"
    phase: str
    title: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseSkipped(Event):
    """Say that a phase has nothing to do, and why."""

    name: ClassVar[str] = "phase.skipped"
    phase: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFinished(Event):
    """Say how a phase ended; `failed` holds host and message."""

    name: ClassVar[str] = "phase.finished"
    phase: str
    title: str
    seconds: float
    changed: int
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HookStarted(Event):
    """Say that a hook point is reached and which plugins it fires, in order."""

    name: ClassVar[str] = "hook.started"
    hook: str
    plugins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFinished(Event):
    """Say that every plugin of a hook point has ended."""

    name: ClassVar[str] = "hook.finished"
    hook: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStarted(Event):
    """Say that a plugin begins on these hosts; `terms` is what its document asks for: time, tries, failures, width."""

    name: ClassVar[str] = "plugin.started"
    plugin: str
    type: str
    hook: str
    hosts: tuple[str, ...]
    terms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRetrying(Event):
    """Say that try `attempt` of a plugin failed on these hosts; the next one begins in `pause` seconds."""

    name: ClassVar[str] = "plugin.retrying"
    plugin: str
    hook: str
    hosts: tuple[str, ...]
    attempt: int
    attempts: int
    pause: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOutput(Event):
    """Carry one line that a plugin printed, or that its command printed on `host`."""

    name: ClassVar[str] = "plugin.output"
    plugin: str
    hook: str
    line: str
    host: str = ""
    stream: str = "stdout"  # or "stderr"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFinished(Event):
    """Say how a plugin ended; `error` is empty when it succeeded, `ignored` tells that the run goes on all the same."""

    name: ClassVar[str] = "plugin.finished"
    plugin: str
    type: str
    hook: str
    seconds: float
    changed: int
    error: str = ""
    attempts: int = 1
    ignored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSkipped(Event):
    """Say why a plugin that belongs to a hook point did not run."""

    name: ClassVar[str] = "plugin.skipped"
    plugin: str
    hook: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Event):
    """Say that a step begins; `kind` is the lower-case name of its class."""

    name: ClassVar[str] = "step.started"
    host: str
    phase: str
    kind: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOutput(Event):
    """Carry one line of a command's output while it runs; `live` tells that the operator wants to see it."""

    name: ClassVar[str] = "step.output"
    host: str
    phase: str
    title: str
    line: str
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Event):
    """Say how a step ended; `rehearsed` tells that it would have changed something and was only recorded."""

    name: ClassVar[str] = "step.finished"
    host: str
    phase: str
    kind: str
    title: str
    seconds: float
    ok: bool
    changed: bool
    rehearsed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetrying(Event):
    """Say what a waiting step saw last and when it looks again."""

    name: ClassVar[str] = "step.retrying"
    host: str
    phase: str
    title: str
    reason: str
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress(Event):
    """Tell how far the stream to one host is."""

    name: ClassVar[str] = "transfer.progress"
    host: str
    title: str
    sent: int
    total: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgress(Event):
    """Tell how far long work on this machine is, such as a build; `total` 0 means unknown."""

    name: ClassVar[str] = "task.progress"
    task: str
    detail: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOutput(Event):
    """Carry one line that a command of work on this machine says; `detail` names the command."""

    name: ClassVar[str] = "task.output"
    task: str
    detail: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """Say that long work on this machine ended."""

    name: ClassVar[str] = "task.finished"
    task: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKeyAccepted(Event):
    """Show the key of a host that was seen for the first time and written to known_hosts."""

    name: ClassVar[str] = "hostkey.accepted"
    host: str
    algorithm: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned(Event):
    """Tell the operator something that does not stop the run."""

    name: ClassVar[str] = "warning"
    message: str
    host: str = ""
    hint: str = field(default="")


Emit = Callable[[Event], None]
