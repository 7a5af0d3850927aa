"""What the protocol demands of a registry, asked of the real one and of the fake that stands for it in unit tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.errors import RemoteError
from sealpy.image.manifest import OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest, digest_of, encode
from sealpy.image.reference import Reference
from sealpy.image.remote.credentials import Credentials
from sealpy.image.remote.remotes import Remotes
from sealpy.image.remote.repository import Repository
from sealpy.image.remote.upload import Blob
from sealpy.testing.registry import FakeRegistry
from tests.registry.servers import Distribution

DATA = os.urandom(200_000)
DIGEST = digest_of(DATA)


@pytest.fixture
def address(request: pytest.FixtureRequest, kind: str) -> Iterator[str]:
    if kind != "fake":
        running: dict[str, Distribution] = request.getfixturevalue("registries")
        if kind not in running:
            pytest.skip("Debian's registry comes by apt-get, which is not here")
        yield running[kind].address
    else:
        with FakeRegistry.running() as fake:
            yield fake.address


@pytest.fixture
def blob(tmp_path: Path) -> Blob:
    (tmp_path / "blob").write_bytes(DATA)
    return Blob(DIGEST, len(DATA), tmp_path / "blob")


def a_repository(address: str) -> Repository:
    remotes = Remotes(Credentials([Path("/nonexistent")]), emit=lambda _: None)
    return remotes.repository(Reference.parse(f"{address}/contract/{uuid.uuid4().hex}:1"))


@pytest.fixture
def repository(address: str) -> Repository:
    return a_repository(address)


def a_manifest(repository: Repository, blob: Blob, config: Path) -> bytes:
    """Push the parts of an image and give its manifest."""
    config.write_bytes(b"{}")
    repository.put_blob(blob)
    repository.put_blob(Blob(digest_of(b"{}"), 2, config))
    return encode(
        Manifest(
            config=Descriptor(media_type=OCI_CONFIG, digest=digest_of(b"{}"), size=2),
            layers=(Descriptor(media_type=OCI_LAYER, digest=DIGEST, size=len(DATA)),),
        )
    )


pytestmark = pytest.mark.parametrize("kind", ["fake", "plain", "debian"])


def test_a_blob_is_not_there_then_sent_then_there_whole_or_from_an_offset(repository: Repository, blob: Blob) -> None:
    assert not repository.has_blob(DIGEST)
    assert repository.put_blob(blob)
    assert repository.has_blob(DIGEST)
    for offset in (0, 1, 150_000, len(DATA) - 1):
        with repository.blob(DIGEST, offset=offset) as (response, begins):
            assert begins == offset
            assert b"".join(response.pieces(len(DATA))) == DATA[offset:]


def test_a_blob_is_taken_in_chunks(repository: Repository, blob: Blob) -> None:
    assert repository.put_blob(blob, chunk=64 << 10)
    with repository.blob(DIGEST) as (response, _):
        assert b"".join(response.pieces(len(DATA))) == DATA


def test_an_empty_blob_is_a_blob(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert repository.put_blob(Blob(digest_of(b""), 0, tmp_path / "empty"))
    assert repository.has_blob(digest_of(b""))


def test_a_blob_of_other_bytes_is_refused(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"x" * len(DATA))
    with pytest.raises(RemoteError) as caught:
        repository.put_blob(Blob(DIGEST, len(DATA), tmp_path / "other"))
    assert caught.value.status == 400
    assert not repository.has_blob(DIGEST)


def test_a_neighbours_blob_is_mounted_and_a_missing_one_is_sent(
    address: str, repository: Repository, blob: Blob
) -> None:
    neighbour = a_repository(address)
    assert neighbour.put_blob(blob)
    assert not repository.put_blob(blob, mount_from=neighbour.path)
    assert repository.has_blob(DIGEST)
    assert a_repository(address).put_blob(blob, mount_from="contract/none")


def test_a_manifest_comes_back_byte_for_byte_by_tag_and_by_digest(
    repository: Repository, blob: Blob, tmp_path: Path
) -> None:
    data = a_manifest(repository, blob, tmp_path / "config")
    assert repository.digest("1") == ""
    repository.put_manifest("1", data, media_type=OCI_MANIFEST)
    assert repository.digest("1") == digest_of(data)
    for reference in ("1", digest_of(data)):
        descriptor, read = repository.manifest(reference)
        assert (read, descriptor.media_type, descriptor.size) == (data, OCI_MANIFEST, len(data))
    assert repository.tags() == ("1",)


@pytest.mark.parametrize("reference", ["none", "sha256:" + "0" * 64])
def test_a_manifest_that_is_not_there_is_told(repository: Repository, reference: str) -> None:
    with pytest.raises(RemoteError, match="404 MANIFEST_UNKNOWN"):
        repository.manifest(reference)


def test_what_refers_to_an_image_is_listed(repository: Repository, blob: Blob, tmp_path: Path) -> None:
    data = a_manifest(repository, blob, tmp_path / "config")
    repository.put_manifest("1", data, media_type=OCI_MANIFEST)
    subject = Descriptor(media_type=OCI_MANIFEST, digest=digest_of(data), size=len(data))
    assert repository.referrers(subject.digest) == ()
    kind = "application/vnd.example"
    referring = encode(Manifest.model_validate_json(data)).decode().removesuffix("}")
    referring += f',"artifactType":"{kind}","subject":{encode(subject).decode()}}}'
    listed = Descriptor(
        media_type=OCI_MANIFEST, digest=digest_of(referring.encode()), size=len(referring), artifact_type=kind
    )
    repository.attach(referring.encode(), media_type=OCI_MANIFEST, subject=subject.digest, listed=listed)
    [found] = repository.referrers(subject.digest, artifact_type=kind)
    assert found.digest == listed.digest
