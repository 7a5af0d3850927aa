"""What the rootfs of one host should hold."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sealpy.gotemplate import render
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.payload import Item
from sealpy.image.tarball import Member

__all__ = ["Tree", "TreeFile", "image_tree", "rendered_tree"]

REGISTRY = "registry"  # its content goes to the hosts of the registry only
_RENDERED = ("etc/", "charts/", "manifests/")  # sealer.md §5.4; apps have an environment of their own
_APPS = "application/apps/"
_SUFFIX = ".tmpl"


@dataclass(frozen=True, slots=True)
class TreeFile:
    """Put an item together with the sha256 of its bytes ("" for directories and symlinks)."""

    item: Item
    sha256: str = ""

    @property
    def path(self) -> str:
        """Give the path relative to the rootfs."""
        return self.item.member.path

    @property
    def line(self) -> str:
        """Give what identifies the file, its place and its mode, as it stands in the index on a host."""
        member = self.item.member
        return f"{member.kind} {member.mode:o} {self.sha256 or '-'} {member.target or '-'} {member.path}"


@dataclass(frozen=True)
class Tree:
    """Hold every file of a rootfs by path, parents before children."""

    files: Mapping[str, TreeFile]

    @functools.cached_property
    def index(self) -> str:
        """Give one line for each file, in the order of the tree."""
        return "".join(f"{file.line}\n" for file in self.files.values())

    @functools.cached_property
    def digest(self) -> str:
        """Give the sha256 of the index: equal trees have equal digests."""
        return hashlib.sha256(self.index.encode()).hexdigest()


def image_tree(image: ClusterImage, *, registry: bool) -> Tree:
    """Take the files of an image; `registry` says whether those of the registry are among them."""
    chosen = (
        entry
        for path, entry in image.files.items()
        if registry or not (path == REGISTRY or path.startswith("registry/"))
    )
    return Tree({entry.path: TreeFile(image.item(entry), entry.sha256) for entry in chosen})


def rendered_tree(
    tree: Tree, *, read: Callable[[str], bytes], env: Mapping[str, str], app_env: Mapping[str, Mapping[str, str]]
) -> Tree:
    """Lay the rendered twin of each template beside it; raises TemplateError with file and line.

    `env` fills the templates of the image, `app_env` by name of the app those below `application/apps/<name>/`.
    """
    rendered = [
        _file(path.removesuffix(_SUFFIX), render(read(path).decode(), _values(path, env, app_env), name=path).encode())
        for path in _templates(tree.files)
    ]
    return Tree(_sorted({**tree.files, **{file.path: file for file in rendered}}))


def _templates(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.endswith(_SUFFIX) and path.startswith((*_RENDERED, _APPS))]


def _values(path: str, env: Mapping[str, str], app_env: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    if not path.startswith(_APPS):
        return env
    app = path.removeprefix(_APPS).partition("/")[0]
    return {**env, **app_env.get(app, {})}


def _file(path: str, content: bytes) -> TreeFile:
    member = Member(path, "file", 0o644, len(content))
    return TreeFile(Item(member, content), hashlib.sha256(content).hexdigest())


def _sorted(files: Mapping[str, TreeFile]) -> dict[str, TreeFile]:
    return {path: files[path] for path in sorted(files, key=lambda path: path.split("/"))}
