"""COPY: which files of the context go where in the rootfs.

As in Docker: several sources and globs; a directory stands for its content; a destination that ends with `/`, that is a
directory already, or that several sources go to, is a directory. The directories of the rootfs layout (`bin`, `etc`,
`plugin`, …) are directories even without `/` and before they exist: `COPY list_nodes.py plugin` makes
`plugin/list_nodes.py`, as authors mean it. Modes become 0755 or 0644 by the executable bit and owners root, unless the
instruction says otherwise. Symlinks inside a copied directory stay symlinks; a source that leaves the context, by `..`
or through a symlink, is refused.
"""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Self

from sealpy.errors import KubefileError, Place, nearest
from sealpy.image.building.ignore import Ignore
from sealpy.image.building.problems import Problems
from sealpy.image.tarball import Content, Member, Source
from sealpy.kubefile import Document

__all__ = ["LAYOUT_DIRECTORIES", "Context", "Target", "owned", "parts", "place", "placed", "written_out"]

LAYOUT_DIRECTORIES = frozenset({
    "applications", "bin", "charts", "cri", "etc", "images", "lib", "manifests", "plugin", "plugins", "scripts",
    "statics",
})  # fmt: skip
_MOST_LOOKED_AT = 10_000  # files, for a name that is missing


class Context:
    """Read the build context, and nothing outside of it."""

    def __init__(self, root: Path, *, without: Collection[Path] = (), secret: Collection[Path] = ()) -> None:
        """Take the directory; `without` are not copied along with others, `secret` things not at all."""
        self.root = root.resolve()
        self._ignore = Ignore.load(self.root)
        self._secret = {path.resolve() for path in secret}
        self._without = {path.resolve() for path in without} | self._secret

    def sources(self, words: Sequence[str], at: Place) -> list[tuple[str, Path]]:
        """Find the files and directories that the words of an instruction name: each one's own name, and the thing.

        Raises one KubefileError for all words that name nothing.
        """
        found: list[tuple[str, Path]] = []
        problems = Problems(at.file)
        for word in words:
            with problems.noted(at):
                found += self._found(word, at)
        problems.refuse()
        return found

    def _found(self, word: str, at: Place) -> list[tuple[str, Path]]:
        try:
            return [(path.name, self._inside(path, word, at)) for path in self._source(word, at)]
        except OSError as error:
            reason = (error.strerror or "cannot be looked at").lower()
            raise KubefileError(f"{word!r}: {reason}", place=at, hint="mend the path, or who may read it") from error

    def _source(self, word: str, at: Place) -> list[Path]:
        names = parts(word, at)
        if not any(char in word for char in "*?["):
            path = self.root.joinpath(*names)
            if not path.exists() and not path.is_symlink():
                raise KubefileError(f"{word!r}: not in the context {self.root}", place=at, hint=self._nearest(path))
            return [path]
        found = list(dict.fromkeys(self._glob(self.root, names)))
        if not found:
            hint = "'*' does not match '/', '**' does; look for a typing mistake or take the line out"
            raise KubefileError(f"{word!r}: fits no file in the context {self.root}", place=at, hint=hint)
        return found

    def _glob(self, directory: Path, names: Sequence[str]) -> Iterator[Path]:
        if not names:
            yield directory
        elif names[0] == "**" and directory.is_dir():  # no directory, or any number of them
            yield from self._glob(directory, names[1:])
            for path in sorted(directory.iterdir()):
                if path.is_dir() and not path.is_symlink() and not self._left_out(path):
                    yield from self._glob(path, names)
        elif directory.is_dir():
            for path in sorted(directory.iterdir()):
                if fnmatch.fnmatchcase(path.name, names[0]) and not self._left_out(path):
                    yield from self._glob(path, names[1:])

    def _inside(self, path: Path, word: str, at: Place) -> Path:
        real = Path(os.path.realpath(path))  # not `resolve`, to which links in a circle are a RuntimeError
        if not real.is_relative_to(self.root):
            hint = "copy the file into the context, or build with a directory that holds both"
            raise KubefileError(f"{word!r}: leads out of the context, to {real}", place=at, hint=hint)
        if real in self._secret:
            hint = "whoever has the image would have them: take it out of the instruction"
            raise KubefileError(f"{word!r}: holds passwords for this build", place=at, hint=hint)
        if not real.exists():
            raise KubefileError(f"{word!r}: a symbolic link to nowhere", place=at, hint="mend or remove the link")
        return real

    def _nearest(self, path: Path) -> str:
        """Say which path may be meant: one that is spelled like this one, or the same name elsewhere."""
        found = self.root
        for name in path.relative_to(self.root).parts:
            names = [inner.name for inner in found.iterdir()] if found.is_dir() else []
            near = name if name in names else nearest(name, names)
            if not near:
                break
            found /= near
        else:
            return f"did you mean '{found.relative_to(self.root)}'?"
        elsewhere = (inner for inner in islice(self.root.rglob("*"), _MOST_LOOKED_AT) if inner.name == path.name)
        if same := min(elsewhere, default=None):
            return f"did you mean '{same.relative_to(self.root)}'?"
        return "paths of sources are relative to the context"

    def files(self, source: Path, destination: str) -> Content:
        """List a file or the content of a directory under a path of the rootfs ("" is the root itself)."""
        return list(self._walk(source, destination, named=True))

    def _walk(self, path: Path, destination: str, *, named: bool = False) -> Iterator[tuple[Member, Source]]:
        if not named and self._left_out(path):
            return
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            yield Member(destination, "symlink", 0o777, target=str(path.readlink())), b""
        elif stat.S_ISREG(status.st_mode):
            yield Member(destination, "file", 0o755 if status.st_mode & 0o111 else 0o644, status.st_size), path
        elif stat.S_ISDIR(status.st_mode):
            if destination:
                yield Member(destination, "dir", 0o755), b""
            for inner in path.iterdir():
                yield from self._walk(inner, f"{destination}/{inner.name}" if destination else inner.name)
        else:
            hint = "only files, directories and symbolic links can be copied"
            raise KubefileError(f"{path}: a device, socket or pipe", hint=hint)

    def _left_out(self, path: Path) -> bool:
        if path in self._without:
            return True
        return bool(self._ignore.rules) and self._ignore.fits(path.relative_to(self.root).as_posix())


