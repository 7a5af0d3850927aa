"""From a registry into the store, also when the registry misbehaves."""

from __future__ import annotations

import email.utils
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from sealpy.errors import ConfigError, DigestMismatchError, ImageError, RemoteAuthError, RemoteError, StoreError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_INDEX, OCI_MANIFEST, Descriptor, Index, Platform, encode
from sealpy.image.remote.platforms import platform_name, read_platform
from sealpy.image.remote.settings import Setting
from sealpy.image.store import Store
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client


@pytest.fixture
def image(client: Client) -> ClusterImage:
    """Push an image and give it."""
    made = client.image()
    client.push(made)
    client.registry.seen.clear()
    return made


def partials(store: Store) -> dict[str, int]:
    return {
        path.name: path.stat().st_size for path in (store.root / "incoming").glob("*.partial") if path.stat().st_size
    }


def test_a_pulled_image_is_the_one_that_was_pushed(client: Client, image: ClusterImage) -> None:
    pulled = client.pull()
    assert (pulled.descriptor.digest, pulled.blobs, pulled.missing) == (image.digest, 3, 3)
    assert pulled.fetched == image.size - image.descriptor.size
    there = client.store("there")
    assert there.resolve(client.name()).digest == image.digest
    assert all(there.has(layer.digest) for layer in image.manifest.layers)
    assert list((there.root / "incoming").iterdir()) == []


@pytest.mark.usefixtures("image")
def test_what_is_here_already_is_not_fetched_again(client: Client, registry: FakeRegistry) -> None:
    client.pull()
    registry.seen.clear()
    assert client.pull().fetched == 0
    assert [seen.method for seen in registry.seen] == ["GET", "GET"]  # how it is spoken to, and the manifest


def test_a_cut_pull_goes_on_in_the_same_run(client: Client, image: ClusterImage, registry: FakeRegistry) -> None:
    registry.faults.append(Fault(f"GET .*/blobs/{image.manifest.layers[0].digest}", cut=100_000))
    pulled = client.pull()
    ranges = [seen.headers["Range"] for seen in registry.seen if "Range" in seen.headers]
    assert ranges == ["bytes=100000-"]
    assert pulled.fetched == image.size - image.descriptor.size


def test_a_pull_that_failed_goes_on_in_the_next_run(
    client: Client, image: ClusterImage, registry: FakeRegistry
) -> None:
    layer = image.manifest.layers[0]
    blob = f"GET .*/blobs/{layer.digest}"
    registry.faults += [Fault(blob, cut=120_000), Fault(blob, times=1, status=403)]
    with pytest.raises(RemoteError):
        client.pull()
    there = client.store("there")
    assert there.images() == ()
    assert partials(there) == {f"{layer.digest[7:]}.partial": 120_000}
    before = sum(d.size for d in (image.manifest.config, *image.manifest.layers) if there.has(d.digest))
    pulled = client.pull()
    assert pulled.fetched == image.size - image.descriptor.size - 120_000 - before
    assert partials(there) == {}


def test_a_registry_without_ranges_is_asked_for_all_again(
    client: Client, image: ClusterImage, registry: FakeRegistry
) -> None:
    registry.has_ranges = False
    registry.faults.append(Fault(f"GET .*/blobs/{image.manifest.layers[0].digest}", cut=100_000))
    assert client.pull().fetched == image.size - image.descriptor.size + 100_000


def test_bytes_of_an_earlier_try_that_turned_bad_are_fetched_anew(client: Client, image: ClusterImage) -> None:
    layer = image.manifest.layers[0]
    there = client.store("there")
    with there.partial(layer.digest) as writer:
        writer.write(b"these are not the bytes" * 100)
    client.pull()
    data = there.blob_path(layer.digest).read_bytes()
    assert hashlib.sha256(data).hexdigest() == layer.digest[7:]


@pytest.mark.usefixtures("image")
def test_a_connection_that_is_cut_again_and_again_without_a_byte_is_given_up(
    client: Client, registry: FakeRegistry
) -> None:
    registry.faults.append(Fault("GET .*/blobs/", times=-1, cut=0))
    with pytest.raises(RemoteError, match="cut"):
        client.pull()
    assert client.pauses


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("GET .*/blobs/", times=-1, body=b"x" * 400_000), "the manifest says .* bytes, the registry has more"),
        (Fault("GET .*/blobs/", times=-1, body=b"x" * 500_000, length=-1), "the registry has more"),
        (Fault("GET .*/blobs/", times=-1, body=b"x"), "bytes, the registry has 1"),
    ],
    ids=["more, and says so", "more, and says nothing", "less"],
)
@pytest.mark.usefixtures("image")
def test_a_blob_of_another_size_than_the_manifest_says_is_refused(
    client: Client, registry: FakeRegistry, fault: Fault, message: str
) -> None:
    registry.faults.append(fault)
    with pytest.raises(DigestMismatchError, match=message):
        client.pull()
    there = client.store("there")
    assert there.images() == ()
    assert list(there.blob_path("").iterdir()) == []


