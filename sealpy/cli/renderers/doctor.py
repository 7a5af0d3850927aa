"""What `sealpy plugin doctor` found, as text: each plugin, where it comes from, when and where it would run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sealpy.errors import counted
from sealpy.plugin.code import BuiltIn
from sealpy.plugin.declaration import AT_ONCE, DEADLINE

if TYPE_CHECKING:
    from sealpy.errors import Problem
    from sealpy.plugin.doctor import Diagnosis, Use
    from sealpy.plugin.registry import PluginType

__all__ = ["render_diagnosis"]


def render_diagnosis(diagnosis: Diagnosis) -> str:
    """Write the plugins in the order in which they fire, then notices; problems are for the error that follows."""
    uses = diagnosis.uses
    lines = [_headline(diagnosis), *([""] if uses else [])]
    for use in uses:
        lines += [*_use(use), ""]
    lines += _notices(diagnosis.notices)
    if diagnosis.others:
        lines += [f"read by nothing here: {', '.join(diagnosis.others)}", ""]
    return "\n".join(lines).rstrip("\n")


def _headline(diagnosis: Diagnosis) -> str:
    uses, unseen = diagnosis.uses, diagnosis.unseen
    more = f"image '{unseen}', which is not here, may bring {'more' if uses else 'some'}" if unseen else ""
    if not uses:
        return f"no plugin fires by what is written here; {more}" if more else "no plugin fires"
    wrong = sum(1 for use in uses if use.problems)
    order = (
        f"{wrong} of them wrong, in the order in which they would fire" if wrong else "in the order in which they fire"
    )
    if wrong == len(uses) == 1:
        order = "which is wrong"
    return "\n".join(filter(None, [f"{counted(len(uses), 'plugin')}, {order}", more]))


def _use(use: Use) -> Iterator[str]:
    bound = use.bound
    wrong = f", {counted(use.problems, 'problem')}, see below" if use.problems else ""
    yield f"{'✗' if use.problems else '✓'} {bound.name} ({bound.document.place}){wrong}"
    yield f"    type {_type(bound.type)}"
    if (bound.timeout, bound.parallel) != (DEADLINE, AT_ONCE):
        yield f"    {bound.timeout:g} s of its own time, {counted(bound.parallel, 'host')} at once"
    if bound.terms:
        yield f"    asks for: {bound.terms}"
    for turn in use.turns:
        yield f"    {turn.point} ({', '.join(turn.moment.operations)}): {turn.moment.when}"
        once = "once, about" if bound.type.declaration.once else "on"
        yield f"        {once} {', '.join(turn.hosts) or turn.note}"


def _type(found: PluginType) -> str:
    """Name the code that was chosen, such that another one would be named otherwise."""
    if isinstance(found.code, BuiltIn):
        return f"{found.type}, built in"
    version = f" {found.version}" if found.version else ""
    return f"{found.type}, {found.code}{version}, {found.digest[:19]}"


def _notices(notices: tuple[Problem, ...]) -> Iterator[str]:
    for notice in dict.fromkeys(notices):
        yield f"notice: {notice}{f' ({notice.hint})' if notice.hint else ''}"
    if notices:
        yield ""
