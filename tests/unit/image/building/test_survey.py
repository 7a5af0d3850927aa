"""Every problem of a Kubefile is told at once, before anything is made: cases as data."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.errors import ConfigError, KubefileError, RemoteError, StoreError
from sealpy.events import Event
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.building.build import build
from sealpy.image.building.preview import preview
from sealpy.image.building.wish import Wish
from sealpy.image.kube_version import VERSION_LABEL
from sealpy.image.manifest import Descriptor, Platform
from sealpy.image.metadata import Application, Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import walk

CASES = Path(__file__).parents[3] / "golden" / "surveys"
AMD, ARM = Platform(architecture="amd64"), Platform(architecture="arm64")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Have a base with files and an app."""
    store = Store(tmp_path / "images")
    metadata = Metadata(
        applications=(Application(name="calico", type="kube", files=("a.yaml",)),),
        labels={VERSION_LABEL: "v1.34.4"},
    )
    layer = write_layer(store, walk({"etc/motd": b"hi\n", "etc/hosts": b""}))
    assemble(store, "base:1", base=None, layers=[layer], metadata=metadata)
    return store


def wished(context: Path, kubefile: Path, *platforms: Platform) -> Wish:
    return Wish(
        kubefile=kubefile, context=context, tag=Reference.parse("x:1"), platforms=platforms or (AMD,), caching="renew"
    )


def refusal(make: Callable[[], object]) -> KubefileError:
    with pytest.raises(KubefileError) as caught:
        make()
    return caught.value


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_build_and_its_dry_run_tell_every_problem_and_write_nothing(
    case: str, golden: Callable[[Path, str], None], store: Store, tmp_path: Path
) -> None:
    context = tmp_path / "context"
    shutil.copytree(CASES / case / "context", context) if (CASES / case / "context").is_dir() else context.mkdir()
    wish = wished(context, CASES / case / "Kubefile")
    before = store.blobs()
    told = []
    for error in (
        refusal(lambda: build(wish, store=store, emit=lambda _: None)),
        refusal(lambda: preview(wish, store=store, emit=lambda _: None)),
    ):
        lines = [error.message, *([f"    {error.hint}"] if error.hint else [])]
        for problem in error.problems:
            lines += [str(problem), f"    {problem.hint}"]
        text = "\n".join(lines) + "\n"
        told.append(text.replace(str(CASES / case / "Kubefile"), "Kubefile").replace(str(context), "CONTEXT"))
    assert told[0] == told[1]
    assert store.blobs() == before
    golden(CASES / case / "error.txt", told[0])


def test_what_is_wrong_for_the_second_platform_is_told_before_the_first_is_built(store: Store, tmp_path: Path) -> None:
    (tmp_path / "Kubefile").write_text("FROM scratch\nCOPY tool-$ARCH bin/tool\nCOPY nothing etc/\n")
    (tmp_path / "tool-amd64").touch()
    before = store.blobs()
    wish = wished(tmp_path, tmp_path / "Kubefile", AMD, ARM)
    error = refusal(lambda: build(wish, store=store, emit=lambda _: None))
    assert [str(problem).partition("Kubefile:")[2].partition(": not")[0] for problem in error.problems] == [
        "2: 'tool-arm64'",
        "3: 'nothing'",  # once for both
    ]
    assert store.blobs() == before


def test_a_list_of_images_that_is_wrong_is_told_before_a_layer_is_made(store: Store, tmp_path: Path) -> None:
    (tmp_path / "Kubefile").write_text("FROM scratch\nCOPY list etc/\n")
    (tmp_path / "list").write_text("web:1\nWEB:1\n")
    before = store.blobs()
    for path, told in ((tmp_path / "list", "1 line of --image-list"), (tmp_path / "none", "none: no such file")):
        wish = replace(wished(tmp_path, tmp_path / "Kubefile"), image_lists=[path])
        with pytest.raises(ConfigError, match=told):
            build(wish, store=store, emit=lambda _: None)
    assert store.blobs() == before


