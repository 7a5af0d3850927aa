from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sealpy.errors import ConfigError
from sealpy.kube import kubeconfig

ADMIN = {
    "clusters": [
        {
            "name": "kubernetes",
            "cluster": {"server": "https://apiserver.cluster.local:6443", "certificate-authority-data": "CA"},
        }
    ],
    "users": [{"name": "kubernetes-admin", "user": {"client-certificate-data": "C", "client-key-data": "K"}}],
}
OTHERS = {
    "apiVersion": "v1",
    "kind": "Config",
    "preferences": {"colors": True},
    "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
    "users": [{"name": "work", "user": {"token": "T"}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "work"}}],
    "current-context": "work",
}


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kube" / "config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


def names(document: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in document["contexts"]]


def test_a_cluster_becomes_a_context_of_its_name_at_the_address_of_its_leader(target: Path, tmp_path: Path) -> None:
    assert not kubeconfig.is_merged(ADMIN, "shop", server="10.0.0.1", home=tmp_path)
    kubeconfig.merge(ADMIN, "shop", server="10.0.0.1", home=tmp_path)
    document = yaml.safe_load(target.read_text())
    assert document["clusters"][0]["cluster"]["server"] == "https://10.0.0.1:6443"
    assert document["current-context"] == "shop"
    assert target.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "admin.conf").stat().st_mode & 0o777 == 0o600
    assert kubeconfig.is_merged(ADMIN, "shop", server="10.0.0.1", home=tmp_path)


def test_what_was_there_stays_and_so_does_the_current_context(target: Path, tmp_path: Path) -> None:
    target.parent.mkdir()
    target.write_text(yaml.safe_dump(OTHERS))
    kubeconfig.merge(ADMIN, "shop", server="10.0.0.1", home=tmp_path)
    kubeconfig.merge(ADMIN, "shop", server="10.0.0.9", home=tmp_path)
    document = yaml.safe_load(target.read_text())
    assert names(document) == ["work", "shop"]
    assert document["current-context"] == "work"
    assert document["preferences"] == {"colors": True}

    kubeconfig.remove("shop", home=tmp_path)
    assert yaml.safe_load(target.read_text()) == OTHERS


def test_a_file_that_held_only_this_cluster_goes_with_it(target: Path, tmp_path: Path) -> None:
    kubeconfig.merge(ADMIN, "shop", server="fd00::1", home=tmp_path)
    assert "https://[fd00::1]:6443" in target.read_text()
    kubeconfig.remove("shop", home=tmp_path)
    kubeconfig.remove("shop", home=tmp_path)
    assert not target.exists()


@pytest.mark.parametrize("content", [b"[not: yaml", b"name: \xff\n"])
def test_a_file_that_is_no_kubeconfig_is_refused_and_left_as_it_is(
    target: Path, tmp_path: Path, content: bytes
) -> None:
    target.parent.mkdir()
    target.write_bytes(content)
    with pytest.raises(ConfigError, match="no YAML"):
        kubeconfig.merge(ADMIN, "shop", server="10.0.0.1", home=tmp_path)
    assert target.read_bytes() == content


def test_a_context_that_leads_to_another_cluster_is_refused_and_never_removed(target: Path, tmp_path: Path) -> None:
    target.parent.mkdir()
    target.write_text(yaml.safe_dump(OTHERS))
    with pytest.raises(ConfigError, match="another cluster"):
        kubeconfig.refuse_foreign("work", home=tmp_path)
    kubeconfig.remove("work", home=tmp_path)
    assert yaml.safe_load(target.read_text()) == OTHERS
    kubeconfig.refuse_foreign("shop", home=tmp_path)
    kubeconfig.merge(ADMIN, "shop", server="10.0.0.1", home=tmp_path)
    kubeconfig.refuse_foreign("shop", home=tmp_path)
