"""ADD: like COPY, and also what stands behind URLs and what is in archives of the build context."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from typing import Protocol

from sealpy.errors import DigestMismatchError, ImageError, KubefileError, Place
from sealpy.events import Emit, Warned
from sealpy.image.building.copy import Context, Target, placed, written_out
from sealpy.image.building.download import Download, download, name_of
from sealpy.image.building.unpack import unpacked
from sealpy.image.progress import Progress
from sealpy.image.remote.tls import Tls
from sealpy.image.tarball import Content, Member
from sealpy.kubefile import Add

__all__ = ["Downloads", "Fetcher", "is_url", "opened", "place_added"]


def is_url(source: str) -> bool:
    """Tell whether a source is fetched."""
    return source.startswith(("http://", "https://"))


class Fetcher(Protocol):
    """Bring what stands behind URLs: really, or on paper only."""

    def unpack(self, source: Path, *, at: Place) -> Content | None:
        """Give what is in an archive, None for what is none. Raises KubefileError."""

    def fetch(self, url: str, *, checksum: str, at: Place, pin: Callable[[str], str]) -> Download:
        """Fetch one file; `pin` gives the hint for one without a checksum. Raises KubefileError and ImageError."""


@dataclass(frozen=True, slots=True)
class Downloads:
    """Fetch URLs into the directory `work`, tell how far it is, and say so when nothing holds the bytes still."""

    work: Path
    progress: Progress
    emit: Emit
    tls: Tls = field(default_factory=Tls)

    def fetch(self, url: str, *, checksum: str, at: Place, pin: Callable[[str], str]) -> Download:
        """Fetch one file; `pin` gives the hint for one without a checksum. Raises KubefileError and ImageError."""

        def begin(size: int) -> Callable[[int], None]:
            return self.progress.step(f"fetch {url}", total=size)

        try:
            found = download(url, work=self.work, checksum=checksum, tls=self.tls, begin=begin)
        except DigestMismatchError as error:
            raise DigestMismatchError(f"{at}: {error.message}", hint=error.hint) from error
        except ImageError as error:
            raise KubefileError(error.message, place=at, hint=error.hint) from error
        if not checksum:
            message = f"{at}: '{url}' may hold other bytes tomorrow; today they are {found.checksum}"
            self.emit(Warned(message=message, hint=pin(found.checksum)))
        return found

    def unpack(self, source: Path, *, at: Place) -> Content | None:
        """Give what is in an archive, None for what is none. Raises KubefileError for a damaged one."""
        return opened(source, at=at, work=self.work)


def place_added(
    context: Context, instruction: Add, *, at: Place, directories: Collection[str], fetcher: Fetcher
) -> Content:
    """Say what an ADD brings into the rootfs; `directories` are those that it has so far.

    Raises KubefileError with the place, ImageError for a damaged archive or other bytes than the checksum says.
    """
    urls = [source for source in instruction.sources if is_url(source)]
    local = context.sources([source for source in instruction.sources if not is_url(source)], at)
    count = max(len(local) + len(urls), len(instruction.sources)) + len(instruction.documents)
    target = Target.of(instruction.destination, at=at, directories=directories, count=count)
    content: Content = []
    for name, source in local:
        inside = fetcher.unpack(source, at=at)
        if inside is None:
            content += placed(context, target, name, source)
        else:
            content += [(changed(member, path=target.below(member.path)), found) for member, found in inside]
    for url in urls:
        content.append(_fetched(url, instruction, target, at=at, fetcher=fetcher))
    return content + [written_out(target, document) for document in instruction.documents]


def opened(source: Path, *, at: Place, work: Path) -> Content | None:
    """Give what is in an archive, None for what is none; `work` is for what is in between. Raises KubefileError."""
    try:
        return unpacked(source, work=work) if source.is_file() else None
    except ImageError as error:
        raise KubefileError(f"ADD: {error.message}", place=at, hint=error.hint) from error


def _fetched(url: str, instruction: Add, target: Target, *, at: Place, fetcher: Fetcher) -> tuple[Member, Path]:
    name = name_of(url)
    if target.is_directory and not name:
        raise KubefileError(f"ADD: '{url}' names no file", place=at, hint="write the name of the file as destination")
    found = fetcher.fetch(url, checksum=instruction.checksum, at=at, pin=lambda sum_: f"write ADD --checksum={sum_}")
    return Member(target.takes(name), size=found.size), found.path
