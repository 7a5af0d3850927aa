"""From the store to a registry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.errors import ImageError, RemoteError, StoreError
from sealpy.events import TaskProgress
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.manifest import OCI_INDEX, Descriptor, Index, encode
from sealpy.image.remote.begun import begun_upload
from sealpy.image.remote.settings import Setting
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client


def test_a_pushed_image_is_there_with_its_very_bytes(client: Client, registry: FakeRegistry) -> None:
    image = client.image()
    pushed = client.push(image)
    assert (pushed.present, pushed.mounted, pushed.sent, pushed.bytes) == (0, 0, 3, image.size - image.descriptor.size)
    _, data = registry.manifests["team/shop", "1"]
    assert data == image.store.read(image.digest)
    assert {layer.digest for layer in image.manifest.layers} < set(registry.blobs)


def test_a_second_push_asks_once_for_each_blob_and_sends_nothing(client: Client, registry: FakeRegistry) -> None:
    image = client.image()
    client.push(image)
    registry.seen.clear()
    pushed = client.push(image)
    assert (pushed.present, pushed.bytes) == (3, 0)
    assert len(registry.asked("HEAD .*/blobs/")) == 3
    assert {seen.method for seen in registry.seen} == {"GET", "HEAD"}
    assert len(registry.seen) == 3 + 2  # how it is spoken to, and whether the tag is right


def test_only_the_new_blobs_of_a_changed_image_are_sent(client: Client) -> None:
    client.push(client.image())
    changed = client.push(client.image("team/shop:2", big=b"another"))
    assert (changed.present, changed.sent) == (0, 3)
    again = client.push(client.image("team/shop:3", big=b"another"))
    assert (again.present, again.sent) == (3, 0)


def test_blobs_of_a_neighbour_are_mounted(client: Client, registry: FakeRegistry) -> None:
    image = client.image()
    client.push(image)
    pushed = client.push(image, client.name("other/shop:1"))
    assert (pushed.mounted, pushed.sent, pushed.bytes) == (3, 0, 0)
    assert registry.asked("POST /v2/other/shop/blobs/uploads/.*from=team%2Fshop")


def test_a_mount_that_is_not_done_becomes_an_upload_without_another_question(
    client: Client, registry: FakeRegistry
) -> None:
    client.image()  # named team/shop here, but never pushed
    pushed = client.push(client.image("other/shop:1"))
    assert (pushed.mounted, pushed.sent) == (0, 3)
    assert len(registry.asked("POST")) == 3


def test_the_name_is_given_last(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("PATCH", times=-1, status=403))
    with pytest.raises(RemoteError):
        client.push(client.image())
    assert registry.manifests == {}


def test_a_cut_upload_goes_on_where_it_ended(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("PATCH", cut=100_000, at_least=200_000))
    image = client.image()
    client.push(image)
    sent = [seen for seen in registry.asked("PATCH") if seen.body > 10_000]
    assert sent[0].body == 100_000
    assert sum(seen.body for seen in sent) == image.manifest.layers[0].size
    assert sent[1].headers["Content-Range"].startswith("100000-")
    assert is_told_to_the_end(client)


def test_an_upload_that_the_registry_forgot_begins_anew(client: Client, registry: FakeRegistry) -> None:
    registry.faults += [Fault("PATCH", status=404)]
    assert client.push(client.image()).sent == 3
    assert len(registry.asked("POST")) == 4


@pytest.fixture
def given_up(client: Client, registry: FakeRegistry) -> ClusterImage:
    """Have an image whose push came to an end after 100,000 bytes of its layer."""
    registry.faults += [
        Fault("PATCH", cut=100_000, at_least=200_000),
        Fault("PATCH", times=-1, status=403, at_least=100_001),
    ]
    image = client.image()
    with pytest.raises(RemoteError):
        client.push(image)
    registry.faults.clear()
    registry.seen.clear()
    return image


def note_of(image: ClusterImage, registry: FakeRegistry) -> Path:
    """Find the note of the upload of the layer; small blobs that were on their way too may have left others."""
    upload = max(registry.uploads, key=lambda name: len(registry.uploads[name]))
    [note] = [path for path in (image.store.root / "incoming").iterdir() if upload in path.read_text()]
    return note


def sent_bytes(registry: FakeRegistry) -> int:
    return sum(seen.body for seen in registry.asked("PATCH") if seen.body > 10_000)


def is_told_to_the_end(client: Client) -> bool:
    last = [event for event in client.events if isinstance(event, TaskProgress)][-1]
    return last.done == last.total


def test_the_next_push_goes_on_where_the_last_one_was_given_up(
    client: Client, registry: FakeRegistry, given_up: ClusterImage
) -> None:
    size = given_up.manifest.layers[0].size
    pushed = client.push(given_up)
    assert sent_bytes(registry) == size - 100_000
    assert pushed.bytes < size - 100_000 + 10_000
    assert is_told_to_the_end(client)
    assert not [*(given_up.store.root / "incoming").iterdir()]


def test_the_note_of_an_upload_is_for_its_owner_alone(registry: FakeRegistry, given_up: ClusterImage) -> None:
    note = note_of(given_up, registry)
    assert note.stat().st_mode & 0o777 == 0o600
    with given_up.store.keeping():
        assert note.exists(), "sweeping leaves it"
    given_up.store.prune()
    assert not note.exists()


def test_the_note_of_an_upload_that_came_to_its_end_unseen_goes(
    client: Client, registry: FakeRegistry, given_up: ClusterImage
) -> None:
    note = note_of(given_up, registry)
    registry.put_blob("team/shop", given_up.store.blob_path(given_up.manifest.layers[0].digest).read_bytes())
    client.push(given_up)
    assert not note.exists()


@pytest.mark.parametrize("what", ["forgotten", "damaged", "longer", "no address"])
def test_an_upload_that_cannot_be_gone_on_with_begins_anew(
    client: Client, registry: FakeRegistry, given_up: ClusterImage, what: str
) -> None:
    note = note_of(given_up, registry)
    held = max(registry.uploads.values(), key=len)
    match what:
        case "forgotten":
            registry.uploads.clear()
        case "damaged":
            held[7] ^= 1
        case "longer":
            held += bytes(1_000_000)
        case _:
            note.write_bytes(b"http://half of an addr")
    pushed = client.push(given_up)
    size = given_up.manifest.layers[0].size
    assert (
        registry.blobs[given_up.manifest.layers[0].digest]
        == given_up.store.blob_path(given_up.manifest.layers[0].digest).read_bytes()
    )
    assert pushed.bytes >= size
    assert is_told_to_the_end(client)


def test_two_processes_never_send_to_one_upload(client: Client, registry: FakeRegistry, given_up: ClusterImage) -> None:
    note = note_of(given_up, registry)
    with begun_upload(note) as theirs:
        client.push(given_up)
        assert sent_bytes(registry) == given_up.manifest.layers[0].size
        assert theirs.at
        assert note.exists()


def test_a_proxy_that_takes_small_requests_only_gets_small_ones(client: Client, registry: FakeRegistry) -> None:
    registry.faults.append(Fault("PATCH", status=413, at_least=1 << 20))
    image = client.image(big=bytes(9 << 20))
    client.push(image)
    sizes = [seen.body for seen in registry.asked("PATCH") if seen.headers.get("Content-Range")]
    assert max(sizes) == 4 << 20
    assert sum(sizes) == image.manifest.layers[0].size


def test_the_operator_may_say_how_much_a_registry_takes_at_once(client: Client, registry: FakeRegistry) -> None:
    remotes = client.remotes(settings={registry.address: Setting(chunk=100_000)})
    client.push(client.image(), remotes=remotes)
    assert max(seen.body for seen in registry.asked("PATCH")) == 100_000


def test_an_image_that_is_damaged_here_is_refused_by_the_name_of_the_blob(client: Client) -> None:
    image = client.image()
    layer = image.manifest.layers[0]
    image.store.blob_path(layer.digest).write_bytes(b"x" * layer.size)
    with pytest.raises(StoreError, match=f"blob {layer.digest}: damaged"):
        client.push(image)


def test_an_image_that_is_not_here_whole_is_refused_before_anything_is_sent(
    client: Client, registry: FakeRegistry
) -> None:
    image = client.image()
    image.store.blob_path(image.manifest.layers[0].digest).unlink()
    with pytest.raises(StoreError, match="not in"):
        client.push(image)
    assert registry.seen == []


def test_an_index_goes_with_every_platform_and_is_named_last(client: Client, registry: FakeRegistry) -> None:
    one, two = client.image("team/shop:amd64"), client.image("team/shop:arm64", big=b"other")
    index = one.store.put(encode(Index(manifests=(one.descriptor, two.descriptor))), media_type=OCI_INDEX)
    pushed = client.push_index(one.store, index, "team/shop:all")
    assert pushed.digest == index.digest
    assert [seen.path.rpartition("/")[2] for seen in registry.asked("PUT .*/manifests/")][-1] == "all"
    assert ("team/shop", two.digest) in registry.manifests


def test_an_index_with_a_platform_that_is_not_here_is_refused(client: Client) -> None:
    image = client.image()
    missing = Descriptor(media_type=image.descriptor.media_type, digest="sha256:" + "0" * 64, size=5)
    index = image.store.put(encode(Index(manifests=(image.descriptor, missing))), media_type=OCI_INDEX)
    with pytest.raises(StoreError, match="listed in the image, and not here"):
        client.push_index(image.store, index, "team/shop:all")


def test_a_digest_cannot_be_pushed_to(client: Client) -> None:
    image = client.image()
    with pytest.raises(ImageError, match="a digest cannot be pushed to"):
        client.push(image, client.name(f"team/shop@{image.digest}"))


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, json.dumps({"errors": [{"code": "DENIED", "message": "quota exceeded"}]}), "quota exceeded (403 DENIED)"),
        (403, "<html>no</html>", "403 forbidden"),
        (405, json.dumps({"errors": [{"code": "UNSUPPORTED"}]}), "unsupported (405 UNSUPPORTED)"),
        (507, "", "507 insufficient storage"),
        (400, json.dumps({"errors": [{"code": "X", "message": "a\x1b[2Jb\nc"}]}), "a [2Jb c (400 X)"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_registry(
    client: Client, registry: FakeRegistry, status: int, body: str, words: str
) -> None:
    registry.faults.append(Fault("POST", times=-1, status=status, body=body.encode()))
    with pytest.raises(RemoteError) as caught:
        client.push(client.image())
    assert words in caught.value.message
