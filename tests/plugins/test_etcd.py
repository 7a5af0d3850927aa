"""ETCD: a snapshot travels to this machine whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

import pytest

from sealpy.errors import PluginError, PluginFailedError
from sealpy.events import PluginOutput
from sealpy.plugin import check, discover
from sealpy.sdk import HookPoint, Result
from sealpy.testing.connector import Asked
from sealpy.testing.stage import Stage, cluster, document

KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "-n", "kube-system")
POD = "etcd-one\t10.0.0.1\t/var/lib/etcd\t/etc/kubernetes/pki/etcd\n"
OLDER = b"older" + hashlib.sha256(b"older").digest()
STATUS = '{"hash":1,"revision":42,"totalKey":7,"totalSize":9}\n'
DATABASE = bytes(range(256)) * 40_000  # 10 MB: more than two pieces
SNAPSHOT = DATABASE + hashlib.sha256(DATABASE).digest()


def leader_with(stage: Stage, snapshot: bytes = SNAPSHOT, *, promised: bytes = b"") -> None:
    """Let the leader have an etcd in a pod and a snapshot whose digest is that of `promised`."""

    def piece(asked: Asked) -> Result:
        words = dict(word.split("=", 1) for word in asked.argv[1:])
        start = int(words["skip"]) * 2**20
        return Result(stdout=snapshot[start : start + int(words["count"]) * 2**20])

    leader = stage.machines["10.0.0.1"]
    leader.on(*KUBECTL, "get", "pods", stdout=f"etcd-two\t10.0.0.2\t/d\t/c\n{POD}")
    told = f"{hashlib.sha256(promised or snapshot).hexdigest()}\n{len(snapshot)}\n{STATUS}"
    leader.on("sh", stdout=told)
    leader.on("dd", answers=[piece])


def fire(stage: Stage, on: str = "", data: str = "") -> None:
    stage.fire(document("backup", type_="ETCD", on=on, data=data))


def refused(stage: Stage, on: str = "") -> str:
    with pytest.raises(PluginFailedError) as caught:
        fire(stage, on)
    return caught.value.problems[0].message


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(inventory=cluster(masters=("10.0.0.1", "10.0.0.2"), nodes=()), home=tmp_path / "home")


def test_the_snapshot_is_the_file_that_on_names_as_in_the_ancestor(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    path = tmp_path / "new" / "etcd.db"
    fire(stage, on=str(path))
    assert path.read_bytes() == SNAPSHOT
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert [event.line for event in stage.of(PluginOutput)] == [
        f"etcd (revision 42, 7 keys, 9.8 MiB) is kept in {path}"
    ]


def test_it_is_taken_in_the_pod_of_the_leader_and_its_copy_there_goes_away(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    fire(stage, on=str(tmp_path / "etcd.db"))
    commands = stage.machines["10.0.0.1"].commands
    (taken,) = [command for command in commands if "save" in command]
    assert taken[:9] == (*KUBECTL, "exec", "etcd-one", "-c", "etcd")
    assert taken[-2:] == ("save", "/var/lib/etcd/sealpy-snapshot.db")
    assert "--cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt" in taken
    assert commands[-1] == ("rm", "-f", "--", "/var/lib/etcd/sealpy-snapshot.db")
    assert [command[0] for command in commands].count("dd") == 3


def test_without_on_it_goes_to_the_backups_of_the_cluster_with_its_time(stage: Stage) -> None:
    leader_with(stage)
    fire(stage)
    (kept,) = (stage.home / "backups").iterdir()
    assert re.match(r"etcd-20\d\d", kept.name)
    assert kept.read_bytes() == SNAPSHOT


def test_a_directory_gets_a_file_with_its_time_and_data_may_name_the_path_too(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    fire(stage, on=f"{tmp_path}/there/")
    fire(stage, data=f"{tmp_path}/named.db\n")
    assert len(list((tmp_path / "there").iterdir())) == 1
    assert (tmp_path / "named.db").exists()


def test_the_home_of_nobody_is_a_directory_like_any_other(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leader_with(stage)
    fire(stage, on="~nobody-has-this-name/etcd.db")
    assert (tmp_path / "~nobody-has-this-name" / "etcd.db").read_bytes() == SNAPSHOT


def test_an_older_file_of_that_name_is_kept_beside_it(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    path = tmp_path / "etcd.db"
    path.write_bytes(OLDER)
    moment = time.mktime((2024, 5, 6, 7, 8, 9, 0, 0, -1))
    os.utime(path, (moment, moment))
    fire(stage, on=str(path))
    assert path.read_bytes() == SNAPSHOT
    assert (tmp_path / "etcd.db.20240506-070809").read_bytes() == OLDER


def test_a_file_that_is_no_snapshot_is_never_replaced(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    path = tmp_path / "thesis.txt"
    path.write_text("ten years of work", encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        fire(stage, on=str(path))
    assert f"on: '{path}': there is a file which is no snapshot of etcd" in caught.value.problems[0].message
    assert stage.commands() == {}


def test_a_file_that_came_there_meanwhile_is_not_replaced_either(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    path = tmp_path / "etcd.db"

    def meanwhile(_: Asked) -> Result:
        path.write_text("ten years of work", encoding="utf-8")
        return Result()

    stage.machines["10.0.0.1"].on(*KUBECTL, "exec", answers=[meanwhile])
    assert "there is a file which is no snapshot of etcd" in refused(stage, str(path))
    assert path.read_text(encoding="utf-8") == "ten years of work"


# what is wrong with what came → the message
TORN = [
    (SNAPSHOT[:-1], SNAPSHOT, "bytes came that are not those of the snapshot"),
    (b"\7" + SNAPSHOT[1:], b"", "the snapshot does not agree with the checksum at its end"),
]


@pytest.mark.parametrize(("snapshot", "promised", "message"), TORN)
def test_what_is_not_whole_is_refused_and_leaves_no_file(
    stage: Stage, tmp_path: Path, snapshot: bytes, promised: bytes, message: str
) -> None:
    leader_with(stage, snapshot, promised=promised)
    (tmp_path / "etcd.db").write_bytes(OLDER)
    assert message in refused(stage, str(tmp_path / "etcd.db"))
    assert list(tmp_path.iterdir()) == [tmp_path / "etcd.db"]
    assert (tmp_path / "etcd.db").read_bytes() == OLDER
    assert stage.machines["10.0.0.1"].commands[-1][0] == "rm", "its copy on the leader goes away all the same"


def test_a_host_that_fails_in_the_middle_leaves_no_file(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    first = Result(stdout=SNAPSHOT[: 4 * 2**20])
    stage.machines["10.0.0.1"].on("dd", answers=[first, Result(exit_status=1, stderr=b"Input/output error")])
    assert "could not be fetched: Input/output error" in refused(stage, str(tmp_path / "etcd.db"))
    assert not list(tmp_path.iterdir())


def test_a_disk_that_takes_no_file_is_named(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    (tmp_path / ".etcd.db.part").mkdir()
    assert f"{tmp_path}/.etcd.db.part: Is a directory" in refused(stage, str(tmp_path / "etcd.db"))


def test_a_snapshot_that_etcd_does_not_know_is_refused(stage: Stage, tmp_path: Path) -> None:
    leader_with(stage)
    stage.machines["10.0.0.1"].on("sh", exit_status=1, stderr="expected sha256 [1], got [2]")
    assert "etcd does not take its own snapshot for one: expected sha256" in refused(stage, str(tmp_path / "e"))


@pytest.mark.parametrize(
    ("pods", "exit_status", "message"),
    [
        ("", 0, "no etcd runs as a pod on the leader 10.0.0.1"),
        ("a\t10.0.0.2\t/d\t/c\nb\t10.0.0.3\t/d\t/c\n", 0, "no etcd runs as a pod on the leader 10.0.0.1"),
        ("", 1, "the API server does not tell where etcd runs: refused"),
    ],
)
def test_an_etcd_that_is_not_there_is_an_error(stage: Stage, pods: str, exit_status: int, message: str) -> None:
    stage.machines["10.0.0.1"].on("kubectl", stdout=pods, stderr="refused", exit_status=exit_status)
    assert message in refused(stage)


def test_a_rehearsal_tells_what_would_be_done_and_writes_nothing(tmp_path: Path) -> None:
    stage = Stage(rehearsal=True, home=tmp_path / "home")
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127)
    fire(stage, on=str(tmp_path / "etcd.db"))
    assert [(step.host, step.title) for step in stage.executor.recorded] == [
        ("10.0.0.1", "take a snapshot of etcd"),
        ("", f"keep the snapshot of etcd as {tmp_path}/etcd.db"),
        ("10.0.0.1", "take the copy of the snapshot away"),
    ]
    assert not list(tmp_path.iterdir())


def test_on_is_a_path_and_selects_no_hosts(tmp_path: Path) -> None:
    (bound,) = check([document(type_="ETCD", on=f"{tmp_path}/etcd.db")], discover(), cluster())
    assert bound.scope(HookPoint.POST_INSTALL).words == ()


@pytest.mark.parametrize(
    ("on", "problem"),
    [
        ("master0", "on: 'master0' is no path; for this type it is where the snapshot goes on this machine"),
        ("role=master", "on: 'role=master' is no path"),
        ("/etc/hostname/etcd.db", "/etc/hostname is a file, not a directory"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_any_host_is_touched(on: str, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        check([document(type_="ETCD", on=on, data="")], discover(), cluster())
    assert problem in caught.value.problems[0].message
