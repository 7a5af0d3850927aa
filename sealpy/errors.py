"""every error we raise on purpose, on one page.

Raise with data, render late: a message is lower case, thing first, value quoted; the hint is a sentence that says what
to do, and names the nearest right word where a word is wrong. Anything else that reaches the command line is a bug
(exit code 70).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

__all__ = [
    "AuthError",
    "BadReferenceError",
    "ClusterfileError",
    "CommandError",
    "CommandTimeoutError",
    "ConfigError",
    "ConnectError",
    "DigestMismatchError",
    "DiskFullError",
    "HostError",
    "HostKeyError",
    "ImageError",
    "InterruptedRunError",
    "KeyFileError",
    "KubeError",
    "KubefileError",
    "MachineError",
    "NotBegunError",
    "NotReadyError",
    "PartlyDoneError",
    "PhaseError",
    "Place",
    "PluginBrokenError",
    "PluginError",
    "PluginFailedError",
    "PreflightError",
    "Problem",
    "RemoteAuthError",
    "RemoteError",
    "SealpyError",
    "StoreError",
    "TemplateError",
    "TransferError",
    "counted",
    "did_you_mean",
    "known_words",
    "nearest",
    "problems_of",
]


class SealpyError(Exception):
    """Tell what went wrong in terms of the thing, and how to go on."""

    code: ClassVar[str] = "error"  # stable, for scripts
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False  # the same may go well later though nobody changes anything: a machine is off

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Place:
    """Say where in a file something stands; line and column count from 1, 0 means unknown."""

    file: Path | str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([str(self.file), *(str(n) for n in (self.line, self.column) if n)])


@dataclass(frozen=True, slots=True)
class Problem:
    """Hold one of several findings that are reported together."""

    message: str
    place: Place | None = None
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class ConfigError(SealpyError):
    """Refuse an input of the user before anything is changed; carries every problem found, each with its place."""

    code = "config"
    exit_code = 2

    def __init__(
        self, message: str, *, place: Place | None = None, problems: Sequence[Problem] = (), hint: str = ""
    ) -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.said = message
        self.place = place
        self.problems = tuple(problems)


class ClusterfileError(ConfigError):
    """Refuse a Clusterfile."""

    code = "config.clusterfile"


class KubefileError(ConfigError):
    """Refuse a Kubefile."""

    code = "config.kubefile"


class TemplateError(ConfigError):
    """Refuse a `.tmpl` file, or a value that it needs and nobody gave."""

    code = "config.template"


class PluginError(ConfigError):
    """Refuse a plugin before it runs, or tell what it does wrong: names plugin and cause."""

    code = "plugin"


class PluginBrokenError(PluginError):
    """Tell that a plugin has a mistake of its own: it raised, hung, ended, or did not keep to the protocol."""

    code = "plugin.broken"


class PreflightError(SealpyError):
    """Report every problem of every host at once."""

    code = "preflight"
    exit_code = 3

    def __init__(self, problems: Mapping[str, Sequence[Problem]], *, hint: str = "") -> None:
        count = sum(len(found) for found in problems.values())
        super().__init__(f"{counted(count, 'problem')} on {counted(len(problems), 'host')}", hint=hint)
        self.problems = {host: tuple(found) for host, found in problems.items()}


class HostError(SealpyError):
    """Report what one host could not do."""

    code = "host"
    exit_code = 3

    def __init__(self, host: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"{host}: {message}", hint=hint)
        self.host = host


class ConnectError(HostError):
    """Report that a host cannot be reached."""

    code = "host.connect"
    retryable = True


class AuthError(ConnectError):
    """Report that a host refuses the login."""

    code = "host.auth"
    retryable = False


class HostKeyError(ConnectError):
    """Stop before any secret is sent: the host is not the one that is known by this name."""

    code = "host.key"
    retryable = False


class CommandError(HostError):
    """Report a command that failed on a host; `tail` holds its last ten lines."""

    code = "host.command"

    def __init__(self, host: str, title: str, *, exit_status: int, tail: Sequence[str], hint: str = "") -> None:
        super().__init__(host, f"{title!r} failed with exit status {exit_status}", hint=hint)
        self.title = title
        self.exit_status = exit_status
        self.tail = tuple(tail)[-10:]


class CommandTimeoutError(CommandError):
    """Report a command that took too long and was ended on the host; it counts as exit status 124."""

    code = "host.command.timeout"

    def __init__(self, host: str, title: str, *, timeout: float, tail: Sequence[str], hint: str = "") -> None:
        super().__init__(host, title, exit_status=124, tail=tail, hint=hint)
        self.message = f"{host}: {title!r} was ended because it took longer than {timeout:g} s"
        self.args = (self.message,)


class TransferError(HostError):
    """Report bytes that did not arrive as they were sent."""

    code = "host.transfer"
    retryable = True


class MachineError(SealpyError):
    """Report a lab machine that could not be made or removed."""

    code = "machine"
    exit_code = 3


class KubeError(SealpyError):
    """Report what the API server refused, in its own words."""

    code = "kube"
    exit_code = 3


class PhaseError(SealpyError):
    """Report a phase that failed: which hosts, and why each."""

    code = "phase"
    exit_code = 4

    def __init__(self, phase: str, errors: Mapping[str, SealpyError], *, hint: str = "") -> None:
        super().__init__(f"phase '{phase}' failed on {', '.join(errors)}", hint=hint)
        self.phase = phase
        self.errors = dict(errors)


class NotBegunError(PhaseError):
    """Report hosts that were not reached, or refused, before anything was begun on any host."""

    code = "phase.not_begun"
    exit_code = 3


class PartlyDoneError(PhaseError):
    """Report a run that did all it had to do but on some hosts: which, and why each."""

    code = "partly"
    exit_code = 7

    def __init__(self, done: str, errors: Mapping[str, SealpyError], *, hint: str = "") -> None:
        super().__init__(done, errors, hint=hint)
        self.message = f"{done}, but not on {', '.join(errors)}"
        self.args = (self.message,)


class PluginFailedError(SealpyError):
    """Report a plugin that failed while it ran: at which hook point, on which hosts, and each cause."""

    code = "plugin.failed"
    exit_code = 4

    def __init__(
        self,
        plugin: str,
        type_: str,
        *,
        hook: str,
        hosts: Sequence[str],
        problems: Sequence[Problem],
        place: Place | None = None,
        hint: str = "",
    ) -> None:
        where = f" on {', '.join(hosts)}" if hosts else ""
        what = f"plugin '{plugin}' ({type_}) failed at {hook}{where}"
        super().__init__(f"{place}: {what}" if place else what, hint=hint)
        self.plugin = plugin
        self.hook = hook
        self.hosts = tuple(hosts)
        self.problems = tuple(problems)
        self.place = place


class ImageError(SealpyError):
    """Report a cluster image that cannot be read, made or moved; carries every problem that was found in it."""

    code = "image"
    exit_code = 5

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class BadReferenceError(ImageError):
    """Refuse a name that is no image reference."""

    code = "image.reference"
    exit_code = 2  # it was typed, or stands in a file


class KeyFileError(ImageError):
    """Refuse the file of a key that signs or verifies, or the passphrase of one."""

    code = "image.key"
    exit_code = 2


class DigestMismatchError(ImageError):
    """Refuse bytes that are not what their digest says."""

    code = "image.digest"


class StoreError(ImageError):
    """Report a local image that is missing, in use or damaged."""

    code = "image.store"


class DiskFullError(StoreError):
    """Report that the disk of this machine has no room, or its quota none, for what is to be written."""

    code = "image.store.full"
    exit_code = 1


class RemoteError(ImageError):
    """Report what an image registry refused, in its own words; `status` is that of its answer, 0 when there is none."""

    code = "image.remote"

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RemoteAuthError(RemoteError):
    """Report that an image registry wants another login, or any."""

    code = "image.remote.auth"


class NotReadyError(SealpyError):
    """Report what was waited for, how long, and what was seen last."""

    code = "not_ready"
    exit_code = 6

    def __init__(self, what: str, *, waited: float, last_seen: str, hint: str = "") -> None:
        seen = last_seen or "nothing"
        super().__init__(f"{what}: not so after {waited:.0f} s; last seen: {seen}", hint=hint)
        self.what = what
        self.waited = waited
        self.last_seen = last_seen


class InterruptedRunError(SealpyError):
    """Report that the operator stopped the run; what was begun was finished, nothing new was started."""

    code = "interrupted"
    exit_code = 130


# ---- words for messages and hints


def problems_of(error: SealpyError) -> tuple[Problem, ...]:
    """Give the problems that an error carries, or what it says itself as the only one, to tell them with others."""
    match error:
        case ConfigError():
            return error.problems or (Problem(error.said, error.place, error.hint),)
        case ImageError():
            return error.problems or (Problem(error.message, hint=error.hint),)
        case _:
            return (Problem(error.message, hint=error.hint),)


def counted(count: int, thing: str) -> str:
    """Give `1 problem` or `2 problems`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word most like this one, whatever the case of either; empty when none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    folded = {other.casefold(): other for other in known}
    return next((folded[close] for close in get_close_matches(word.casefold(), folded, n=1)), "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give the hint `did you mean 'apply'?`; empty when no known word is like this one."""
    return f"did you mean '{near}'?" if (near := nearest(word, known)) else ""


def known_words(known: Iterable[str]) -> str:
    """Give the hint that lists every word there is, for when none is like the wrong one; empty when there are none."""
    return f"known here: {words}" if (words := ", ".join(sorted(known))) else ""
