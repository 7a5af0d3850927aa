"""What a run looks like at this moment: the events so far, folded into a few plain records."""

from __future__ import annotations

from dataclasses import dataclass, field

from sealpy import events as e

__all__ = ["Activity", "HostTally", "PhaseTime", "Progress"]


@dataclass(slots=True)
class Activity:
    """Hold what one host, or a task on this machine, is doing since when, and how far it is: `sent` of `total`."""

    host: str
    title: str
    since: float
    running: bool = True
    detail: str = ""
    sent: int = 0
    total: int = 0
    seconds: float = 0.0

    @property
    def is_task(self) -> bool:
        """Tell whether this is work on this machine, whose numbers need not be bytes."""
        return not self.host

    def ended(self) -> None:
        """Keep the line, so that the screen does not flicker until the next step begins."""
        self.running = False
        self.detail = ""
        self.sent = self.total = 0


@dataclass(slots=True)
class HostTally:
    """Count what happened to one host in the whole run."""

    role: str = ""
    changed: int = 0
    sent: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """Hold how long a phase took."""

    title: str
    seconds: float


@dataclass(slots=True)
class Progress:
    """Fold events into the state of the run; give it each event once, in their order."""

    started: bool = False
    rehearsal: bool = False
    phase: str = ""
    phase_since: float = 0.0
    hosts: dict[str, HostTally] = field(default_factory=dict)
    times: list[PhaseTime] = field(default_factory=list)
    activities: dict[str, Activity] = field(default_factory=dict)

    def apply(self, event: e.Event, *, time: float) -> None:
        """Take one event into account."""
        match event:
            case e.RunStarted():
                roles = (*event.roles, *[""] * (len(event.hosts) - len(event.roles)))
                self.hosts = {host: HostTally(role=role) for host, role in zip(event.hosts, roles, strict=False)}
                self.started, self.rehearsal = True, event.rehearsal
            case e.PhaseStarted():
                self._begin(event.title, time)
            case e.PhaseFinished():
                self._end(event.title, event.seconds)
                for host, error in event.failed:
                    self._tally(host).error = error
            case e.HookStarted():
                self._begin(f"Plugins at {event.hook}", time)
            case e.HookFinished():
                self._end(f"Plugins at {event.hook}", event.seconds)
            case e.TaskProgress() | e.TaskFinished():
                self._task(event, time)
            case _:
                self._step(event, time)

    def _begin(self, title: str, time: float) -> None:
        self.phase, self.phase_since = title, time
        self.activities.clear()

    def _end(self, title: str, seconds: float) -> None:
        self.times.append(PhaseTime(title, seconds))
        self.phase = ""
        self.activities.clear()

    def _step(self, event: e.Event, time: float) -> None:
        match event:
            case e.StepStarted():
                self.activities[event.host] = Activity(event.host, event.title, since=time)
            case e.StepOutput(line=line) if line.strip():
                self._activity(event.host, event.title, time).detail = line.strip()
            case e.StepRetrying():
                self._activity(event.host, event.title, time).detail = event.reason
            case e.TransferProgress():
                activity = self._activity(event.host, event.title, time)
                activity.sent, activity.total, activity.seconds = event.sent, event.total, event.seconds
            case e.StepFinished():
                activity, tally = self._activity(event.host, event.title, time), self._tally(event.host)
                tally.changed += event.changed and not event.rehearsed
                tally.sent += activity.sent
                activity.ended()
            case _:
                pass

    def _task(self, event: e.TaskProgress | e.TaskFinished, time: float) -> None:
        key = f"task {event.task}"
        if isinstance(event, e.TaskFinished):
            self.activities.pop(key, None)
            return
        activity = self.activities.setdefault(key, Activity("", event.task, since=time))
        activity.detail, activity.sent, activity.total = event.detail, event.done, event.total
        activity.seconds = time - activity.since

    def _activity(self, host: str, title: str, time: float) -> Activity:
        return self.activities.setdefault(host, Activity(host, title, since=time))

    def _tally(self, host: str) -> HostTally:
        return self.hosts.setdefault(host, HostTally())
