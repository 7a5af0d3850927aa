"""Which versions of Kubernetes an image is for: `>= 1.30, < 1.36`, as KUBEVERSION says it.

The words are those of Helm charts and of the ancestor: `=` `!=` `>` `>=` `<` `<=`, `~1.30` (any 1.30.x), `^1.30` (any
1.x from 1.30 on), `1.30.x`, `1.30 - 1.32`; a comma or a blank means and, `||` means or. Parts that are left out are 0,
but in `=`, `~`, `^` and a range, where they may be anything. A pre-release stands before its release.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

__all__ = ["ConstraintError", "allows", "parse"]

Version = tuple[int, int, int, tuple[int, str]]
Check = Callable[[Version], bool]

_VERSION = r"v?(?:\d+|[xX*])(?:\.(?:\d+|[xX*])){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?"
_RANGE = re.compile(rf"({_VERSION})\s+-\s+({_VERSION})")
_TERM = re.compile(rf"\s*,?\s*(?P<operator>=>|=<|>=|<=|!=|~>|[=<>~^])?\s*(?P<version>{_VERSION})(?=[\s,]|$)")
_RELEASE = (1, "")  # greater than any pre-release, which is (0, its text)


class ConstraintError(ValueError):
    """Refuse a text that is no constraint, or no version."""


def allows(constraint: str, version: str) -> bool:
    """Tell whether a version fits a constraint; raises ConstraintError for what is none."""
    match = re.fullmatch(_VERSION, version.strip())
    if match is None or re.search(r"[xX*]", version.split("-", maxsplit=1)[0]):
        raise ConstraintError(f"'{version}' is no version")
    found = _lowest(version.strip())
    return any(all(check(found) for check in checks) for checks in parse(constraint))


def parse(constraint: str) -> tuple[tuple[Check, ...], ...]:
    """Read a constraint into checks: all of one group must hold; raises ConstraintError that names what is wrong."""
    return tuple(_group(text) for text in constraint.split("||"))


def _group(text: str) -> tuple[Check, ...]:
    text = _RANGE.sub(r">=\1, <=\2", text.strip())
    checks: list[Check] = []
    at = 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            raise ConstraintError(f"'{text[at:].strip(' ,') or text}' is no version or range of versions")
        if match["operator"] not in {None, "=", "!="} and not _parts(match["version"]):  # nothing is above any version
            raise ConstraintError(f"'{match[0].strip(' ,')}' is no version or range of versions")
        checks.append(_check(match["operator"] or "=", match["version"]))
        at = match.end()
    if not checks:
        raise ConstraintError("a version is missing")
    return tuple(checks)


def _check(operator: str, text: str) -> Check:
    low, high = _lowest(text), _above(text)
    match operator:
        case "~" | "~>":
            high = _next(low, at=1 if len(_parts(text)) > 1 else 0)
        case "^":
            high = _next(low, at=next((at for at, part in enumerate(low[:3]) if part), 2))
    checks: Mapping[str, Check] = {
        "=": lambda version: low <= version < high,
        "!=": lambda version: not low <= version < high,
        ">": lambda version: version >= high,
        ">=": lambda version: version >= low,
        "<": lambda version: version < low,
        "<=": lambda version: version < high,
    }
    return checks[{"=>": ">=", "=<": "<=", "~": "=", "~>": "=", "^": "="}.get(operator, operator)]


def _parts(text: str) -> list[int]:
    """Give the numbers of a version up to one that may be anything."""
    numbers: list[int] = []
    for part in re.split(r"[-+]", text.removeprefix("v"), maxsplit=1)[0].split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return numbers


def _lowest(text: str) -> Version:
    major, minor, patch = [*_parts(text), 0, 0, 0][:3]
    _, dash, before = text.partition("+")[0].partition("-")
    return (major, minor, patch, (0, before) if dash else _RELEASE)


def _above(text: str) -> Version:
    """Give the first version above all that a text can mean: 1.30 means every 1.30.x."""
    parts = _parts(text)
    low = _lowest(text)
    if len(parts) == 3:  # noqa: PLR2004 - a whole version: only what comes right behind it is above
        return (*low[:3], (low[3][0], low[3][1] + "\0"))
    return _next(low, at=len(parts) - 1) if parts else (1 << 62, 0, 0, _RELEASE)


def _next(low: Version, *, at: int) -> Version:
    numbers = [part + (index == at) if index <= at else 0 for index, part in enumerate(low[:3])]
    return (numbers[0], numbers[1], numbers[2], (0, ""))
