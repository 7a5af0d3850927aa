"""A tree that keeps what the one before it has in the registry, so that nothing a pod may still want goes away."""

from __future__ import annotations

from collections.abc import Mapping

from sealpy.distributors.tree import Tree, TreeFile
from sealpy.image.payload import Item
from sealpy.image.tarball import Member
from sealpy.sdk import Ask, Result, Steps

__all__ = ["keeping", "registry_there"]

# $1 the directory of the cluster. Prints lines of the index of what the registry has, and `=<sha256>  <path>` of what
# is really there.
_THERE = r"""cd "$1" 2>/dev/null && [ -f rootfs.index ] || exit 0
grep -E '^(file|dir|symlink) [^ ]+ [^ ]+ [^ ]+ registry(/|$)' rootfs.index
[ -d rootfs/registry ] || exit 0
cd rootfs && find registry -type f -print0 | xargs -0 -r sha256sum | sed 's/^/=/'
"""
_FIELDS = 4  # kind, mode, sha256, target; then the path


def registry_there(directory: str) -> Steps:
    """Ask a host for what its registry has of the image before; returns TreeFiles by path, whole ones alone."""
    words = ("sh", "-c", _THERE, "sh", directory)
    answer: Result = yield Ask("ask what the registry has", *words, timeout=900)
    sums = {path: digest for digest, _, path in (line[1:].partition("  ") for line in answer.lines if line[0] == "=")}
    found: dict[str, TreeFile] = {}
    for line in (line for line in answer.lines if line[0] != "="):
        kind, mode, sha256, target, path = line.split(" ", _FIELDS)
        if sha256 in {"-", sums.get(path)}:
            found[path] = _file(kind, mode, sha256.strip("-"), target.removeprefix("-"), path)
    return found


def _file(kind: str, mode: str, sha256: str, target: str, path: str) -> TreeFile:
    digits, _, owner = mode.partition(",")
    uid, _, gid = owner.partition(":")
    member = Member(path, kind, int(digits, 8), target=target, uid=int(uid or 0), gid=int(gid or 0))  # type: ignore[arg-type] # of the three
    return TreeFile(Item(member), sha256)


def keeping(tree: Tree, before: Mapping[str, TreeFile]) -> Tree:
    """Give the tree with these files, where it has none of that name, on a host that has them."""
    kept = {path: file for path, file in before.items() if path not in tree.files}
    return Tree.of({**tree.files, **kept}) if kept else tree
