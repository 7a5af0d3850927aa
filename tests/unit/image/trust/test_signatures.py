"""Signatures of images, and what they are good for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import Manifest, parse
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk
from sealpy.image.trust import SIGNATURE, SigningKey, Verification, admit, sign, signatures, verify


@pytest.mark.usefixtures("image")
def test_who_signed_an_image_is_known(store: Store, key: SigningKey, other_key: SigningKey) -> None:
    sign(store, "shop:1", key)
    assert verify(store, "shop:1", [other_key.public, key.public]) == (key.public,)


def test_the_text_that_is_signed_names_repository_and_digest(
    store: Store, image: ClusterImage, key: SigningKey
) -> None:
    sign(store, "shop:1", key)
    [signature] = signatures(store, image.digest)
    critical = json.loads(signature.payload)["critical"]
    assert critical["identity"] == {"docker-reference": "docker.io/library/shop"}
    assert critical["image"] == {"docker-manifest-digest": image.digest}


def test_signing_changes_no_digest_and_no_list_of_images(store: Store, image: ClusterImage, key: SigningKey) -> None:
    sign(store, "shop:1", key)
    assert [(one.reference.familiar, one.descriptor.digest) for one in store.images()] == [("shop:1", image.digest)]


def test_signatures_of_several_stand_beside_each_other(
    store: Store, image: ClusterImage, key: SigningKey, other_key: SigningKey
) -> None:
    for signer in (key, other_key, key):
        sign(store, "shop:1", signer)
    [document] = store.referrers(image.digest)
    manifest = parse(Manifest, store.read(document.digest), what="signatures")
    assert (document.artifact_type, len(manifest.layers)) == (SIGNATURE, 2)
    assert set(verify(store, "shop:1", [key.public, other_key.public])) == {key.public, other_key.public}


def test_an_image_that_nobody_signed_is_told_from_one_that_another_signed(
    store: Store, image: ClusterImage, key: SigningKey, other_key: SigningKey
) -> None:
    with pytest.raises(ImageError, match=rf"shop:1: not signed \({image.digest}\)"):
        verify(store, "shop:1", [key.public])
    sign(store, "shop:1", other_key)
    with pytest.raises(ImageError, match=r"shop:1: signed, but not by .*ann\.pub"):
        verify(store, "shop:1", [key.public])


def test_the_signature_of_another_image_does_not_count(store: Store, image: ClusterImage, key: SigningKey) -> None:
    """Somebody lists the right signature of a good image beside a bad one."""
    sign(store, "shop:1", key)
    [good] = store.referrers(image.digest)
    layers = [write_layer(store, walk({"etc/motd": b"evil\n"}))]
    evil = assemble(store, "evil:1", base=None, layers=layers, metadata=Metadata())
    manifest = parse(Manifest, store.read(good.digest), what="signatures")
    moved = manifest.model_copy(update={"subject": evil.descriptor.model_copy(update={"annotations": None})})
    document = store.put(moved.model_dump_json(by_alias=True, exclude_none=True).encode(), media_type=good.media_type)
    store.attach(document.model_copy(update={"artifact_type": SIGNATURE}), subject=evil.digest)
    with pytest.raises(ImageError, match="evil:1: not signed"):
        verify(store, "evil:1", [key.public])


def test_signatures_go_with_the_last_name_of_their_image(store: Store, image: ClusterImage, key: SigningKey) -> None:
    store.tag("shop:2", image.descriptor)
    sign(store, "shop:1", key)
    store.remove("shop:1")
    assert verify(store, "shop:2", [key.public])
    store.remove("shop:2")
    assert (store.entries(), store.blobs()) == ((), set())


def test_pruning_keeps_the_signatures_of_images_and_removes_those_of_images_that_are_gone(
    store: Store, image: ClusterImage, key: SigningKey
) -> None:
    sign(store, "shop:1", key)
    assert store.prune().blobs == 0
    store.tag("shop:1", assemble(store, "other:1", base=None, layers=[], metadata=Metadata()).descriptor)
    store.prune()
    assert store.referrers(image.digest) == ()
    assert not store.has(image.digest)


ALWAYS, IF_POSSIBLE, NEVER = Verification.ALWAYS, Verification.IF_POSSIBLE, Verification.NEVER
NO_KEY, NOT_SIGNED = "not verified: no key is trusted here", "not verified: it is not signed"


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize(
    ("signed", "trusted", "how", "outcome"),
    [
        ("by ann", "ann", ALWAYS, ""),
        ("by ann", "ann", IF_POSSIBLE, ""),
        ("by ann", "bob", ALWAYS, "refused: signed, but not by"),
        ("by ann", "bob", IF_POSSIBLE, "refused: signed, but not by"),
        ("by ann", "bob", NEVER, ""),
        ("by ann", "nobody", ALWAYS, "refused: cannot be verified"),
        ("by ann", "nobody", IF_POSSIBLE, NO_KEY),
        ("by nobody", "ann", ALWAYS, "refused: not signed"),
        ("by nobody", "ann", IF_POSSIBLE, NOT_SIGNED),
        ("by nobody", "nobody", ALWAYS, "refused: cannot be verified"),
        ("by nobody", "nobody", IF_POSSIBLE, ""),
        ("by nobody", "nobody", NEVER, ""),
    ],
)
def test_an_image_is_admitted_or_refused(
    store: Store,
    key: SigningKey,
    other_key: SigningKey,
    signed: str,
    trusted: str,
    how: Verification,
    outcome: str,
) -> None:
    if signed == "by ann":
        sign(store, "shop:1", key)
    keys = {"ann": [key.public], "bob": [other_key.public], "nobody": []}[trusted]
    try:
        told = admit(store, "shop:1", keys, how)
    except ImageError as error:
        told = error.message.replace("shop:1: ", "refused: ")
    assert told.removeprefix("shop:1: ").startswith(outcome)
    assert bool(told) == bool(outcome)


def test_the_home_of_keys_is_not_touched_by_verifying(tmp_path: Path, store: Store, image: ClusterImage) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    admit(store, image.reference, [], IF_POSSIBLE)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
