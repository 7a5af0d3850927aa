"""What is wrong with a Kubefile, told whole before anything is made.

The instructions are performed on paper, for every platform: nothing is fetched, run, unpacked or written. One that
cannot be performed is noted, and the next is looked at. Of what a wrong instruction would have brought nothing is said:
an app whose files are missing is not missed at LAUNCH as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sealpy.errors import Place, Problem, nearest
from sealpy.image.building.bases import Bases
from sealpy.image.building.builder import Builder
from sealpy.image.building.download import Download
from sealpy.image.building.gather import begin, check_lists
from sealpy.image.building.problems import Problems
from sealpy.image.building.wish import Wish
from sealpy.image.building.workshop import Rehearsal
from sealpy.image.files import Entry
from sealpy.image.manifest import Platform
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Content
from sealpy.kubefile import App, Cni, Copy, Csi, Draft, From, Instruction, Run

__all__ = ["survey"]

_BRING_NO_APP: Final = frozenset({
    "ADD", "APPCMDS", "APPENV", "ARG", "CMD", "CMDS", "COPY", "ENV", "KUBEVERSION", "LABEL", "LAUNCH", "MAINTAINER",
    "RUN",
})  # fmt: skip
_BRING_APPS: Final = frozenset({"APP", "CNI", "CSI", "FROM"})


def survey(wish: Wish, bases: Mapping[Platform, Bases]) -> None:
    """Raise one KubefileError that holds every problem of a Kubefile, for all platforms.

    No image is brought for a Kubefile that is wrong without it: what depends on one that is not here is told when the
    rest is right. Raises ConfigError for lists of images that are wrong, when the Kubefile is right.
    """
    drafts = {platform: wish.draft(platform) for platform in bases}
    far = {platform: _far(draft, bases[platform]) for platform, draft in drafts.items()}
    if any(far.values()):
        told = Problems(wish.kubefile)
        for platform, draft in drafts.items():
            here = [one for one in draft.kubefile.instructions if one not in far[platform]]
            told.add(_problems(wish, draft, bases[platform], here))
        for platform, those in far.items() if told.found else ():
            told.add(_mistyped(wish, those, bases[platform].store))
        told.refuse()
    told = Problems(wish.kubefile)
    for platform, draft in drafts.items():
        told.add(_problems(wish, draft, bases[platform], draft.kubefile.instructions))
    told.refuse()
    check_lists(wish)


def _far(draft: Draft, bases: Bases) -> Sequence[From | Copy]:
    """List what begins with an image that is not here, or takes something out of one."""
    taking = (one for one in draft.kubefile.instructions if isinstance(one, From | Copy))
    return [one for one in taking if one.image and bases.must_bring(one.image)]


def _mistyped(wish: Wish, far: Sequence[From | Copy], store: Store) -> Iterator[Problem]:
    """Tell of images that nobody was asked for yet, and whose names are like those of images that are here."""
    for one in far:
        message = f"image '{one.image}': not among the local images; a registry is asked when the rest is right"
        if near := store.like(Reference.parse(one.image)):
            yield Problem(message, Place(wish.kubefile, one.line), f"did you mean '{near}', which is here?")


def _problems(wish: Wish, draft: Draft, bases: Bases, instructions: Sequence[Instruction]) -> Sequence[Problem]:
    paper = _Paper()
    builder = begin(wish, works=Rehearsal(), fetcher=paper, bases=bases, runner=paper)
    told = Problems(wish.kubefile, [*draft.problems])
    for instruction in _with_one_base(instructions):
        before = len(told.found)
        with told.noted(Place(wish.kubefile, instruction.line)):
            builder.perform(instruction)
        if isinstance(instruction, App | Cni | Csi) and len(told.found) > before:
            builder.recipe.take_for_granted([instruction.name])
    if not _knows_every_app(builder, draft, instructions):
        builder.recipe.take_for_granted(builder.recipe.mentioned)
    builder.recipe.labels |= wish.labels
    told.add(builder.recipe.problems())
    return told.found


def _with_one_base(instructions: Sequence[Instruction]) -> Iterator[Instruction]:
    """Pass over a second FROM, which is told already, and would hide what stands before it."""
    first = next((one for one in instructions if isinstance(one, From)), None)
    return (one for one in instructions if one is first or not isinstance(one, From))


def _knows_every_app(builder: Builder, draft: Draft, instructions: Sequence[Instruction]) -> bool:
    """Tell whether nothing that could bring an app was left out: the base, or a line that could not be read."""
    begun = [one for one in instructions if isinstance(one, From)]
    is_base_known = bool(begun) and (builder.base is not None or begun[0].image == "scratch")
    meant = {nearest(name, _BRING_NO_APP | _BRING_APPS) or name for name in draft.unread}
    return is_base_known and meant <= _BRING_NO_APP


@dataclass(frozen=True, slots=True)
class _Paper:
    """Fetch, unpack and run nothing."""

    def fetch(self, url: str, *, checksum: str, at: Place, pin: Callable[[str], str]) -> Download:  # noqa: ARG002 - the Fetcher's signature
        """Have an empty file in place of what a URL would give."""
        return Download(Path("/dev/null"), 0, checksum)

    def unpack(self, source: Path, *, at: Place) -> Content | None:  # noqa: ARG002 - likewise
        """Leave archives alone: what is in them takes as long to see as to build."""
        return None

    def run(self, instruction: Run, held: Mapping[str, Entry], env: Mapping[str, str], at: Place) -> Content:  # noqa: ARG002 - the Runner's
        """Change nothing."""
        return []
