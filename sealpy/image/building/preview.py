"""What a build would make, without making it: nothing is written into the store, fetched or run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sealpy.errors import Place
from sealpy.events import Emit
from sealpy.image import registry_tree
from sealpy.image.archives import Library
from sealpy.image.building.add import opened
from sealpy.image.building.bases import Bases
from sealpy.image.building.download import Download
from sealpy.image.building.gather import gather, once
from sealpy.image.building.survey import survey
from sealpy.image.building.wish import BaseMode, Wish
from sealpy.image.building.workshop import Line, Rehearsal
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.finding import Found
from sealpy.image.manifest import Platform
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Content
from sealpy.kubefile import Run

__all__ = ["Origin", "Preview", "preview"]

Origin = Literal["archive", "base", "missing"]
"""Where the build would take a container image from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Tell what the image for one platform would hold; `urls` is what the build would fetch."""

    platform: Platform
    base: ClusterImage | None
    base_mode: BaseMode
    lines: tuple[Line, ...]
    urls: tuple[str, ...]
    metadata: Metadata
    found: Found
    origins: Mapping[Reference, Origin]


def preview(wish: Wish, *, store: Store, emit: Emit) -> tuple[Preview, ...]:
    """Tell what `build` would make, for each platform; raises what `build` raises, but for what only doing it shows."""
    emit = once(emit)
    bases = {platform: Bases(store=store, platform=platform) for platform in wish.for_platforms()}
    survey(wish, bases)
    return tuple(_preview(wish, platform, bases[platform], emit) for platform in bases)


def _preview(wish: Wish, platform: Platform, bases: Bases, emit: Emit) -> Preview:
    rehearsal = Rehearsal()
    with tempfile.TemporaryDirectory() as work:
        paper = _OnPaper(Path(work))
        got = gather(wish, platform, works=rehearsal, fetcher=paper, bases=bases, runner=paper, emit=emit)
    base = got.builder.base
    library = Library(wish.archives(), architecture=platform.architecture)
    return Preview(
        platform=platform,
        base=base,
        base_mode=wish.base,
        lines=tuple(rehearsal.lines),
        urls=tuple(paper.urls),
        metadata=got.metadata,
        found=got.found,
        origins={reference: _origin(reference, library, base) for reference in sorted(got.found.mentions)},
    )


def _origin(reference: Reference, library: Library, base: ClusterImage | None) -> Origin:
    if library.find(reference) is not None:
        return "archive"
    return "base" if base and registry_tree.holds(base.files, reference) else "missing"


@dataclass(frozen=True, slots=True)
class _OnPaper:
    """Fetch nothing: an empty file stands for what a URL would give."""

    work: Path
    urls: list[str] = field(default_factory=list)

    def fetch(self, url: str, *, checksum: str, at: Place, pin: Callable[[str], str]) -> Download:  # noqa: ARG002 - the Fetcher's signature
        """Note the URL."""
        self.urls.append(url)
        empty = self.work / "empty"
        empty.touch()
        return Download(empty, 0, checksum)

    def unpack(self, source: Path, *, at: Place) -> Content | None:
        """Look into an archive."""
        return opened(source, at=at, work=self.work)

    def run(self, instruction: Run, held: Mapping[str, Entry], env: Mapping[str, str], at: Place) -> Content:  # noqa: ARG002 - the Runner's
        """Change nothing."""
        return []
