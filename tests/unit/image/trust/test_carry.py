"""Signatures and bills go where their image goes."""

from __future__ import annotations

import json

import pytest

from sealpy.errors import ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_MANIFEST, Manifest, digest_of, encode, parse
from sealpy.image.trust import SIGNATURE, SigningKey, sign, verify
from sealpy.image.trust.bills import attach_bills
from sealpy.image.trust.carry import bring_documents, send_documents
from sealpy.testing.registry import FakeRegistry
from tests.unit.image.remote.client import Client


@pytest.fixture
def signed(client: Client, key: SigningKey) -> ClusterImage:
    image = client.image()
    sign(image.store, image.reference, key)
    attach_bills(image)
    client.push(image)
    return image


def leave_only(registry: FakeRegistry, digest: str, document: bytes) -> None:
    """Leave of all that refers to an image one document, under the tag of its signatures."""
    for repository, name in list(registry.manifests):
        if name.startswith("sha256:") and name != digest:
            del registry.manifests[repository, name]
    for name in (digest.replace(":", "-") + ".sig", digest_of(document)):
        registry.manifests["team/shop", name] = (OCI_MANIFEST, document)


def brought(client: Client) -> int:
    client.pull()
    there = client.store("there")
    return bring_documents(there, client.remotes().sources(client.name()), there.resolve(client.name()))


@pytest.mark.parametrize("way", ["referrers", "tag in their place"])
def test_what_refers_to_an_image_goes_with_it(
    client: Client, registry: FakeRegistry, signed: ClusterImage, key: SigningKey, way: str
) -> None:
    registry.has_referrers = way == "referrers"
    assert send_documents(signed.store, client.remotes(), signed.descriptor, client.name()) == 3
    assert brought(client) == 3
    there = client.store("there")
    assert verify(there, client.name(), [key.public]) == (key.public,)
    assert there.referrers(signed.digest) != ()
    assert {d.digest for d in there.referrers(signed.digest)} == {
        d.digest for d in signed.store.referrers(signed.digest)
    }


def test_what_is_there_is_not_sent_again(client: Client, registry: FakeRegistry, signed: ClusterImage) -> None:
    send_documents(signed.store, client.remotes(), signed.descriptor, client.name())
    registry.seen.clear()
    assert send_documents(signed.store, client.remotes(), signed.descriptor, client.name()) == 0
    assert {seen.method for seen in registry.seen} <= {"GET", "HEAD"}
    assert len(registry.asked("HEAD .*/manifests/")) == 3


def test_a_signature_has_the_tag_by_which_cosign_looks_for_it(
    client: Client, registry: FakeRegistry, signed: ClusterImage
) -> None:
    send_documents(signed.store, client.remotes(), signed.descriptor, client.name())
    [document] = signed.store.referrers(signed.digest, artifact_type=SIGNATURE)
    tag = signed.digest.replace(":", "-") + ".sig"
    assert registry.manifests["team/shop", tag][1] == signed.store.read(document.digest)


def test_a_signature_that_cosign_put_under_a_tag_is_brought(
    client: Client, registry: FakeRegistry, signed: ClusterImage, key: SigningKey
) -> None:
    send_documents(signed.store, client.remotes(), signed.descriptor, client.name())
    [document] = signed.store.referrers(signed.digest, artifact_type=SIGNATURE)
    manifest = parse(Manifest, signed.store.read(document.digest), what="signature")
    bare = manifest.model_copy(update={"subject": None})  # as cosign writes it without being told otherwise
    leave_only(registry, signed.digest, encode(bare))
    assert brought(client) == 1
    assert verify(client.store("there"), client.name(), [key.public]) == (key.public,)


def test_an_image_that_nothing_refers_to_brings_nothing(client: Client) -> None:
    client.push(client.image())
    assert brought(client) == 0


def test_a_document_that_refers_to_another_image_is_refused(
    client: Client, registry: FakeRegistry, signed: ClusterImage
) -> None:
    send_documents(signed.store, client.remotes(), signed.descriptor, client.name())
    [document] = signed.store.referrers(signed.digest, artifact_type=SIGNATURE)
    moved = json.loads(signed.store.read(document.digest))
    moved["subject"]["digest"] = "sha256:" + "0" * 64
    leave_only(registry, signed.digest, json.dumps(moved).encode())
    with pytest.raises(ImageError, match="refers to sha256:000"):
        brought(client)
