from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from sealpy.distributors import Stream, Tree, TreeFile
from sealpy.image.payload import Item
from sealpy.image.tarball import Member
from sealpy.inventory import Facts
from sealpy.sdk import Ask, Result, Run, Send

FILES = {"bin/kubelet": b"program" * 10_000, "etc/kubeadm.yml": b"kind: x\n", "etc/empty": b"", "name with blank": b"b"}


def tree_of(files: Mapping[str, bytes], *, mode: int = 0o644) -> Tree:
    found: dict[str, TreeFile] = {}
    for path, data in sorted(files.items()):
        parent = path.rpartition("/")[0]
        if parent:
            found[parent] = TreeFile(Item(Member(parent, "dir", 0o755)))
        found[path] = TreeFile(Item(Member(path, "file", mode, len(data)), data), hashlib.sha256(data).hexdigest())
    return Tree(found)


class Machine:
    """A directory of this computer that takes deliveries as a host does."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.sent: list[str] = []

    @property
    def facts(self) -> Facts:
        present = [("rootfs", "rootfs"), ("incoming", "incoming")]
        marks = self.directory / "marks"
        return Facts(
            uid=0,
            name="here",
            arch="x86_64",
            present=frozenset(name for name, path in present if (self.directory / path).is_dir()),
            marks={mark.name: mark.read_text() for mark in marks.iterdir()} if marks.is_dir() else {},
        )

    def deliver(
        self, tree: Tree, *, cut: int | None = None, flip: int | None = None, taken: Collection[str] = ()
    ) -> list[str]:
        """Perform the steps; `cut` ends the stream after so many bytes, `flip` changes one byte of it."""
        titles: list[str] = []
        steps = Stream(str(self.directory)).deliver(tree, self.facts, taken=taken)
        answer: Result | None = None
        while True:
            try:
                step = next(steps) if answer is None else steps.send(answer)
            except StopIteration:
                return titles
            match step:
                case Send(payload=payload):
                    data = bytearray(b"".join(payload.chunks()))
                    assert len(data) == payload.size
                case Run(stdin=stdin) | Ask(stdin=stdin):
                    data = bytearray(stdin)
                case _:
                    raise AssertionError(step)
            titles.append("ask" if isinstance(step, Ask) else step.title)
            if flip is not None:
                data[flip] ^= 1
            done = subprocess.run(step.argv, input=bytes(data[:cut]), capture_output=True, check=False)
            answer = Result(exit_status=done.returncode, stdout=done.stdout, stderr=done.stderr)
            if not answer.ok:
                raise RuntimeError(answer.reason)

    def files(self) -> dict[str, bytes]:
        root = self.directory / "rootfs"
        return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "data" / "my-cluster")


def test_a_new_host_receives_everything_in_one_stream_and_the_mark_last(machine: Machine) -> None:
    tree = tree_of(FILES)
    assert machine.deliver(tree) == ["send 4 files, 0.1 MB"]
    assert machine.files() == FILES
    assert machine.facts.marked("rootfs", tree.digest)
    assert not (machine.directory / "incoming").exists()
    assert (machine.directory / "rootfs.index").stat().st_mode & 0o777 == 0o600, "its digests are for root alone"


def test_a_second_delivery_of_the_same_tree_takes_no_step(machine: Machine) -> None:
    machine.deliver(tree_of(FILES))
    assert machine.deliver(tree_of(FILES)) == []


def test_only_what_changed_travels_and_what_went_away_is_removed(machine: Machine) -> None:
    machine.deliver(tree_of(FILES))
    (machine.directory / "rootfs" / "certs").mkdir()
    (machine.directory / "rootfs" / "certs" / "sea.hub.key").write_text("made on the host")
    changed = {**FILES, "etc/kubeadm.yml": b"kind: y\n", "etc/new": b"new"}
    del changed["name with blank"]
    assert machine.deliver(tree_of(changed)) == ["ask", "send 2 files, 0.0 MB"]
    assert machine.files() == {**changed, "certs/sea.hub.key": b"made on the host"}


def test_a_running_program_is_replaced_not_written_into(machine: Machine) -> None:
    machine.deliver(tree_of({"bin/kubelet": b"old"}))
    old = (machine.directory / "rootfs" / "bin" / "kubelet").stat().st_ino
    machine.deliver(tree_of({"bin/kubelet": b"new"}))
    assert (machine.directory / "rootfs" / "bin" / "kubelet").stat().st_ino != old


def test_a_mode_that_changed_arrives(machine: Machine) -> None:
    machine.deliver(tree_of({"bin/kubelet": b"program"}))
    machine.deliver(tree_of({"bin/kubelet": b"program"}, mode=0o755))
    assert (machine.directory / "rootfs" / "bin" / "kubelet").stat().st_mode & 0o777 == 0o755


def test_when_nothing_but_names_changed_no_payload_travels(machine: Machine) -> None:
    machine.deliver(tree_of(FILES))
    fewer = {path: data for path, data in FILES.items() if path != "etc/empty"}
    assert machine.deliver(tree_of(fewer)) == ["ask", "put files in place"]
    assert machine.files() == fewer


@pytest.mark.parametrize("where", ["meta", "data"])
def test_a_flipped_bit_is_refused_and_the_next_delivery_mends_it(machine: Machine, where: str) -> None:
    tree = tree_of(FILES)
    stream = next(Stream(str(machine.directory)).deliver(tree, machine.facts))
    assert isinstance(stream, Send)
    data = b"".join(stream.payload.chunks())
    at = data.index(b"program" * 10) if where == "data" else data.index(hashlib.sha256(b"b").hexdigest().encode())
    with pytest.raises(RuntimeError, match="arrived other than"):
        machine.deliver(tree, flip=at)
    assert not (machine.directory / "rootfs").exists()
    assert "rootfs" not in machine.facts.marks
    machine.deliver(tree)
    assert machine.files() == FILES


@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_cut_stream_leaves_no_mark_and_the_next_one_sends_only_the_rest(machine: Machine, part: float) -> None:
    big = {f"registry/{number}": bytes([number]) * 100_000 for number in range(10)}
    tree = tree_of(big)
    size = next(
        iter([step.payload.size for step in Stream("/x").deliver(tree, machine.facts) if isinstance(step, Send)])
    )
    with pytest.raises(RuntimeError):
        machine.deliver(tree, cut=int(size * part))
    assert "rootfs" not in machine.facts.marks
    titles = machine.deliver(tree)
    whole = int(size * part / 100_500)
    assert titles[-1].startswith(f"send {10 - min(whole, 10)} files") or titles[-1].startswith(
        f"send {11 - whole} files"
    )
    assert machine.files() == big


def test_what_a_cut_stream_of_another_image_left_does_not_get_in(machine: Machine) -> None:
    with pytest.raises(RuntimeError):
        machine.deliver(tree_of({"a": b"a" * 200_000, "b": b"b" * 200_000}), cut=300_000)
    machine.deliver(tree_of({"c": b"c"}))
    assert machine.files() == {"c": b"c"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away, as on a host")
def test_files_have_the_owner_that_the_image_gives_them_and_a_new_owner_is_sent(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    place = tmp_path / "rootfs" / "etc" / "own"
    for uid in (1000, 0, 7):
        member = Member("etc/own", "file", 0o4755, 1, uid=uid, gid=uid)
        tree = Tree({
            "etc": TreeFile(Item(Member("etc", "dir", 0o755))),
            "etc/own": TreeFile(Item(member, b"x"), hashlib.sha256(b"x").hexdigest()),
        })  # fmt: skip
        assert machine.deliver(tree) != []
        status = place.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (uid, uid, 0o4755)
        assert machine.deliver(tree) == []


# ---- what another rootfs on the host has already


BLOBS = {"registry/one blob": b"one" * 1000, "registry/deep/two": b"two"}


@pytest.fixture
def beside(machine: Machine) -> Machine:
    """Give the place of an application below that of a cluster which has two of its files."""
    machine.deliver(tree_of({**FILES, **BLOBS}))
    return Machine(machine.directory / "applications" / "shop")


def held(paths: Collection[str], rootfs: Path) -> dict[str, tuple[str, str]]:
    steps = Stream("").held(paths, str(rootfs))
    step = next(steps)
    assert isinstance(step, Ask)
    done = subprocess.run(step.argv, input=step.stdin, capture_output=True, check=True)
    with pytest.raises(StopIteration) as stopped:
        steps.send(Result(stdout=done.stdout))
    found: dict[str, tuple[str, str]] = stopped.value.value
    return found


def take(machine: Machine, paths: Collection[str], rootfs: Path) -> None:
    step = Stream(str(machine.directory)).take("take", paths, str(rootfs))
    subprocess.run(step.argv, input=step.stdin, check=True)


def test_it_is_asked_which_files_another_rootfs_has_with_sum_and_mode(beside: Machine) -> None:
    rootfs = beside.directory.parents[1] / "rootfs"
    (rootfs / "registry" / "link").symlink_to("deep/two")
    (rootfs / "registry" / "deep" / "two").chmod(0o755)
    sums = {path: hashlib.sha256(data).hexdigest() for path, data in BLOBS.items()}
    wanted = [*BLOBS, "registry/absent", "registry/link", "registry/deep"]
    assert held(wanted, rootfs) == {
        "registry/one blob": (sums["registry/one blob"], "644"),
        "registry/deep/two": (sums["registry/deep/two"], "755"),
    }
    assert held([], rootfs) == {}
    assert held(wanted, rootfs / "nowhere") == {}


def test_what_was_taken_is_linked_verified_and_not_sent(beside: Machine) -> None:
    rootfs = beside.directory.parents[1] / "rootfs"
    take(beside, list(BLOBS), rootfs)
    assert beside.deliver(tree_of({**BLOBS, "own": b"own"}), taken=list(BLOBS)) == ["ask", "send 1 files, 0.0 MB"]
    assert beside.files() == {**BLOBS, "own": b"own"}
    for path in BLOBS:
        assert (rootfs / path).samefile(beside.directory / "rootfs" / path)
    assert not (beside.directory / "incoming").exists()


def test_what_changes_between_the_question_and_the_taking_is_found_out_and_sent_by_the_next_run(
    beside: Machine,
) -> None:
    rootfs = beside.directory.parents[1] / "rootfs"
    (rootfs / "registry" / "deep" / "two").write_bytes(b"xxx")
    take(beside, list(BLOBS), rootfs)
    with pytest.raises(RuntimeError, match="1 files arrived other than they were sent"):
        beside.deliver(tree_of(BLOBS), taken=list(BLOBS))
    assert "send 1 files, 0.0 MB" in beside.deliver(tree_of(BLOBS))
    assert beside.files() == BLOBS
    assert (rootfs / "registry" / "deep" / "two").read_bytes() == b"xxx", "what was there is nobody's to change"


def test_another_image_of_the_cluster_leaves_what_applications_have_put_into_the_registry(
    machine: Machine, beside: Machine
) -> None:
    take(beside, list(BLOBS), machine.directory / "rootfs")
    beside.deliver(tree_of(BLOBS), taken=list(BLOBS))
    machine.deliver(tree_of({**FILES, "registry/deep/two": b"the cluster's own"}))
    assert machine.files() == {
        **FILES,
        "registry/one blob": BLOBS["registry/one blob"],
        "registry/deep/two": b"the cluster's own",
    }
    assert machine.facts.marked("rootfs", tree_of({**FILES, "registry/deep/two": b"the cluster's own"}).digest)
