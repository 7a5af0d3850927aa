"""Put or merge texts into files of a rootfs, before it goes to a host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sealpy.distributors.merge import MergeError, merged_json, merged_secret, merged_yaml
from sealpy.distributors.tree import Tree, TreeFile, content, directory, file
from sealpy.errors import ClusterfileError, Place

__all__ = ["Edit", "edited", "refuse_absent"]

_ORDINARY, _PRIVATE = 0o644, 0o600
_ABSENT = "name the Clusterfile that holds it: sealpy apply -f FILE, sealpy delete -f FILE; or write `dataFrom` there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Say what is to become of one file.

    `overwrite` makes `data` the file, `merge` lays it over the file's values, `secret` makes it the data of the Secret
    in the file. A file that is not there is made. `name` is that of the document, `what` how messages call it. `absent`
    says why there is no `data`: the tree of a host cannot be made then, and much else can do without.
    """

    path: str
    data: str
    how: Literal["overwrite", "merge", "secret"] = "overwrite"
    name: str = ""
    what: str = ""
    absent: str = ""
    place: Place | None = field(default=None, compare=False)


def edited(tree: Tree, edits: Iterable[Edit], *, read: Callable[[str], bytes]) -> Tree:
    """Give the tree with its files edited, one edit after the other; raises ClusterfileError with the place of one.

    `read` gives the bytes of a file of the image by its path.
    """
    files = dict(tree.files)
    for edit in (edits := tuple(edits)):
        refuse_absent(edit)
        there = files.get(edit.path)
        _check(edit, there, files)
        text = _text(edit, content(there, read) if there else b"")
        mode = there.item.member.mode if there else _ORDINARY
        files[edit.path] = file(edit.path, text.encode(), mode=_PRIVATE if edit.how == "secret" else mode)
        files.update({path: directory(path) for path in _parents(edit.path) if path not in files})
    return Tree.of(files) if edits else tree


def refuse_absent(edit: Edit) -> None:
    """Raise ClusterfileError for an edit whose data are not there."""
    if edit.absent:
        raise ClusterfileError(f"{edit.what}: {edit.absent}", place=edit.place, hint=_ABSENT)


def _check(edit: Edit, there: TreeFile | None, files: dict[str, TreeFile]) -> None:
    if there and there.item.member.kind != "file":
        raise _error(edit, f"'{edit.path}' is a {there.item.member.kind} of the image, not a file")
    for path in _parents(edit.path):
        if path in files and files[path].item.member.kind != "dir":
            raise _error(edit, f"'{path}' is no directory of the image, so nothing can be below it")


def _text(edit: Edit, there: bytes) -> str:
    try:
        match edit.how:
            case "overwrite":
                return edit.data
            case "secret":
                return merged_secret(there.decode(), edit.data, edit.name)
            case "merge" if not there:
                return edit.data
            case "merge":
                merged = merged_json if edit.path.endswith(".json") else merged_yaml
                return merged(there.decode(), edit.data)
    except (MergeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, MergeError) else "the file is no text"
        raise _error(edit, f"cannot be merged into '{edit.path}': {reason}") from error


def _parents(path: str) -> Iterator[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[: count + 1]) for count in range(len(parts)))


def _error(edit: Edit, message: str) -> ClusterfileError:
    hint = "look at its path; what is no YAML or JSON is replaced whole by `strategy: overwrite`"
    return ClusterfileError(f"{edit.what}: {message}", place=edit.place, hint=hint)
