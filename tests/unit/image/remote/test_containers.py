"""Container images for a cluster image, straight from their registries."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.building.build import Built, build
from sealpy.image.building.private_list import ListedCredentials, read_private_list
from sealpy.image.building.wish import Wish
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, Platform, digest_of
from sealpy.image.progress import Progress
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, blob_path
from sealpy.image.remote.containers import Brought, bring
from sealpy.image.remote.remotes import Remotes
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client

SHARED = b"a layer that two images share" * 1000
AMD64 = Platform(architecture="amd64")


def put(registry: FakeRegistry, name: str, *layers: bytes, architecture: str = "amd64") -> tuple[str, int]:
    """Have a container image in the registry; gives the digest of its manifest, and its size."""
    path, _, tag = name.partition(":")

    def described(data: bytes, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": registry.put_blob(path, data), "size": len(data)}

    config = json.dumps({"architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}})
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described(config.encode(), OCI_CONFIG),
        "layers": [described(layer, OCI_LAYER_GZIP) for layer in layers],
    }
    data = json.dumps(manifest).encode()
    return registry.put_manifest(path, tag, data, media_type=OCI_MANIFEST), len(data)


def put_list(registry: FakeRegistry, name: str, **platforms: bytes) -> str:
    path, _, tag = name.partition(":")
    entries = []
    for architecture, layer in platforms.items():
        digest, size = put(registry, f"{path}:{tag}-{architecture}", layer, architecture=architecture)
        platform = {"os": "linux", "architecture": architecture}
        entries.append({"mediaType": OCI_MANIFEST, "digest": digest, "size": size, "platform": platform})
    data = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return registry.put_manifest(path, tag, data, media_type=OCI_INDEX)


def brought(client: Client, *names: str) -> Brought:
    references = [Reference.parse(f"{client.registry.address}/{name}") for name in names]
    progress = Progress(client.events.append, "build")
    return bring(references, store=client.store(), remotes=client.remotes(), platform=AMD64, progress=progress)


def made(client: Client, tmp_path: Path, *names: str, tag: str = "shop:1", base: str = "scratch") -> Built:
    """Build a cluster image with these container images."""
    context = tmp_path / tag.replace(":", "-")
    context.mkdir()
    listed = "".join(f"{client.registry.address}/{name}\n" for name in names)
    (context / "imageList").write_text(listed)
    (context / "Kubefile").write_text(f"FROM {base}\nCOPY imageList manifests/imageList\n")
    wish = Wish(kubefile=context / "Kubefile", context=context, tag=Reference.parse(tag), platforms=[AMD64])

    def take(references: tuple[Reference, ...], platform: Platform, progress: Progress) -> Brought:
        return bring(references, store=client.store(), remotes=client.remotes(), platform=platform, progress=progress)

    return build(wish, store=client.store(), emit=client.events.append, bring=take)  # type: ignore[arg-type]


def holds(image: ClusterImage, *blobs: bytes) -> bool:
    return all(image.read(blob_path(digest_of(blob))) == blob for blob in blobs)


def test_images_go_into_the_cluster_image_with_their_very_bytes(
    client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    digest, _ = put(registry, "web:1", SHARED, b"own")
    [image] = made(client, tmp_path, "web:1").images
    assert holds(image, SHARED, b"own", registry.manifests["web", "1"][1])
    domain = registry.address.replace(":", "_")
    link = f"{ROOT}/repositories/{domain}/web/_manifests/tags/1/current/link"
    assert image.read(link).decode() == digest


def test_a_blob_that_two_images_share_is_fetched_once(client: Client, registry: FakeRegistry) -> None:
    put(registry, "web:1", SHARED, b"one")
    put(registry, "api:1", SHARED, b"two")
    assert set(brought(client, "web:1", "api:1").images) == {client.name("web:1"), client.name("api:1")}
    assert len(registry.asked(f"GET .*/blobs/{digest_of(SHARED)}")) == 1


def test_a_blob_that_a_cluster_image_here_holds_is_not_fetched_again(
    client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    put(registry, "web:1", SHARED, b"one")
    made(client, tmp_path, "web:1")
    client.store().prune()
    assert not client.store().has(digest_of(SHARED))
    put(registry, "web:2", SHARED, b"two")
    registry.seen.clear()
    [image] = made(client, tmp_path, "web:2", tag="shop:2").images
    assert holds(image, SHARED, b"two")
    fetched = {seen.path.rpartition("/")[2] for seen in registry.asked("GET .*/blobs/")}
    assert fetched == {digest_of(b"two")}


def test_what_the_base_holds_is_not_asked_for(client: Client, registry: FakeRegistry, tmp_path: Path) -> None:
    put(registry, "web:1", SHARED)
    made(client, tmp_path, "web:1")
    registry.seen.clear()
    made(client, tmp_path, "web:1", tag="shop:2", base="shop:1")
    assert registry.seen == []


def test_of_a_list_the_wanted_platform_comes_and_the_list_is_kept(
    client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    index = put_list(registry, "web:1", amd64=b"for amd64", arm64=b"for arm64")
    [image] = made(client, tmp_path, "web:1", f"web@{index}").images
    assert holds(image, b"for amd64", registry.manifests["web", index][1])
    assert blob_path(digest_of(b"for arm64")) not in image.files


def test_the_same_input_gives_the_same_digest_whatever_was_here_before(
    client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    put(registry, "web:1", SHARED, b"one")
    first = made(client, tmp_path, "web:1").digest
    (tmp_path / "shop-1").rename(tmp_path / "before")
    client.store().remove("shop:1")
    assert made(client, tmp_path, "web:1").digest == first


def test_every_image_that_does_not_come_is_told_with_its_place(
    client: Client, registry: FakeRegistry, tmp_path: Path
) -> None:
    put(registry, "web:1", SHARED)
    put_list(registry, "only-arm:1", arm64=b"x")
    with pytest.raises(ImageError, match="2 container images did not come") as caught:
        made(client, tmp_path, "web:1", "none:1", "only-arm:1")
    told = [str(problem) for problem in caught.value.problems]
    assert "imageList:2" in told[0]
    assert "manifest unknown" in told[0]
    assert "imageList:3" in told[1]
    assert "no image for linux/amd64" in told[1]
    assert registry.asked("GET .*/blobs/") == []
    assert client.store().images() == ()


def test_an_image_for_another_platform_alone_is_refused(client: Client, registry: FakeRegistry) -> None:
    put(registry, "web:1", b"x", architecture="arm64")
    [error] = brought(client, "web:1").failures.values()
    assert "it is for linux/arm64 alone, not for linux/amd64" in error.message


def test_what_was_cut_goes_on_where_it_ended(client: Client, registry: FakeRegistry) -> None:
    put(registry, "web:1", SHARED)
    registry.faults.append(Fault(f"GET .*/blobs/{digest_of(SHARED)}", cut=10_000))
    assert brought(client, "web:1").images
    assert registry.asked(f"GET .*/blobs/{digest_of(SHARED)}")[-1].headers["Range"] == "bytes=10000-"


def test_a_login_of_a_private_list_opens_its_own_repository_alone(client: Client, tmp_path: Path) -> None:
    for name in ("team/web:1", "team/other:1"):
        put(client.registry, name, b"layer")
    client.registry.login = ("robot", "geheim")
    listed = tmp_path / "auth.yaml"
    listed.write_text(
        f"- {{registry: '{client.registry.address}', username: robot, password: geheim, images: [team/web:1]}}\n"
    )
    logins = ListedCredentials((), read_private_list(listed).logins, keep_secret=client.secrets.append)
    remotes = Remotes(logins, emit=client.events.append, pause=client.pauses.append)
    progress = Progress(client.events.append, "build")

    def found(name: str) -> Brought:
        reference = Reference.parse(f"{client.registry.address}/{name}")
        return bring([reference], store=client.store(), remotes=remotes, platform=AMD64, progress=progress)

    assert len(found("team/web:1").images) == 1
    assert [error.message for error in found("team/other:1").failures.values()] != []
