"""COPY: which files of the context go where in the rootfs.

As in Docker: several sources and globs; a directory stands for its content; a destination that ends with `/`, that is a
directory already, or that several sources go to, is a directory. The directories of the rootfs layout (`bin`, `etc`,
`plugin`, …) are directories even without `/` and before they exist: `COPY list_nodes.py plugin` makes
`plugin/list_nodes.py`, as authors mean it. Modes become 0755 or 0644 by the executable bit. Symlinks inside a copied
directory stay symlinks; a source that leaves the context, by `..` or through a symlink, is refused.
"""

from __future__ import annotations

import fnmatch
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sealpy.errors import KubefileError, Place, nearest
from sealpy.image.ignore import Ignore
from sealpy.image.tarball import Content, Member, Source

__all__ = ["LAYOUT_DIRECTORIES", "Context", "parts", "place"]

LAYOUT_DIRECTORIES = frozenset({
    "applications", "bin", "charts", "cri", "etc", "images", "lib", "manifests", "plugin", "plugins", "scripts",
    "statics",
})  # fmt: skip


class Context:
    """Read the build context, and nothing outside of it."""

    def __init__(self, root: Path, *, without: Collection[Path] = ()) -> None:
        """Take the directory; `without` are directories in it that are never copied along with others."""
        self.root = root.resolve()
        self._ignore = Ignore.load(self.root)
        self._without = {path.resolve() for path in without}

    def sources(self, words: Sequence[str], at: Place) -> list[tuple[str, Path]]:
        """Find the files and directories that the words of an instruction name: each one's own name, and the thing."""
        return [(path.name, self._inside(path, word, at)) for word in words for path in self._source(word, at)]

    def _source(self, word: str, at: Place) -> list[Path]:
        names = parts(word, at)
        if not any(char in word for char in "*?["):
            path = self.root.joinpath(*names)
            if not path.exists() and not path.is_symlink():
                raise KubefileError(f"{word!r}: not in the context {self.root}", place=at, hint=self._nearest(path))
            return [path]
        found = list(self._glob(self.root, names))
        if not found:
            hint = "'*' does not match '/'; look for a typing mistake or take the line out"
            raise KubefileError(f"{word!r}: fits no file in the context {self.root}", place=at, hint=hint)
        return found

    def _glob(self, directory: Path, names: Sequence[str]) -> Iterator[Path]:
        if not names:
            yield directory
        elif directory.is_dir():
            for path in sorted(directory.iterdir()):
                if fnmatch.fnmatchcase(path.name, names[0]) and not self._left_out(path):
                    yield from self._glob(path, names[1:])

    def _inside(self, path: Path, word: str, at: Place) -> Path:
        real = path.resolve()
        if not real.is_relative_to(self.root):
            hint = "copy the file into the context, or build with a directory that holds both"
            raise KubefileError(f"{word!r}: leads out of the context, to {real}", place=at, hint=hint)
        if not real.exists():
            raise KubefileError(f"{word!r}: a symbolic link to nowhere", place=at, hint="mend or remove the link")
        return real

    def _nearest(self, path: Path) -> str:
        parent = path.parent
        while not parent.is_dir():
            path, parent = parent, parent.parent
        names = [inner.name for inner in parent.iterdir()]
        near = nearest(path.name, names)
        found = str((parent / near).relative_to(self.root))
        return f"did you mean '{found}'?" if near else "paths of sources are relative to the context"

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
        return path in self._without or self._ignore.fits(path.relative_to(self.root).as_posix())


def place(
    context: Context, words: Sequence[str], destination: str, *, at: Place, directories: Collection[str]
) -> Content:
    """Say what a COPY brings into the rootfs; `directories` are those that it has so far. Raises KubefileError."""
    target = "/".join(parts(destination, at))
    sources = context.sources(words, at)
    into = (
        not target
        or destination.endswith(("/", "/."))
        or target in LAYOUT_DIRECTORIES
        or target in directories
        or len(sources) > 1
        or len(words) > 1
    )
    found: Content = []
    for name, source in sources:
        if source.is_file() and into:
            found += context.files(source, f"{target}/{name}" if target else name)
        else:
            found += context.files(source, target)
    return found


def parts(path: str, at: Place) -> list[str]:
    """Split a path, relative to the context or the rootfs; a leading `/` or `./` changes nothing, `..` is refused."""
    found = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in found:
        hint = "paths stay inside the context and the rootfs"
        raise KubefileError(f"{path!r}: '..' leads out", place=at, hint=hint)
    return found