@dataclass(frozen=True, slots=True)
class Target:
    """Be where an instruction puts things: a directory that takes them in by their names, or the very name."""

    path: str
    is_directory: bool

    @classmethod
    def of(cls, destination: str, *, at: Place, directories: Collection[str], count: int) -> Self:
        """Read a destination; `directories` are those that the rootfs has so far, `count` things go there."""
        path = "/".join(parts(destination, at))
        is_known = not path or path in LAYOUT_DIRECTORIES or path in directories
        return cls(path, is_known or destination.endswith(("/", "/.")) or count > 1)

    def takes(self, name: str) -> str:
        """Say what path something of this name gets."""
        return self.below(name) if self.is_directory else self.path

    def below(self, name: str) -> str:
        """Say what path something gets in the target when that is a directory."""
        return f"{self.path}/{name}" if self.path else name


def place(
    context: Context,
    words: Sequence[str],
    destination: str,
    *,
    at: Place,
    directories: Collection[str],
    documents: Sequence[Document] = (),
) -> Content:
    """Say what a COPY brings into the rootfs; `directories` are those that it has so far. Raises KubefileError."""
    sources = context.sources(words, at)
    count = max(len(sources), len(words)) + len(documents)
    target = Target.of(destination, at=at, directories=directories, count=count)
    return [entry for name, source in sources for entry in placed(context, target, name, source)] + [
        written_out(target, document) for document in documents
    ]


def placed(context: Context, target: Target, name: str, source: Path) -> Content:
    """Say where one source of the context goes: a file by its name, a directory by its content."""
    return context.files(source, target.takes(name) if source.is_file() else target.path)


def written_out(target: Target, document: Document) -> tuple[Member, Source]:
    """Say where a file goes that is written out in the Kubefile."""
    data = document.text.encode()
    return Member(target.takes(document.name), size=len(data)), data


def owned(content: Content, *, owner: tuple[int, int] | None, mode: int | None) -> Content:
    """Give files the owner and the mode that an instruction names; who may read a directory may enter it."""
    uid, gid = owner or (0, 0)
    return [(_given(member, uid, gid, _mode(member, mode)), source) for member, source in content]


def _given(member: Member, uid: int, gid: int, mode: int) -> Member:
    if (member.uid, member.gid, member.mode) == (uid, gid, mode):
        return member  # as nearly all are: a new one for each costs more than to look at the file
    return replace(member, uid=uid, gid=gid, mode=mode)


def _mode(member: Member, mode: int | None) -> int:
    match member.kind:
        case "symlink":
            return member.mode
        case _ if mode is None:
            return member.mode
        case "dir":
            return mode | (mode & 0o444) >> 2
        case "file":
            return mode


def parts(path: str, at: Place) -> list[str]:
    """Split a path, relative to the context or the rootfs; a leading `/` or `./` changes nothing, `..` is refused."""
    found = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in found:
        hint = "paths stay inside the context and the rootfs"
        raise KubefileError(f"{path!r}: '..' leads out", place=at, hint=hint)
    return found