def test_a_blob_of_other_bytes_is_refused_and_not_kept(
    client: Client, image: ClusterImage, registry: FakeRegistry
) -> None:
    layer = image.manifest.layers[0]
    registry.faults.append(Fault(f"GET .*/blobs/{layer.digest}", times=-1, body=b"y" * layer.size))
    with pytest.raises(DigestMismatchError, match=f"{layer.digest}: its bytes have another digest"):
        client.pull()
    assert partials(client.store("there")).get(f"{layer.digest[7:]}.partial", 0) == 0


def test_a_manifest_that_is_not_what_its_digest_says_is_refused(
    client: Client, image: ClusterImage, registry: FakeRegistry
) -> None:
    registry.manifests["team/shop", image.digest] = (OCI_MANIFEST, b"{}")
    with pytest.raises(DigestMismatchError, match="the registry sent sha256:"):
        client.pull(client.name(f"team/shop@{image.digest}"))


@pytest.mark.usefixtures("image")
def test_a_manifest_that_never_ends_is_refused(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("GET .*/manifests/", body=b" " * (5 << 20)))
    with pytest.raises(RemoteError, match="sends more than 4194304 bytes"):
        client.pull()


@pytest.mark.parametrize("status", [500, 502, 503, 429])
@pytest.mark.usefixtures("image")
def test_what_may_pass_is_tried_again(client: Client, registry: FakeRegistry, status: int) -> None:
    registry.faults.append(Fault("GET .*/manifests/", times=2, status=status))
    client.pull()
    assert client.pauses == [0.5, 1.0]
    assert any(str(status) in warning for warning in client.warnings)


@pytest.mark.usefixtures("image")
def test_a_registry_is_left_alone_for_as_long_as_it_asks(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("GET .*/manifests/", status=429, headers={"Retry-After": "7"}))
    client.pull()
    assert client.pauses == [7.0]


@pytest.mark.usefixtures("image")
@pytest.mark.usefixtures("image")
def test_a_registry_may_say_by_a_date_how_long_it_wants_to_be_left_alone(
    client: Client, registry: FakeRegistry
) -> None:
    date = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=55), usegmt=True)
    registry.faults.append(Fault("GET .*/manifests/", status=503, headers={"Retry-After": date}))
    client.pull()
    [pause] = client.pauses
    assert 25 < pause <= 55


def test_a_registry_that_asks_for_hours_is_not_waited_for(client: Client, registry: FakeRegistry) -> None:
    body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "pull rate limit reached"}]}).encode()
    headers = {"Retry-After": "21600"}
    registry.faults.append(Fault("GET .*/manifests/", times=-1, status=429, headers=headers, body=body))
    with pytest.raises(RemoteError, match=r"pull rate limit reached \(429 TOOMANYREQUESTS\)"):
        client.pull()
    assert client.pauses == []


@pytest.mark.usefixtures("image")
def test_an_error_that_stays_is_told_after_some_tries(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("GET .*/manifests/", times=-1, status=500))
    with pytest.raises(RemoteError, match="500 internal server error") as caught:
        client.pull()
    assert caught.value.status == 500
    assert len(registry.asked("GET .*/manifests/")) == 5


@pytest.mark.parametrize(("status", "kind"), [(401, RemoteAuthError), (403, RemoteAuthError), (404, RemoteError)])
@pytest.mark.usefixtures("image")
def test_what_does_not_pass_is_not_tried_again(
    client: Client, registry: FakeRegistry, status: int, kind: type[RemoteError]
) -> None:
    headers = {"WWW-Authenticate": 'Basic realm="x"'}
    registry.faults.append(Fault("GET .*/manifests/", times=-1, status=status, headers=headers))
    with pytest.raises(kind) as caught:
        client.pull()
    assert caught.value.status == status
    assert caught.value.hint
    assert client.pauses == []


def test_a_missing_image_is_told_in_the_words_of_the_registry(client: Client) -> None:
    with pytest.raises(RemoteError, match=r"team/shop:1: manifest unknown \(404 MANIFEST_UNKNOWN\)") as caught:
        client.pull()
    assert "sealpy search" in caught.value.hint


