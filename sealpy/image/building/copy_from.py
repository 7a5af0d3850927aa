"""COPY --from: files out of the rootfs of another image, found by path or pattern, links followed as in the context."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Sequence

from sealpy.errors import DigestMismatchError, KubefileError, Place, did_you_mean
from sealpy.image.building.copy import Target, parts
from sealpy.image.building.problems import Problems
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.tarball import Content, Member, Range, Source

__all__ = ["Placed", "content_of", "place_from", "prove"]

Placed = dict[str, tuple[Member, Source, str]]
"""By the path in the rootfs: the member, its bytes, and the sha256 that they must have (\"\" for no file)."""

_MOST_LINKS = 40  # as Linux follows them


def place_from(
    image: ClusterImage, words: Sequence[str], destination: str, *, at: Place, directories: Collection[str]
) -> Placed:
    """Say what comes into the rootfs.

    `directories` are those that the rootfs has so far. Raises KubefileError for what the image does not have.
    """
    found: list[tuple[str, str]] = []
    problems = Problems(at.file)
    for word in words:
        with problems.noted(at):
            found += [(path.rpartition("/")[2], _followed(image, path, at)) for path in _named(image, word, at)]
    problems.refuse()
    target = Target.of(destination, at=at, directories=directories, count=max(len(found), len(words)))
    placed: Placed = {}
    for name, source in found:
        entry = image.files.get(source)
        if entry is not None and entry.kind != "dir":
            placed[target.takes(name)] = _taken(image, entry, target.takes(name))
            continue
        if target.path:
            placed.setdefault(target.path, (Member(target.path, "dir", 0o755), b"", ""))
        for path, inner in image.files.items():
            if not source or path.startswith(f"{source}/"):
                below = target.below(path[len(source) :].lstrip("/"))
                placed[below] = _taken(image, inner, below)
    return placed


def prove(image: ClusterImage, entries: Sequence[Entry], placed: Placed) -> None:
    """Raise DigestMismatchError when the bytes that were copied are not those that the image lists."""
    for entry in entries:
        _, _, wanted = placed.get(entry.path, (None, None, ""))
        if wanted and entry.sha256 and entry.sha256 != wanted:
            hint = "'sealpy store check' tells what to do"
            raise DigestMismatchError(f"{entry.path}: damaged in image '{image.reference.familiar}'", hint=hint)


def content_of(placed: Placed) -> Content:
    """Give what was placed as the content of a layer."""
    return [(member, source) for member, source, _ in placed.values()]


def _taken(image: ClusterImage, entry: Entry, path: str) -> tuple[Member, Source, str]:
    member = Member(path, entry.kind, entry.mode, entry.size if entry.kind == "file" else 0, entry.target)
    source: Source = Range(image.store.blob_path(entry.layer), entry.offset) if entry.kind == "file" else b""
    return member, source, entry.sha256 if entry.kind == "file" else ""


def _named(image: ClusterImage, word: str, at: Place) -> Iterator[str]:
    """Give the paths that a word means; "" is the whole rootfs."""
    names = parts(word, at)
    path = "/".join(names)
    if not any(char in word for char in "*?["):
        yield path
        return
    found = [candidate for candidate in image.files if _fits(candidate.split("/"), names)]
    if not found:
        message = f"{word!r}: fits no file of image '{image.reference.familiar}'"
        raise KubefileError(
            message, place=at, hint="'*' does not match '/', '**' does; 'sealpy inspect --files' lists them"
        )
    yield from found


def _fits(path: Sequence[str], names: Sequence[str]) -> bool:
    if not names:
        return not path
    if names[0] == "**":
        return any(_fits(path[skipped:], names[1:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], names[0]) and _fits(path[1:], names[1:])


def _followed(image: ClusterImage, path: str, at: Place) -> str:
    """Give the path behind all links on the way; raises KubefileError for one that leads nowhere."""
    done: list[str] = []
    left = path.split("/") if path else []
    links = 0
    while left:
        name = left.pop(0)
        if name in {"", "."}:
            continue
        if name == "..":
            done = done[:-1]
            continue
        entry = image.files.get("/".join([*done, name]))
        if entry is None:
            near = did_you_mean(path, image.files)
            message = f"{path!r}: not in image '{image.reference.familiar}'"
            raise KubefileError(message, place=at, hint=near or "'sealpy inspect --files' lists what is in it")
        if entry.kind != "symlink":
            done.append(name)
            continue
        links += 1
        if links > _MOST_LINKS:
            message = f"{path!r}: links of image '{image.reference.familiar}' lead in a circle"
            raise KubefileError(message, place=at, hint="name what is meant behind the link")
        done = [] if entry.target.startswith("/") else done
        left = [*entry.target.split("/"), *left]
    return "/".join(done)
