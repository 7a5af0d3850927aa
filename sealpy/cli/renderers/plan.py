"""A plan as text: what a rehearsal recorded, by phase and host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from sealpy.errors import counted

__all__ = ["Planned", "render_plan"]

_NAMED: Final = 3  # hosts that a line names; of more, the number


class Planned(Protocol):
    """Be one step that would change something; what the engine records is one."""

    @property
    def phase(self) -> str:
        """Give the name of its phase."""
        ...

    @property
    def host(self) -> str:
        """Give the address of its host; empty for this machine."""
        ...

    @property
    def title(self) -> str:
        """Give what it would do."""
        ...


def render_plan(entries: Sequence[Planned], terms: Mapping[str, str] | None = None) -> str:
    """Write each phase, its hosts, and a `+` line for each step; hosts that have the same steps stand together.

    `terms` say of a phase what its document asks for: time, tries, what comes of a failure.
    """
    if not entries:
        return "nothing to change"
    phases: dict[str, list[Planned]] = {}
    for entry in entries:
        phases.setdefault(entry.phase, []).append(entry)
    lines = [line for phase, steps in phases.items() for line in (_heading(phase, terms or {}), *_hosts(steps), "")]
    concerned = len({entry.host for entry in entries})
    return "\n".join([*lines, f"{counted(len(entries), 'change')} on {counted(concerned, 'host')}"])


def _heading(phase: str, terms: Mapping[str, str]) -> str:
    return f"{phase} ({terms[phase]})" if phase in terms else phase


def _hosts(steps: Sequence[Planned]) -> Iterator[str]:
    per_host: dict[str, list[str]] = {}
    for step in steps:
        per_host.setdefault(step.host, []).append(step.title)
    alike: dict[tuple[str, ...], list[str]] = {}
    for host, titles in per_host.items():
        alike.setdefault(tuple(titles), []).append(host)
    for shared, hosts in alike.items():
        yield f"  {_names(hosts)}"
        yield from (f"    + {title}" for title in shared)


def _names(hosts: Sequence[str]) -> str:
    shown = ", ".join(host or "this machine" for host in hosts[:_NAMED])
    more = len(hosts) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