def test_a_redirect_in_a_circle_is_noticed(client: Client, image: ClusterImage, registry: FakeRegistry) -> None:
    location = {"Location": f"/v2/team/shop/blobs/{image.manifest.layers[0].digest}"}
    registry.faults.append(Fault("GET .*/blobs/", times=-1, status=307, headers=location))
    with pytest.raises(RemoteError, match="redirects in a circle"):
        client.pull()


@pytest.mark.usefixtures("image")
def test_redirects_without_an_end_are_given_up(client: Client, registry: FakeRegistry) -> None:
    faults = [Fault(f"GET .*[?]{n}$", times=-1, status=302, headers={"Location": f"?{n + 1}"}) for n in range(20)]
    first = Fault("GET .*/manifests/1$", times=-1, status=302, headers={"Location": "?0"})
    registry.faults += [*faults, first]
    with pytest.raises(RemoteError, match="more than 8 redirects"):
        client.pull()


def test_a_login_is_never_sent_on_to_another_host(client: Client, image: ClusterImage, registry: FakeRegistry) -> None:
    registry.login = ("ann", "s3cret-of-ann")
    client.authfile.write_text(json.dumps({"auths": {registry.address: {"auth": "YW5uOnMzY3JldC1vZi1hbm4="}}}))
    layer = image.manifest.layers[0]
    with FakeRegistry.running() as elsewhere:
        elsewhere.put_blob("team/shop", registry.blobs[layer.digest])
        location = {"Location": f"http://{elsewhere.address}/v2/team/shop/blobs/{layer.digest}"}
        registry.faults.append(Fault(f"GET .*/blobs/{layer.digest}", status=307, headers=location))
        client.pull()
        assert [str(seen) for seen in elsewhere.seen] == [f"GET /v2/team/shop/blobs/{layer.digest}"]
        assert "Authorization" not in elsewhere.seen[0].headers
    assert "Authorization" in registry.asked("GET .*/blobs/")[-1].headers
    assert "s3cret-of-ann" in client.secrets  # so that it is shown nowhere


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://x/", "http://192.0.2.1/blob"])
@pytest.mark.usefixtures("image")
def test_a_redirect_to_what_is_no_registry_or_not_safe_is_refused(
    client: Client, registry: FakeRegistry, target: str
) -> None:
    registry.faults.append(Fault("GET .*/blobs/", times=-1, status=307, headers={"Location": target}))
    with pytest.raises(RemoteError, match=r"leads to|without TLS"):
        client.pull()


@pytest.mark.usefixtures("image")
def test_no_room_is_told_before_anything_is_fetched(
    client: Client, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "free_bytes", lambda _: 1000)
    with pytest.raises(StoreError, match="1000 are free"):
        client.pull()
    assert registry.asked("GET .*/blobs/") == []


