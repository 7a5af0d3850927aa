"""What a search gives: images with the places that name them, and places that may name one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sealpy.errors import BadReferenceError, Place, Problem
from sealpy.image.finding.likeness import is_explicit, parsed, unresolved
from sealpy.image.finding.rootfs import app_of
from sealpy.image.finding.rules import IMAGE_RULES
from sealpy.image.manifest import Platform
from sealpy.image.metadata import ContainerImageUse, Spot
from sealpy.image.reference import Reference

__all__ = ["IMAGE_LIST", "Doubt", "Found", "Mention", "listed"]

IMAGE_LIST = "manifests/imageList"


@dataclass(frozen=True, slots=True)
class Mention:
    """Say that a place names a container image: `place` in the file as its author knows it, `spot` in the image."""

    reference: Reference
    place: Place
    spot: Spot
    app: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Say that a place looks as if it named a container image and was not taken; `text` is "" when nobody names it.

    `spot.rule` is what kind of place it is, `remedy` the line for `manifests/imageRules` that takes it, or "".
    """

    text: str
    place: Place
    spot: Spot
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Hold which container images a rootfs names, with all places of each, and what may have been missed.

    `inherited` are those of the image that is built upon, with the places that still stand.
    """

    mentions: Mapping[Reference, Sequence[Mention]] = field(default_factory=dict)
    doubts: Sequence[Doubt] = ()
    inherited: Sequence[ContainerImageUse] = ()

    def uses(self, architecture: str) -> tuple[ContainerImageUse, ...]:
        """Give the images, inherited ones too, as the metadata of an image lists them."""
        platform = Platform(architecture=architecture)
        uses = {use.image: use for use in self.inherited}
        for reference, found in self.mentions.items():
            name = str(reference)
            before = uses[name].found_in if name in uses else ()
            places = tuple(dict.fromkeys((*before, *(mention.spot for mention in found))))
            uses[name] = ContainerImageUse(image=name, appName=found[0].app, platform=platform, foundIn=places)
        return tuple(uses[name] for name in sorted(uses))

    def warnings(self) -> list[Problem]:
        """Say what may have been missed: one sentence for all doubts of one kind in one file."""
        kinds: dict[tuple[str, str], list[Doubt]] = defaultdict(list)
        named = {(one.domain, one.path, one.tag) for one in self.mentions}
        for doubt in self.doubts:
            one = parsed(doubt.text)
            if one and (one.domain, one.path, one.tag) in named:
                continue  # a list names it that was added to what the search found
            kinds[str(doubt.place.file), doubt.remedy or doubt.spot.rule].append(doubt)
        return [_warning(doubts) for doubts in kinds.values()]


def _warning(doubts: Sequence[Doubt]) -> Problem:
    first, *more = doubts
    what = first.spot.rule
    if first.text:
        looks = "" if unresolved(first.text) or not is_explicit(first.text) else "looks like a container image and "
        what += f": {first.text!r} {looks}was not taken"
    if more:
        what += f", and {len(more)} more like it in this file"
    hint = f"list what is needed in {IMAGE_LIST}"
    if not first.spot.file:
        hint = f"COPY it, or list its images in {IMAGE_LIST}"
    if first.remedy:
        how = "or take all of them" if first.text else "and say so"
        hint += f", {how} by a line '{first.remedy}' in {IMAGE_RULES}"
    return Problem(what, first.place, hint)


def listed(data: bytes, *, shown: str, path: str = IMAGE_LIST) -> tuple[list[Mention], list[Problem]]:
    """Read a list of images, one a line: what it names, and the lines that are wrong; `#` begins a comment.

    `path` is that of the file in the rootfs, "" for one that is not there.
    """
    found: list[Mention] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        text = line.partition(" #")[0].strip().removeprefix("\ufeff")
        if not text or text.startswith("#"):
            continue
        place = Place(shown, number)
        try:
            spot = Spot(file=path or "--image-list", line=number, rule="image list")
            found.append(Mention(Reference.parse(text), place, spot, app_of(path)))
        except BadReferenceError as error:
            problems.append(Problem(error.message, place, error.hint))
    return found, problems
