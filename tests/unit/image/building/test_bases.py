"""FROM: which image a build begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import KubefileError, Place, RemoteError
from sealpy.image.assemble import write_image, write_index
from sealpy.image.building.bases import Bases
from sealpy.image.manifest import Descriptor, Platform
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.kubefile import From

AT = Place("Kubefile", 1)
AMD, ARM = Platform(architecture="amd64"), Platform(architecture="arm64")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "images")
    with store.keeping():
        made = [made_for(store, platform) for platform in (AMD, ARM)]
        store.tag("both:1", write_index(store, made))
        store.tag("amd:1", made[0])
    return store


def made_for(store: Store, platform: Platform) -> Descriptor:
    metadata = Metadata(labels={"arch": platform.architecture})
    return write_image(store, base=None, layers=[], metadata=metadata, platform=platform)


def opened(store: Store, image: str, platform: Platform, *, wanted: str = "") -> str:
    """Give the architecture of what FROM opens; empty for nothing."""
    found = Bases(store=store, platform=platform).open(From(line=1, image=image, platform=wanted), AT)
    return found.metadata.labels["arch"] if found else ""


def test_scratch_is_nothing(store: Store) -> None:
    assert opened(store, "scratch", ARM) == ""


def test_of_an_index_the_image_for_the_platform_is_taken(store: Store) -> None:
    assert [opened(store, "both:1", platform) for platform in (AMD, ARM)] == ["amd64", "arm64"]
    assert opened(store, "both:1", ARM, wanted="linux/arm64") == "arm64"
    assert opened(store, "amd:1", AMD) == "amd64"


@pytest.mark.parametrize(
    ("image", "platform", "wanted", "message"),
    [
        ("amd:1", ARM, "", "Kubefile:1: image 'amd:1' is for linux/amd64, not for linux/arm64"),
        ("both:1", Platform(architecture="s390x"), "", "Kubefile:1: both:1: no image for linux/s390x"),
        (
            "both:1",
            AMD,
            "linux/arm64",
            "Kubefile:1: FROM: --platform=linux/arm64, but the image is built for linux/amd64",
        ),
        ("amd:2", AMD, "", "Kubefile:1: image 'amd:2': not among the local images"),
        ("Amd:1", AMD, "", "Kubefile:1: image name 'Amd:1'"),
    ],
)
def test_a_base_that_does_not_fit_is_refused_with_its_place(
    store: Store, image: str, platform: Platform, wanted: str, message: str
) -> None:
    with pytest.raises(KubefileError) as caught:
        opened(store, image, platform, wanted=wanted)
    assert caught.value.message.startswith(message)
    assert caught.value.hint


def test_who_may_bring_a_base_is_asked_for_it_with_the_platform(store: Store) -> None:
    asked: list[tuple[str, str]] = []

    def obtain(reference: Reference, platform: Platform) -> Descriptor:
        asked.append((reference.familiar, platform.architecture))
        if reference.familiar == "gone:1":
            raise RemoteError("gone:1: not found", hint="see to the name")
        return store.resolve("both:1")

    bases = Bases(store=store, platform=ARM, obtain=obtain)
    image = bases.open(From(line=1, image="far:1"), AT)
    assert image is not None
    assert image.config.architecture == "arm64"
    with pytest.raises(KubefileError, match="Kubefile:1: gone:1: not found"):
        bases.open(From(line=1, image="gone:1"), AT)
    assert asked == [("far:1", "arm64"), ("gone:1", "arm64")]