def test_room_for_what_is_still_to_come_is_enough(
    client: Client, image: ClusterImage, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = image.manifest.layers[0]
    registry.faults += [
        Fault(f"GET .*/blobs/{layer.digest}", cut=250_000),
        Fault(f"GET .*/blobs/{layer.digest}", status=403),
    ]
    with pytest.raises(RemoteError):
        client.pull()
    monkeypatch.setattr(Store, "free_bytes", lambda _: 100_000)
    assert client.pull().descriptor.digest == image.digest


def test_an_image_pulled_by_its_digest_is_found_by_it(client: Client, image: ClusterImage) -> None:
    name = client.name(f"team/shop@{image.digest}")
    client.pull(name)
    [stored] = client.store("there").images()
    assert stored.reference.tag == f"sha256-{image.digest[7:19]}"
    assert client.store("there").resolve(name).digest == image.digest


# ---- platforms


@pytest.fixture
def index(client: Client, registry: FakeRegistry) -> Descriptor:
    """Push an index of two platforms as team/shop:all."""
    one, two = client.image("team/shop:amd64"), client.image("team/shop:arm64", big=b"other")
    client.push(one)
    client.push(two)
    entries = [
        image.descriptor.model_copy(update={"annotations": None, "platform": read_platform(name)})
        for image, name in ((one, "linux/amd64"), (two, "linux/arm64"))
    ]
    data = encode(Index(manifests=tuple(entries)))
    digest = registry.put_manifest("team/shop", "all", data, media_type=OCI_INDEX)
    return Descriptor(media_type=OCI_INDEX, digest=digest, size=len(data))


def entries(client: Client) -> tuple[Descriptor, ...]:
    data = client.registry.manifests["team/shop", "all"][1]
    return Index.model_validate_json(data).manifests


def test_of_an_index_only_the_wanted_platform_is_pulled(client: Client, index: Descriptor) -> None:
    arm64 = entries(client)[1]
    pulled = client.pull(client.name("team/shop:all"), platforms=(read_platform("linux/arm64"),))
    assert pulled.descriptor.digest == arm64.digest
    assert client.store("there").resolve(client.name("team/shop:all")).digest == arm64.digest
    assert not client.store("there").has(index.digest)


def test_all_platforms_come_with_the_index_as_it_is(client: Client, index: Descriptor) -> None:
    pulled = client.pull(client.name("team/shop:all"), platforms=None)
    assert pulled.descriptor.digest == index.digest
    assert pulled.blobs == 6
    assert all(client.store("there").has(entry.digest) for entry in entries(client))


@pytest.mark.usefixtures("index")
def test_some_platforms_come_with_a_narrower_index(client: Client) -> None:
    wanted = (read_platform("linux/amd64"), read_platform("linux/arm64"))
    pulled = client.pull(client.name("team/shop:all"), platforms=wanted)
    listed = Index.model_validate_json(client.store("there").read(pulled.descriptor.digest)).manifests
    assert [entry.digest for entry in listed] == [entry.digest for entry in entries(client)]


@pytest.mark.usefixtures("index")
def test_a_platform_that_is_not_there_is_refused_with_those_that_are(client: Client) -> None:
    with pytest.raises(ImageError, match="no image for linux/s390x") as caught:
        client.pull(client.name("team/shop:all"), platforms=(read_platform("linux/s390x"),))
    assert caught.value.hint == "known here: linux/amd64, linux/arm64"


@pytest.mark.usefixtures("image")
def test_an_image_for_another_platform_alone_is_refused(client: Client) -> None:
    with pytest.raises(ImageError, match="it is for linux/amd64 alone"):
        client.pull(platforms=(read_platform("linux/arm64"),))
    assert client.store("there").images() == ()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("amd64", "linux/amd64"),
        ("", "OS/ARCH"),
        ("a/b/c/d", "OS/ARCH"),
        ("linux/", "OS/ARCH"),
        ("linux/amd46", "did you mean 'amd64'?"),
        ("linux/x86_64", "did you mean 'amd64'?"),
        ("linux/armhf", "did you mean 'arm/v7'?"),
        ("lunix/arm64", "did you mean 'linux'?"),
        ("linux/vax", "known here: 386, amd64"),
    ],
)
def test_a_word_that_is_no_platform_is_refused(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_platform(text)
    assert hint in caught.value.hint


def test_a_platform_is_read_with_its_variant() -> None:
    assert read_platform("linux/arm/v7") == Platform(os="linux", architecture="arm", variant="v7")


@pytest.mark.parametrize(
    "name",
    ["linux/arm/v6", "linux/riscv64", "linux/s390x", "linux/ppc64le", "linux/loong64", "linux/386", "windows/amd64"],
)
def test_an_odd_platform_is_one_as_well(name: str) -> None:
    assert platform_name(read_platform(name)) == name


# ---- mirrors


@pytest.mark.usefixtures("image")
def test_a_mirror_is_read_before_the_registry(client: Client, registry: FakeRegistry) -> None:
    with FakeRegistry.running() as origin:
        mirror = Setting(mirrors=(f"{registry.address}",))
        client.registry = origin
        client.pull(client.name(), remotes=client.remotes(settings={origin.address: mirror}))
        assert origin.seen == []


@pytest.mark.usefixtures("image")
def test_a_mirror_without_the_image_is_passed_over(client: Client, registry: FakeRegistry) -> None:
    with FakeRegistry.running() as empty:
        remotes = client.remotes(settings={registry.address: Setting(mirrors=(f"{empty.address}/proxy",))})
        client.pull(remotes=remotes)
        assert empty.asked("GET /v2/proxy/team/shop/manifests/1")
    assert any("mirror" in warning for warning in client.warnings)


def test_a_blob_that_a_mirror_gives_wrong_is_taken_from_the_registry(
    client: Client, image: ClusterImage, registry: FakeRegistry
) -> None:
    with FakeRegistry.running() as bad:
        bad.manifests |= registry.manifests
        for digest, data in registry.blobs.items():
            bad.blobs[digest], bad.holders[digest] = bytes(len(data)), {"team/shop"}
        remotes = client.remotes(settings={registry.address: Setting(mirrors=(bad.address,))})
        client.pull(remotes=remotes)
    assert client.store("there").read(image.manifest.config.digest)
