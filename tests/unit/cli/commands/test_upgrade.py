"""A cluster that was made from here comes to another image by a word: which Clusterfile and terms reach the action."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.actions.session import Report, Surroundings
from sealpy.cli import cluster
from sealpy.cli.app import run
from sealpy.clusterfile import Clusterfile
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image, good_facts

KEPT = """\
kind: Cluster
metadata: {name: shop}
spec: {image: "kubernetes:v1", hosts: [{ips: [10.0.0.1], roles: [master]}]}
"""
Capture = pytest.CaptureFixture[str]
Calls = list[tuple[Clusterfile, str, Surroundings]]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path))
    kept = tmp_path / "clusters" / "shop"
    kept.mkdir(parents=True)
    (kept / "Clusterfile").write_text(KEPT)
    a_stored_image(Store(tmp_path / "images"), {"etc/kubeadm.yml": b""}, name="kubernetes:v2")
    made: Calls = []

    def act(wanted: Clusterfile, image: ClusterImage, around: Surroundings) -> Report:
        made.append((wanted, image.reference.familiar, around))
        facts = {"10.0.0.1": good_facts()}
        return Report(changed=len(made) % 2, sent=0, recorded=(), round_trips={}, facts=facts, seconds=1.0)

    monkeypatch.setattr(cluster, "apply", act)
    monkeypatch.setattr(cluster, "rollback", act)
    return made


@pytest.mark.parametrize(
    ("word", "told"),
    [("upgrade", "is ready: kubectl --context shop get nodes"), ("rollback", "is back at kubernetes:v2")],
)
def test_the_kept_clusterfile_is_applied_with_the_image_that_is_named(
    word: str, told: str, calls: Calls, capsys: Capture
) -> None:
    words = [word, "kubernetes:v2", "-c", "shop", "--max-fail", "2", "--drain-timeout", "5", "--force"]
    assert run(words) == 0
    [(wanted, image, around)] = calls
    assert (wanted.cluster.image, image) == ("kubernetes:v2", "kubernetes:v2")
    assert (around.max_fail, around.drain, around.force, around.drastic) == (2, 5.0, True, "asked")
    assert f"cluster 'shop' {told}" in capsys.readouterr().out
    assert run(words) == 0
    assert capsys.readouterr().out == "cluster 'shop': nothing to change\n"


@pytest.mark.parametrize("word", ["upgrade", "rollback"])
def test_a_rehearsal_prints_a_plan_and_an_image_that_is_not_here_is_an_error(
    word: str, calls: Calls, capsys: Capture
) -> None:
    assert run([word, "kubernetes:v2", "-c", "shop", "--dry-run"]) == 0
    assert calls[0][2].rehearsal
    assert run([word, "kubernetes:v3", "-c", "shop"]) == 5
    assert "kubernetes:v3" in capsys.readouterr().err
    assert run([word]) == 2
    assert len(calls) == 1
