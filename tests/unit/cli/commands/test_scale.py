"""Hosts that the command line adds or takes out: which Clusterfile reaches the action, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest

from sealpy.actions.session import Report, Surroundings
from sealpy.cli import cluster
from sealpy.cli.app import run
from sealpy.clusterfile import Clusterfile
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image, good_facts

IMAGE = "kubernetes:v1"
KEPT = f"""\
kind: Cluster
metadata: {{name: shop}}
spec:
  image: {IMAGE}
  ssh: {{user: admin, pk: /keys/site}}
  hosts:
    - {{ips: [10.0.0.1], roles: [master]}}
    - {{ips: [10.0.0.2, 10.0.0.3], roles: [node]}}
"""
Capture = pytest.CaptureFixture[str]
Applied = list[tuple[Clusterfile, Surroundings]]
Removed = list[tuple[tuple[str, ...], ClusterImage | None, Surroundings]]


def report() -> Report:
    return Report(changed=1, sent=0, recorded=(), round_trips={}, facts={"10.0.0.1": good_facts()}, seconds=1.0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    kept = tmp_path / "clusters" / "shop"
    kept.mkdir(parents=True)
    (kept / "Clusterfile").write_text(KEPT)
    return tmp_path


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch, home: Path) -> Applied:
    a_stored_image(Store(home / "images"), {"etc/kubeadm.yml": b""}, name=IMAGE)
    calls: Applied = []

    def apply(wanted: Clusterfile, _image: ClusterImage, around: Surroundings) -> Report:
        calls.append((wanted, around))
        return report()

    monkeypatch.setattr(cluster, "apply", apply)
    return calls


@pytest.fixture
def removed(monkeypatch: pytest.MonkeyPatch) -> Removed:
    calls: Removed = []

    def remove(_wanted: Clusterfile, hosts: Sequence[str], image: ClusterImage | None, around: Surroundings) -> Report:
        calls.append((tuple(hosts), image, around))
        return report()

    monkeypatch.setattr(cluster, "remove", remove)
    return calls


@pytest.mark.parametrize("word", ["scale-up", "join"])
def test_hosts_are_added_to_what_was_kept_and_reached_like_the_others(word: str, applied: Applied) -> None:
    words = [word, "-c", "shop", "-m", "10.0.0.4", "-n", "10.0.0.3,10.0.0.5-10.0.0.6", "-e", "SIZE=1", "-e", "HERE"]
    assert run([*words, "--port", "2222", "--max-fail", "2"]) == 0
    [(wanted, around)] = applied
    assert [(entry.ips, entry.roles) for entry in wanted.cluster.hosts[2:]] == [
        (("10.0.0.4",), ("master",)),
        (("10.0.0.5", "10.0.0.6"), ("node",)),
    ]
    new = wanted.cluster.hosts[2].ssh
    assert (new.user, new.private_key, new.port) == ("admin", "/keys/site", 2222)
    assert (wanted.cluster.env, wanted.cluster.env_from) == ({"SIZE": "1"}, ("HERE",))
    assert around.max_fail == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-n", "10.0.0.2"], "10.0.0.2: nothing to add to cluster 'shop'"),
        ([], "no host: nothing to add to cluster 'shop'"),
        (["-n", "10.0.0.9", "-m", "10.0.0.9"], "10.0.0.9"),
        (["-n", "10.0.0.9", "-e", "=1"], "--env: '=' sets nothing"),
    ],
)
def test_what_cannot_be_added_is_refused(words: list[str], told: str, applied: Applied, capsys: Capture) -> None:
    assert run(["scale-up", "-c", "shop", *words]) == 2
    assert told in capsys.readouterr().err
    assert not applied


def test_hosts_are_taken_out_by_name_and_the_image_may_be_gone(removed: Removed, capsys: Capture) -> None:
    assert run(["delete", "-c", "shop", "-n", "10.0.0.2-10.0.0.3", "--force", "--drain-timeout", "5"]) == 0
    [(hosts, image, around)] = removed
    assert (hosts, image) == (("10.0.0.2", "10.0.0.3"), None)
    assert (around.drain, around.force) == (5.0, True)
    assert capsys.readouterr().out == "cluster 'shop' goes on without 10.0.0.2, 10.0.0.3\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-n", "10.0.0.1"], "--nodes: 10.0.0.1 is a control plane"),
        (["-m", "10.0.0.2"], "--masters: 10.0.0.2 is a worker"),
        (["-a", "-n", "10.0.0.2"], "--all is the whole cluster, so no hosts besides"),
        ([], "what to delete is not said"),
        (["-n", "10.0.0.7"], "10.0.0.7 is no host of cluster 'shop'\nnext: it has 10.0.0.1, 10.0.0.2, 10.0.0.3"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(words: list[str], told: str, removed: Removed, capsys: Capture) -> None:
    assert run(["delete", "-c", "shop", "--force", *words]) == 2
    assert told in capsys.readouterr().err
    assert not removed


def test_it_is_asked_before_a_host_is_taken_out(
    removed: Removed, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    typed = io.StringIO("n\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", typed)
    assert run(["delete", "-c", "shop", "-n", "10.0.0.2"]) == 130
    told = capsys.readouterr().err
    assert "remove 10.0.0.2 from cluster 'shop'?" in told
    assert "error: nothing was changed" in told
    assert not removed


def test_a_stranger_is_refused_before_anybody_is_asked(removed: Removed, capsys: Capture) -> None:
    assert run(["delete", "-c", "shop", "-n", "10.0.0.7"]) == 2
    told = capsys.readouterr().err
    assert "10.0.0.7 is no host of cluster 'shop'" in told
    assert "did you mean" not in told
    assert not removed
