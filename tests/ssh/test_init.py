"""`sealpy init` looks at a machine over a real connection, and writes what it found."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.clusterfile import load
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from sealpy.testing.sshd import sshd

pytestmark = pytest.mark.ssh


@pytest.fixture(autouse=True)
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    a_stored_image(Store(tmp_path / "home" / "images"), {"etc/kubeadm.yml": b"kind: x\n"}, name="kubernetes:v1.34.4")


def test_a_machine_is_looked_at_and_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "Clusterfile"
    with sshd(tmp_path / "sshd") as server:
        login = ["--port", str(server.port), "--pk", str(server.client_key), "--ssh-config", "none"]
        status = run(["init", "kubernetes:v1.34.4", "-m", server.address, *login, "-f", str(file)])
        assert status == 0, capsys.readouterr().err
    text = file.read_text(encoding="utf-8")
    assert f"- {server.address} # {socket.gethostname().lower()}" in text
    assert "processor" in text
    assert "PodCIDR=" in text
    found = load(file)
    assert (found.cluster.ssh.port, found.cluster.ssh.private_key) == (server.port, str(server.client_key))
    assert found.notices == ()


def test_of_a_machine_that_does_not_answer_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Clusterfile"
    with sshd(tmp_path / "sshd") as server:
        login = ["--port", str(server.port), "--ssh-config", "none", "--pk", str(server.host_key)]  # not the one
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert run(["init", "kubernetes:v1.34.4", "-m", server.address, *login, "-f", str(file)]) == 3
    assert "nothing was written" in capsys.readouterr().err
    assert not file.exists()
