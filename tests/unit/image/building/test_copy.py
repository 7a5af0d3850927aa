"""COPY: which files go where."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import KubefileError, Place
from sealpy.image.building.copy import Context, owned, place
from sealpy.kubefile import Document

AT = Place("Kubefile", 3)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    for name in ("a.yaml", "b.yaml", "list_nodes.py", "dir/x", "dir/sub/y", ".hidden"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / "tool").write_text("#!")
    (root / "tool").chmod(0o700)
    return root


def copied(root: Path, *words: str, directories: tuple[str, ...] = ()) -> set[str]:
    *sources, destination = words
    found = place(Context(root), sources, destination, at=AT, directories=directories)
    return {member.path for member, _ in found if member.kind != "dir"}


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["a.yaml", "x.yaml"], {"x.yaml"}),
        (["./a.yaml", "./etc/x.yaml"], {"etc/x.yaml"}),
        (["a.yaml", "/conf/"], {"conf/a.yaml"}),
        (["a.yaml", "."], {"a.yaml"}),
        (["a.yaml", "./"], {"a.yaml"}),
        (["list_nodes.py", "plugin"], {"plugin/list_nodes.py"}),
        (["a.yaml", "./bin"], {"bin/a.yaml"}),
        (["a.yaml", "b.yaml", "conf"], {"conf/a.yaml", "conf/b.yaml"}),
        (["*.yaml", "manifests"], {"manifests/a.yaml", "manifests/b.yaml"}),
        (["[ab].y?ml", "conf/"], {"conf/a.yaml", "conf/b.yaml"}),
        (["dir", "charts/shop"], {"charts/shop/x", "charts/shop/sub/y"}),
        (["dir", "."], {"x", "sub/y"}),
        (["di*/sub", "z"], {"z/y"}),
        (["dir/x", "b.yaml", "."], {"x", "b.yaml"}),
        (["**/y", "z"], {"z"}),
        (["**/[xy]", "z"], {"z/x", "z/y"}),
        (["dir/**/y", "z/"], {"z/y"}),
    ],
)
def test_files_go_where_docker_and_the_author_would_have_them(root: Path, words: list[str], files: set[str]) -> None:
    assert copied(root, *words) == files


def test_a_directory_that_is_there_already_takes_the_file_in(root: Path) -> None:
    assert copied(root, "a.yaml", "conf") == {"conf"}
    assert copied(root, "a.yaml", "conf", directories=("conf",)) == {"conf/a.yaml"}


def test_modes_become_0755_or_0644(root: Path) -> None:
    (root / "a.yaml").chmod(0o600)
    found = place(Context(root), ["a.yaml", "tool"], "bin", at=AT, directories=())
    assert {m.path: m.mode for m, _ in found} == {"bin/a.yaml": 0o644, "bin/tool": 0o755}


def test_owner_and_mode_can_be_chosen_and_directories_stay_open_to_who_reads_them(root: Path) -> None:
    (root / "dir" / "link").symlink_to("x")
    content = place(Context(root), ["dir"], "d", at=AT, directories=())
    found = {m.path: (m.uid, m.gid, m.mode) for m, _ in owned(content, owner=(5, 6), mode=0o640)}
    assert found == {
        "d": (5, 6, 0o750),
        "d/link": (5, 6, 0o777),
        "d/x": (5, 6, 0o640),
        "d/sub": (5, 6, 0o750),
        "d/sub/y": (5, 6, 0o640),
    }
    assert owned(content, owner=None, mode=None) == content


def test_files_that_are_written_out_go_where_others_do(root: Path) -> None:
    one, two = Document(name="one", text="1\n"), Document(name="two", text="2\n")

    def written(destination: str, *documents: Document, words: tuple[str, ...] = ()) -> dict[str, object]:
        found = place(Context(root), words, destination, at=AT, directories=(), documents=documents)
        return {member.path: source for member, source in found if isinstance(source, bytes)}

    assert written("conf/x", one) == {"conf/x": b"1\n"}
    assert written("conf", one, two) == {"conf/one": b"1\n", "conf/two": b"2\n"}
    assert written("etc", one) == {"etc/one": b"1\n"}
    assert written("conf", one, words=("a.yaml",)) == {"conf/one": b"1\n"}


def test_a_link_in_a_directory_stays_a_link_and_one_that_is_named_is_followed(root: Path) -> None:
    (root / "dir" / "link").symlink_to("x")
    found = place(Context(root), ["dir"], "d", at=AT, directories=())
    assert {m.path: m.target for m, _ in found if m.kind == "symlink"} == {"d/link": "x"}
    assert copied(root, "dir/link", "bin") == {"bin/link"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["../secret", "x"], "leads out"),
        (["a.yaml", "../x"], "leads out"),
        (["out", "x"], "leads out of the context"),
        (["outdir/secret", "x"], "leads out of the context"),
        (["gone", "x"], "to nowhere"),
        (["circle", "x"], "to nowhere"),
        (["x" * 300, "x"], "file name too long"),
        (["a.yml", "x"], "not in the context"),
        (["nowhere/at/all", "x"], "not in the context"),
        (["*.json", "x"], "fits no file"),
    ],
)
def test_what_cannot_be_copied_is_refused_with_file_and_line(root: Path, words: list[str], reason: str) -> None:
    (root.parent / "secret").write_text("s")
    (root / "out").symlink_to("../secret")
    (root / "outdir").symlink_to("..")
    (root / "gone").symlink_to("never-was")
    (root / "circle").symlink_to("circle")
    with pytest.raises(KubefileError, match=reason) as caught:
        copied(root, *words)
    assert caught.value.message.startswith("Kubefile:3: ")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("list-nodes.py", "did you mean 'list_nodes.py'?"),
        ("dirr/sub/Y", "did you mean 'dir/sub/y'?"),
        ("somewhere/x", "did you mean 'dir/x'?"),
        ("y", "did you mean 'dir/sub/y'?"),
        ("dir/sub/z", "paths of sources are relative to the context"),
    ],
)
def test_the_nearest_name_is_told(source: str, hint: str, root: Path) -> None:
    with pytest.raises(KubefileError) as caught:
        copied(root, source, "x")
    assert caught.value.hint == hint


def test_what_the_ignore_file_names_is_left_out(root: Path) -> None:
    (root / ".dockerignore").write_text("# not these\n*.yaml\n!b.yaml\ndir/sub\n**/.hidden\n.dockerignore\n")
    assert copied(root, ".", ".") == {"b.yaml", "list_nodes.py", "dir/x", "tool"}


def test_directories_that_feed_the_build_are_not_copied_along(root: Path) -> None:
    context = Context(root, without=[root / "dir"])
    assert not any(m.path.startswith("dir") for m, _ in place(context, ["."], ".", at=AT, directories=()))
