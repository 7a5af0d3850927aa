"""COPY --from=IMAGE: what comes out of the rootfs of another image, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import DigestMismatchError, KubefileError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.building.build import build
from sealpy.image.building.preview import preview
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Platform
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Member

Build = Callable[..., ClusterImage]
HELM = b"#!helm\n"
ENTRIES = (
    (Member("bin", "symlink", 0o777, target="usr/bin"), b""),
    (Member("usr", "dir", 0o755), b""),
    (Member("usr/bin", "dir", 0o755), b""),
    (Member("usr/bin/helm", "file", 0o755, len(HELM), uid=7, gid=7), HELM),
    (Member("usr/bin/helm3", "symlink", 0o777, target="/bin/helm"), b""),
    (Member("usr/bin/loop", "symlink", 0o777, target="loop"), b""),
    (Member("usr/bin/gone", "symlink", 0o777, target="nowhere"), b""),
    (Member("usr/share", "dir", 0o755), b""),
    (Member("usr/share/a.md", "file", 0o644, 1), b"a"),
    (Member("usr/share/b.md", "file", 0o600, 1), b"b"),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "images")
    assemble(store, "tools:1", base=None, layers=[write_layer(store, ENTRIES)], metadata=Metadata())
    return store


def wish(tmp_path: Path, *lines: str) -> Wish:
    context = tmp_path / "context"
    context.mkdir(exist_ok=True)
    (context / "Kubefile").write_text("\n".join(("FROM scratch", *lines)) + "\n")
    platforms = [Platform(architecture="amd64")]
    return Wish(kubefile=context / "Kubefile", context=context, tag=Reference.parse("x:1"), platforms=platforms)


def built(store: Store, tmp_path: Path, *lines: str) -> dict[str, tuple[str, int, bytes]]:
    """Build, and give kind, mode and bytes (or where a link points) of all but directories."""
    made = build(wish(tmp_path, *lines), store=store, emit=lambda _: None).images[0]
    return {
        path: (entry.kind, entry.mode, made.read(path) if entry.kind == "file" else entry.target.encode())
        for path, entry in made.files.items()
        if entry.kind != "dir"
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("/usr/bin/helm bin/", {"bin/helm": ("file", 0o755, HELM)}),
        ("bin/helm bin", {"bin/helm": ("file", 0o755, HELM)}),
        ("usr/bin/helm tool", {"tool": ("file", 0o755, HELM)}),
        ("usr/bin/helm3 bin/", {"bin/helm3": ("file", 0o755, HELM)}),
        ("usr/share docs", {"docs/a.md": ("file", 0o644, b"a"), "docs/b.md": ("file", 0o600, b"b")}),
        ("usr/share/*.md docs/", {"docs/a.md": ("file", 0o644, b"a"), "docs/b.md": ("file", 0o600, b"b")}),
        ("**/a.md docs/", {"docs/a.md": ("file", 0o644, b"a")}),
        ("usr/share/a.md usr/bin/helm etc", {"etc/a.md": ("file", 0o644, b"a"), "etc/helm": ("file", 0o755, HELM)}),
    ],
)
def test_files_come_by_path_pattern_and_through_links(
    words: str, expected: dict[str, object], store: Store, tmp_path: Path
) -> None:
    assert built(store, tmp_path, f"COPY --from=tools:1 {words}") == expected


def test_a_whole_rootfs_comes_with_its_links_as_they_are(store: Store, tmp_path: Path) -> None:
    found = built(store, tmp_path, "COPY --from=tools:1 . /")
    assert found["bin"] == ("symlink", 0o777, b"usr/bin")
    assert found["usr/bin/helm"] == ("file", 0o755, HELM)
    assert len(found) == sum(member.kind != "dir" for member, _ in ENTRIES)


def test_owner_and_mode_are_those_that_are_named_or_root(store: Store, tmp_path: Path) -> None:
    line = "COPY --from=tools:1 --chown=5:6 --chmod=700 usr/bin/helm usr/share/a.md etc/"
    made = build(wish(tmp_path, line), store=store, emit=lambda _: None).images[0]
    assert {(e.mode, e.uid, e.gid) for path, e in made.files.items() if path.startswith("etc/")} == {(0o700, 5, 6)}
    made = build(wish(tmp_path, "COPY --from=tools:1 usr/bin/helm bin/"), store=store, emit=lambda _: None).images[0]
    assert (made.files["bin/helm"].uid, made.files["bin/helm"].gid) == (0, 0)


def test_the_same_build_gives_the_same_digest_and_says_where_it_came_from(store: Store, tmp_path: Path) -> None:
    one, two = (
        build(wish(tmp_path, "COPY --from=tools:1 usr/share docs"), store=store, emit=lambda _: None) for _ in range(2)
    )
    assert one.digest == two.digest
    history = one.images[0].config.history
    assert history is not None
    assert history[0].created_by == "COPY --from=tools:1 usr/share docs"


def test_a_rehearsal_counts_them(store: Store, tmp_path: Path) -> None:
    (shown,) = preview(wish(tmp_path, "COPY --from=tools:1 usr/share docs"), store=store, emit=lambda _: None)
    assert [(line.files, line.size) for line in shown.lines] == [(2, 2)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("COPY --from=tools:1 usr/bin/hlem bin/", "'usr/bin/hlem': not in image 'tools:1'"),
        ("COPY --from=tools:1 usr/bin/gone bin/", "'usr/bin/gone': not in image 'tools:1'"),
        ("COPY --from=tools:1 usr/bin/loop bin/", "'usr/bin/loop': links of image 'tools:1' lead in a circle"),
        ("COPY --from=tools:1 *.txt bin/", "'*.txt': fits no file of image 'tools:1'"),
        ("COPY --from=tools:1 ../x bin/", "'../x': '..' leads out"),
        ("COPY --from=tols:1 x bin/", "image 'tols:1': not among the local images"),
    ],
)
def test_what_is_not_there_is_refused_with_its_place(line: str, told: str, store: Store, tmp_path: Path) -> None:
    with pytest.raises(KubefileError) as caught:
        build(wish(tmp_path, line), store=store, emit=lambda _: None)
    assert str(caught.value).endswith(f"Kubefile:2: {told}")
    assert caught.value.hint


def test_damaged_bytes_are_not_copied(store: Store, tmp_path: Path) -> None:
    image = ClusterImage.open(store, "tools:1")
    entry = image.files["usr/bin/helm"]
    blob = store.blob_path(entry.layer)
    data = bytearray(blob.read_bytes())
    data[entry.offset] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(data)
    with pytest.raises(DigestMismatchError, match="bin/helm: damaged in image 'tools:1'"):
        build(wish(tmp_path, "COPY --from=tools:1 usr/bin/helm bin/"), store=store, emit=lambda _: None)
