"""Lists of a repository: tags, and what refers to an image."""

from __future__ import annotations

import json

import pytest

from sealpy.errors import RemoteError
from sealpy.image.manifest import OCI_MANIFEST, Descriptor, Manifest, digest_of, encode
from sealpy.image.remote.repository import Repository
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client

SIGNATURE = "application/vnd.example.signature"


@pytest.fixture
def repository(client: Client) -> Repository:
    return client.remotes().repository(client.name())


def attach(repository: Repository, subject: Descriptor, text: str) -> Descriptor:
    """Write a little manifest that refers to another."""
    data = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": SIGNATURE,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2},
            "layers": [],
            "annotations": {"text": text},
            "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size},
        }
    ).encode()
    listed = Descriptor(media_type=OCI_MANIFEST, digest=digest_of(data), size=len(data), artifact_type=SIGNATURE)
    repository.attach(data, media_type=OCI_MANIFEST, subject=subject.digest, listed=listed)
    return listed


@pytest.mark.parametrize("page", [0, 1, 2, 7])
def test_every_tag_is_listed_whatever_fits_on_a_page(repository: Repository, registry: FakeRegistry, page: int) -> None:
    registry.page = page
    names = [f"v{n}" for n in range(5)]
    for name in names:
        registry.put_manifest("team/shop", name, b"{}", media_type=OCI_MANIFEST)
    assert list(repository.tags()) == names


def test_a_list_that_leads_to_itself_ends(repository: Repository, registry: FakeRegistry) -> None:
    headers = {"Link": '</v2/team/shop/tags/list>; rel="next"'}
    registry.faults.append(Fault("GET .*/tags/list", times=-1, status=200, body=b'{"tags":["a"]}', headers=headers))
    assert repository.tags() == ("a",)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"tags": 5}'])
def test_what_is_no_list_is_refused(repository: Repository, registry: FakeRegistry, body: bytes) -> None:
    registry.faults.append(Fault("GET .*/tags/list", times=-1, status=200, body=body))
    with pytest.raises(RemoteError, match="tags: the"):
        repository.tags()


def test_a_repository_that_is_not_there_is_told(repository: Repository) -> None:
    with pytest.raises(RemoteError, match=r"repository name not known to registry \(404 NAME_UNKNOWN\)"):
        repository.tags()


@pytest.mark.parametrize("has_referrers", [True, False], ids=["by the list", "by a tag"])
def test_what_refers_to_an_image_is_found(
    repository: Repository, registry: FakeRegistry, *, has_referrers: bool
) -> None:
    registry.has_referrers = has_referrers
    data = encode(Manifest(config=Descriptor(media_type="x", digest=digest_of(b"{}"), size=2)))
    subject = Descriptor(media_type=OCI_MANIFEST, digest=digest_of(data), size=len(data))
    registry.put_manifest("team/shop", "1", data, media_type=OCI_MANIFEST)
    assert repository.referrers(subject.digest) == ()
    one, two = attach(repository, subject, "one"), attach(repository, subject, "two")
    attach(repository, subject, "two")  # a second time is no second entry
    assert {found.digest for found in repository.referrers(subject.digest)} == {one.digest, two.digest}
    assert len(repository.referrers(subject.digest, artifact_type=SIGNATURE)) == 2
    assert repository.referrers(subject.digest, artifact_type="another") == ()
    tag = subject.digest.replace(":", "-")
    assert (("team/shop", tag) in registry.manifests) is not has_referrers