class Registry:
    """Bring images, and remember which were asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.asked: list[str] = []

    def __call__(self, reference: Reference, platform: Platform) -> Descriptor:
        self.asked.append(f"{reference.familiar} for {platform.architecture}")
        try:
            return self.store.resolve("base:1" if reference.familiar == "far:1" else reference)
        except StoreError as error:
            raise RemoteError(f"{reference.familiar}: not found there", hint="see to the name") from error


def test_nothing_is_brought_for_a_kubefile_that_is_wrong_without_it(store: Store, tmp_path: Path) -> None:
    (tmp_path / "Kubefile").write_text('FROM far:1\nCOPY nothing etc/\nLAUNCH ["callico"]\n')
    registry = Registry(store)
    wish = wished(tmp_path, tmp_path / "Kubefile")
    error = refusal(lambda: build(wish, store=store, emit=lambda _: None, obtain=registry))
    assert ("Kubefile:2: 'nothing': not in the context" in error.message, registry.asked) == (True, [])
    (tmp_path / "nothing").touch()
    error = refusal(lambda: build(wish, store=store, emit=lambda _: None, obtain=registry))
    assert ("Kubefile:3: app 'callico': there is none" in error.message, error.hint) == (True, "did you mean 'calico'?")
    assert registry.asked == ["far:1 for amd64"]


def test_an_image_is_asked_for_once_however_often_it_is_named(store: Store, tmp_path: Path) -> None:
    (tmp_path / "Kubefile").write_text(
        "FROM far:1\nCOPY --from=far:1 etc/motd etc/a\nCOPY --from=far:1 etc/hosts etc/b\n"
    )
    registry, events = Registry(store), list[Event]()
    build(wished(tmp_path, tmp_path / "Kubefile"), store=store, emit=events.append, obtain=registry)
    assert registry.asked == ["far:1 for amd64"]


def test_an_image_that_cannot_be_brought_is_told_with_what_else_is_wrong_with_those_that_can(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "Kubefile").write_text('FROM gone:1\nCOPY --from=far:1 etc/modt etc/\nLAUNCH ["x"]\n')
    wish = wished(tmp_path, tmp_path / "Kubefile")
    error = refusal(lambda: build(wish, store=store, emit=lambda _: None, obtain=Registry(store)))
    assert [str(problem).partition("Kubefile:")[2] for problem in error.problems] == [
        "1: gone:1: not found there",
        "2: 'etc/modt': not in image 'far:1'",
    ]


def told_by(site: Path, store: Store, text: str) -> list[tuple[str, str]]:
    """Give line and message of each problem, and its hint, when a registry could be asked."""
    (site / "Kubefile").write_text(text)
    registry = Registry(store)
    error = refusal(lambda: build(wished(site, site / "Kubefile"), store=store, emit=lambda _: None, obtain=registry))
    assert not [asked for asked in registry.asked if not asked.startswith("base:1 ")]
    return [(str(problem).partition("Kubefile:")[2], problem.hint) for problem in error.problems]


def test_a_mistyped_image_is_told_with_what_else_is_wrong_and_the_one_that_is_here(
    store: Store, tmp_path: Path
) -> None:
    later = "not among the local images; a registry is asked when the rest is right"
    meant = "did you mean 'base:1', which is here?"
    assert told_by(tmp_path, store, "FROM bsae:1\nCOPY --from=baes:1 etc/motd etc/\nCOPY no\\ thing etc/\n")[:2] == [
        (f"1: image 'bsae:1': {later}", meant),
        (f"2: image 'baes:1': {later}", meant),
    ]


@pytest.mark.parametrize("other", ["COPY --from=elsewhere:7 etc/motd etc/\nCOPY none etc/", "CPOY a b\nCOPY none etc/"])
def test_an_app_that_is_not_there_is_told_when_what_else_is_wrong_brings_none(
    other: str, store: Store, tmp_path: Path
) -> None:
    found = told_by(tmp_path, store, f'FROM base:1\n{other}\nLAUNCH ["callico"]\n')
    assert ("4: app 'callico': there is none", "did you mean 'calico'?") in found
