"""All that an image for one platform will hold: its layers, what it says of itself, the container images it needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sealpy.errors import ConfigError, Problem, counted
from sealpy.events import Emit, Event, Warned
from sealpy.image.building import copy
from sealpy.image.building.add import Fetcher
from sealpy.image.building.bases import Bases
from sealpy.image.building.builder import Builder
from sealpy.image.building.run import Runner
from sealpy.image.building.wish import Wish
from sealpy.image.building.workshop import Works
from sealpy.image.finding import Found, find, listed
from sealpy.image.manifest import Platform
from sealpy.image.metadata import APP_INSTALLER, Metadata

__all__ = ["Gathered", "begin", "check_lists", "gather", "once"]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Hold what the instructions made, the container images that it names, and the metadata of the image."""

    builder: Builder
    found: Found
    metadata: Metadata


def gather(
    wish: Wish, platform: Platform, *, works: Works, fetcher: Fetcher, bases: Bases, runner: Runner, emit: Emit
) -> Gathered:
    """Perform the instructions for one platform and search what they brought; raises what `build` raises."""
    kubefile = wish.read(platform)
    for notice in kubefile.notices:
        emit(Warned(message=str(notice), hint=notice.hint))
    builder = begin(wish, works=works, fetcher=fetcher, bases=bases, runner=runner)
    for instruction in kubefile.instructions:
        builder.perform(instruction)
    builder.recipe.labels |= wish.labels
    found = _found(wish, builder, emit) if wish.mode == "all" else Found()
    uses = found.uses(platform.architecture)
    type_ = wish.type_ or (APP_INSTALLER if wish.base == "left out" else "")
    return Gathered(builder, found, builder.recipe.metadata(type_=type_, files=builder.held, uses=uses))


def begin(wish: Wish, *, works: Works, fetcher: Fetcher, bases: Bases, runner: Runner) -> Builder:
    """Make the builder that performs the instructions of a Kubefile, with what it works with."""
    return Builder(
        kubefile=wish.kubefile,
        context=copy.Context(wish.context, without=wish.archives(), secret=[one.path for one in wish.private_lists]),
        works=works,
        fetcher=fetcher,
        bases=bases,
        runner=runner,
        network=wish.network,
        base_mode=wish.base,
    )


def _found(wish: Wish, builder: Builder, emit: Emit) -> Found:
    """Search what the instructions brought, and say what may have been missed."""
    says = builder.recipe.metadata(type_=wish.type_, files=builder.held, uses=())
    found = find(
        builder.files,
        metadata=says,
        context=wish.context.resolve(),
        base=builder.base if wish.base == "kept" else None,
        ignored=wish.ignored_images,
    )
    found = _with_lists(wish, found)
    for doubt in found.warnings():  # what a list names after all is none
        emit(Warned(message=str(doubt), hint=doubt.hint))
    return found


def check_lists(wish: Wish) -> None:
    """Read the lists behind options of the build; raises ConfigError for a line that is no reference."""
    _with_lists(wish, Found())


def once(emit: Emit) -> Emit:
    """Say each warning only once, however many platforms it is true of."""
    said: set[str] = set()

    def tell(event: Event) -> None:
        if isinstance(event, Warned):
            if event.message in said:
                return
            said.add(event.message)
        emit(event)

    return tell


def _with_lists(wish: Wish, found: Found) -> Found:
    """Add what the lists behind options of the build name; raises ConfigError for every line that is no reference."""
    mentions = {reference: [*places] for reference, places in found.mentions.items()}
    problems: list[Problem] = []
    for path in wish.image_lists:
        try:
            named, wrong = listed(path.read_bytes(), shown=str(path), path="")
        except OSError as error:
            reason = (error.strerror or "cannot be read").lower()
            raise ConfigError(f"{path}: {reason}", hint="mend the path after --image-list") from error
        problems += wrong
        for mention in named:
            if mention.reference not in wish.ignored_images:
                mentions.setdefault(mention.reference, []).append(mention)
    if problems:
        raise ConfigError(f"{counted(len(problems), 'line')} of --image-list cannot be read", problems=problems)
    for mention in (mention for one in wish.private_lists for mention in one.mentions):
        if mention.reference not in wish.ignored_images:
            mentions.setdefault(mention.reference, []).append(mention)
    return replace(found, mentions=mentions)
