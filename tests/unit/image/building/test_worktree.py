"""The rootfs as files: filled from layers, looked through for changes; as root and as anybody else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.assemble import write_layer
from sealpy.image.building.worktree import WorkTree
from sealpy.image.files import Entry, merge
from sealpy.image.store import Store
from sealpy.image.tarball import File, Symlink, walk

TREE: dict[str, bytes | File | Symlink] = {
    "bin/tool": File(b"#!", 0o755),
    "bin/link": Symlink("tool"),
    "etc/a": b"a",
    "etc/deep/er": b"b",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "images")


@pytest.fixture(params=["as who runs the tests", "without the rights of root"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, store: Store) -> WorkTree:
    made = WorkTree(tmp_path / "rootfs", store)
    if request.param == "without the rights of root":
        made._is_root = False
    return made


def entries(store: Store, *layers: dict[str, bytes | File | Symlink]) -> dict[str, Entry]:
    made = [write_layer(store, walk(layer)) for layer in layers]
    return merge([[replace(entry, layer=layer.digest) for entry in layer.entries] for layer in made])


def changed(tree: WorkTree) -> dict[str, tuple[str, int]]:
    return {member.path: (member.kind, member.mode) for member, _ in tree.changes()}


def on_disk(tree: WorkTree) -> set[str]:
    return {str(path.relative_to(tree.root)) for path in tree.root.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_what_is_filled_in_is_there_and_counts_as_no_change(tree: WorkTree, store: Store) -> None:
    tree.fill(entries(store, TREE))
    assert (tree.root / "bin" / "tool").read_bytes() == b"#!"
    assert (tree.root / "bin" / "tool").stat().st_mode & 0o777 == 0o755
    assert (tree.root / "bin" / "link").readlink() == Path("tool")
    assert tree.changes() == []


def test_what_a_command_made_changed_and_removed_is_listed(tree: WorkTree, store: Store) -> None:
    tree.fill(entries(store, TREE))
    (tree.root / "etc" / "a").write_text("A")
    (tree.root / "etc" / "deep" / "er").unlink()
    (tree.root / "bin" / "tool").chmod(0o700)
    (tree.root / "bin" / "link").unlink()
    (tree.root / "bin" / "link").symlink_to("other")
    (tree.root / "new").mkdir()
    (tree.root / "new").chmod(0o711)
    (tree.root / "new" / "file").touch()
    (tree.root / "new" / "file").chmod(0o640)
    assert changed(tree) == {
        "bin/link": ("symlink", 0o777),
        "bin/tool": ("file", 0o700),
        "etc/a": ("file", 0o644),
        "etc/deep/.wh.er": ("file", 0o644),
        "new": ("dir", 0o711),
        "new/file": ("file", 0o640),
    }
    assert tree.changes() == [], "what was listed is known from now on"


def test_a_file_that_was_only_touched_or_written_anew_with_the_same_bytes_is_no_change(
    tree: WorkTree, store: Store
) -> None:
    tree.fill(entries(store, TREE))
    os.utime(tree.root / "etc" / "a", (1, 1))
    (tree.root / "bin" / "tool").unlink()
    (tree.root / "bin" / "tool").write_bytes(b"#!")
    (tree.root / "bin" / "tool").chmod(0o755)
    assert tree.changes() == []


def test_a_directory_that_is_gone_is_one_whiteout_and_so_is_nothing_below_a_file(tree: WorkTree, store: Store) -> None:
    tree.fill(entries(store, TREE))
    (tree.root / "etc" / "a").unlink()
    (tree.root / "etc" / "deep" / "er").unlink()
    (tree.root / "etc" / "deep").rmdir()
    (tree.root / "etc").rmdir()
    (tree.root / "bin" / "tool").unlink()
    (tree.root / "bin" / "link").unlink()
    (tree.root / "bin").rmdir()
    (tree.root / "bin").touch()
    assert changed(tree) == {".wh.etc": ("file", 0o644), "bin": ("file", 0o644)}


def test_a_later_layer_is_laid_over_what_is_there(tree: WorkTree, store: Store) -> None:
    tree.fill(entries(store, TREE))
    (tree.root / "etc" / "a").write_text("by a command")
    assert list(changed(tree)) == ["etc/a"]
    later: dict[str, bytes | File | Symlink] = {"etc/deep": b"a file now", "bin/tool": b"new", "etc/a": b"a"}
    tree.fill(entries(store, TREE, later))
    assert on_disk(tree) == {"bin/tool", "bin/link", "etc/a", "etc/deep"}
    assert (tree.root / "etc" / "a").read_bytes() == b"a"
    assert (tree.root / "bin" / "tool").read_bytes() == b"new"
    tree.fill(entries(store, {"etc/a": b"a"}))
    assert on_disk(tree) == {"etc/a"}
    assert tree.changes() == []


def test_what_no_layer_can_hold_is_refused_by_name(tree: WorkTree) -> None:
    tree.fill({})
    os.mkfifo(tree.root / "pipe")
    with pytest.raises(ImageError, match="'pipe' is neither file, directory nor link"):
        tree.changes()


def test_files_and_directories_that_their_mode_closes_are_read_all_the_same(tree: WorkTree, store: Store) -> None:
    tree.fill(entries(store, TREE))
    (tree.root / "etc" / "a").chmod(0)
    (tree.root / "etc" / "deep").chmod(0)
    assert changed(tree) == {"etc/a": ("file", 0), "etc/deep": ("dir", 0)}
    assert (tree.root / "etc" / "deep").stat().st_mode & 0o777 == 0
    assert tree.changes() == []


def test_owners_of_an_image_stay_what_they_are_without_root(tree: WorkTree, store: Store) -> None:
    held = entries(store, TREE)
    held["etc/a"] = replace(held["etc/a"], uid=5, gid=6)
    tree.fill(held)
    assert tree.changes() == []
    (tree.root / "etc" / "a").write_text("other")
    [(member, _)] = tree.changes()
    assert (member.uid, member.gid) == (5, 6)
