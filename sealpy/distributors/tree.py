"""What the rootfs of one host should hold."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sealpy.errors import Place, Problem, TemplateError, counted
from sealpy.gotemplate import render
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import APP_ROOT
from sealpy.image.payload import Item
from sealpy.image.tarball import Member

__all__ = [
    "Tree",
    "TreeFile",
    "content",
    "directory",
    "file",
    "image_file",
    "image_tree",
    "is_rendered",
    "rendered_tree",
]

REGISTRY = "registry"  # its content goes to the hosts of the registry only
_RENDERED = ("etc/", "charts/", "manifests/")  # sealer.md §5.4; apps have an environment of their own
_APPS = f"{APP_ROOT}/"
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
    def mode(self) -> str:
        """Give the mode in octal digits, and the owner where it is not root: `644`, or `644,1000:1000`."""
        member = self.item.member
        return f"{member.mode:o}" + (f",{member.uid}:{member.gid}" if member.uid or member.gid else "")

    @property
    def line(self) -> str:
        """Give what identifies the file, its place and its mode, as it stands in the index on a host."""
        member = self.item.member
        return f"{member.kind} {self.mode} {self.sha256 or '-'} {member.target or '-'} {member.path}"


@dataclass(frozen=True)
class Tree:
    """Hold every file of a rootfs by path, parents before children."""

    files: Mapping[str, TreeFile]

    @classmethod
    def of(cls, files: Mapping[str, TreeFile]) -> Self:
        """Take files in any order."""
        return cls({path: files[path] for path in sorted(files, key=lambda path: path.split("/"))})

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
    chosen = (path for path in image.files if registry or not (path == REGISTRY or path.startswith("registry/")))
    return Tree({path: image_file(image, path) for path in chosen})


def image_file(image: ClusterImage, path: str) -> TreeFile:
    """Take one file of an image."""
    entry = image.files[path]
    return TreeFile(image.item(entry), entry.sha256)


def rendered_tree(
    tree: Tree, *, read: Callable[[str], bytes], env: Mapping[str, str], app_env: Mapping[str, Mapping[str, str]]
) -> Tree:
    """Lay the rendered twin of each template beside it; raises TemplateError with file and line.

    `env` fills the templates of the image, `app_env` by name of the app those below `application/apps/<name>/`.
    """
    rendered: dict[str, TreeFile] = {}
    errors: list[TemplateError] = []
    for path in filter(is_rendered, tree.files):
        try:
            text = render(_template(tree.files[path], read), _values(path, env, app_env), name=path)
        except TemplateError as error:
            errors.append(error)
            continue
        twin = path.removesuffix(_SUFFIX)
        rendered[twin] = file(twin, text.encode())
    if errors:
        raise _together(errors)
    return Tree.of({**tree.files, **rendered}) if rendered else tree


def _together(errors: Sequence[TemplateError]) -> TemplateError:
    if len(errors) == 1:
        return errors[0]
    problems = [problem for error in errors for problem in error.problems or (Problem(error.message, hint=error.hint),)]
    return TemplateError(f"templates of the image: {counted(len(problems), 'problem')}", problems=problems)


def _template(file: TreeFile, read: Callable[[str], bytes]) -> str:
    try:
        return content(file, read).decode()
    except UnicodeDecodeError as error:
        raise TemplateError("the template is no text", place=Place(file.path), hint="save it as UTF-8") from error


def is_rendered(path: str) -> bool:
    """Tell whether a file is a template that is rendered for each host."""
    return path.endswith(_SUFFIX) and path.startswith((*_RENDERED, _APPS))


def content(file: TreeFile, read: Callable[[str], bytes]) -> bytes:
    """Give the bytes of a file; `read` gives those of a file of the image by its path."""
    source = file.item.source
    return source if isinstance(source, bytes) else read(file.path)


def file(path: str, text: bytes, *, mode: int = 0o644) -> TreeFile:
    """Make a file of these bytes."""
    return TreeFile(Item(Member(path, "file", mode, len(text)), text), hashlib.sha256(text).hexdigest())


def directory(path: str) -> TreeFile:
    """Make a directory."""
    return TreeFile(Item(Member(path, "dir", 0o755)))


def _values(path: str, env: Mapping[str, str], app_env: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    if not path.startswith(_APPS):
        return env
    app = path.removeprefix(_APPS).partition("/")[0]
    return {**env, **app_env.get(app, {})}
