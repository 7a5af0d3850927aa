"""Events as single lines of text, host first: the words that the plain renderer and the log file share."""

from __future__ import annotations

from sealpy import events as e
from sealpy.cli.renderers.units import duration, rate, size
from sealpy.errors import counted

__all__ = ["line", "without"]


def line(event: e.Event) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per event, like the page of events itself
    """Give the one line of an event: host first where there is one, what, how it went, how long it took."""
    match event:
        case e.RunStarted():
            note = ", a rehearsal: nothing is changed" if event.rehearsal else ""
            return f"{event.action}: cluster '{event.cluster}', {counted(len(event.hosts), 'host')}{note}"
        case e.RunFinished():
            how = "done" if event.ok else "failed"
            sent = f", {size(event.sent)} sent" if event.sent else ""
            return f"{how} in {duration(event.seconds)}: {counted(event.changed, 'change')}{sent}"
        case e.PhaseStarted():
            return f"▶ {event.title} ({counted(len(event.hosts), 'host')})"
        case e.PhaseSkipped():
            return f"- {event.title}: skipped, {event.reason}"
        case e.PhaseFinished():
            changes = f", {counted(event.changed, 'change')}" if event.changed else ""
            failed = f", failed on {counted(len(event.failed), 'host')}" if event.failed else ""
            return f"{'✗' if failed else '✓'} {event.title} … {duration(event.seconds)}{changes}{failed}"
        case e.HookStarted():
            return f"hook {event.hook}: {', '.join(event.plugins)}"
        case e.HookFinished():
            return f"hook {event.hook} … {duration(event.seconds)}"
        case e.PluginStarted() | e.PluginRetrying() | e.PluginOutput() | e.PluginFinished() | e.PluginSkipped():
            return f"plugin {event.plugin}{_plugin(event)}"
        case e.StepStarted():
            return hosted(event.host, f"{event.title} ({event.kind})")
        case e.StepOutput():
            return hosted(event.host, f"{event.title} │ {event.line}")
        case e.StepFinished(error=error) if error:
            return hosted(
                event.host, f"{event.title} … failed after {duration(event.seconds)}: {without(event.host, error)}"
            )
        case e.StepFinished():
            how = "would change" if event.rehearsed else duration(event.seconds)
            return hosted(event.host, f"{event.title} … {how}")
        case e.StepRetrying():
            return hosted(event.host, f"{event.title}: waiting for {duration(event.waited)}, {event.reason}")
        case e.TransferProgress():
            return hosted(event.host, f"{event.title}: {transfer(event)}")
        case e.TaskProgress():
            return f"{event.task}: " + ", ".join(part for part in (event.detail, share(event)) if part)
        case e.TaskOutput():
            return f"{event.task} │ {event.line}"
        case e.TaskFinished():
            detail = f", {event.detail}" if event.detail else ""
            return f"{event.task} … {duration(event.seconds)}{detail}"
        case e.HostKeyAccepted():
            return hosted(event.host, f"new host key accepted: {event.algorithm} {event.fingerprint}")
        case e.Warned():
            hint = f" ({event.hint})" if event.hint else ""
            return hosted(event.host, f"warning: {event.message}{hint}")
        case _:  # an event of a newer engine is better shown by its name than lost
            return event.name


def _plugin(
    event: e.PluginStarted | e.PluginRetrying | e.PluginOutput | e.PluginFinished | e.PluginSkipped,
) -> str:
    """Give what follows the plugin's name."""
    match event:
        case e.PluginStarted():
            terms = f" ({event.terms})" if event.terms else ""
            return f" ({event.type}) at {event.hook}, {counted(len(event.hosts), 'host')}{terms}"
        case e.PluginRetrying():
            failed = f"try {event.attempt} of {event.attempts} failed on {', '.join(event.hosts)}"
            return f": {failed}, next in {duration(event.pause)}: {event.error}"
        case e.PluginOutput():
            return f" │ {f'{event.host} ' if event.host else ''}{event.line}"
        case e.PluginFinished(error=error) if error:
            return f" … failed{', which its document ignores' if event.ignored else ''}: {error}"
        case e.PluginFinished():
            tries = f" at try {event.attempts}" if event.attempts > 1 else ""
            return f" … {duration(event.seconds)}{tries}"
        case e.PluginSkipped():
            return f": skipped at {event.hook}, {event.reason}"


def hosted(host: str, text: str) -> str:
    """Put the host before the text; work on this machine has none."""
    return f"{host}  {text}" if host else text


def without(host: str, message: str) -> str:
    """Take the host off a message that begins with it, where the line names it already."""
    return message.removeprefix(f"{host}: ")


def transfer(event: e.TransferProgress) -> str:
    """Write how far a stream is: bytes of bytes, share, rate."""
    percent = f"{event.sent * 100 // event.total} %" if event.total else ""
    parts = (f"{size(event.sent)} of {size(event.total)}", percent, rate(event.sent, event.seconds))
    return ", ".join(part for part in parts if part)


def share(event: e.TaskProgress) -> str:
    """Write how far a task is, when that is known and it has begun; what `done` counts is the task's own affair."""
    return f"{event.done * 100 // event.total} %" if event.total and event.done else ""
