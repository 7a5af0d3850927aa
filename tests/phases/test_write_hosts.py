"""The script that writes our lines of /etc/hosts, run for real below a directory that stands for the root."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sealpy.inventory.facts import HOSTS_SIGN
from sealpy.phases import write_hosts

OWN = "127.0.0.1 localhost\n"


def line(address: str) -> str:
    return f"{address} apiserver.cluster.local {HOSTS_SIGN}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text(OWN)
    return tmp_path


def write(root: Path, lines: str) -> None:
    script = write_hosts._WRITE.replace("/etc/", f"{root}/etc/").replace("/var/lib/kubelet/", f"{root}/kubelet/")
    subprocess.run(["sh", "-c", script, "sh", HOSTS_SIGN, lines], check=True)


def test_our_lines_come_change_and_go_and_others_stay(root: Path) -> None:
    hosts = root / "etc/hosts"
    write(root, line("10.0.0.1"))
    assert hosts.read_text() == f"{OWN}{line('10.0.0.1')}\n"
    write(root, line("10.0.0.2"))
    assert hosts.read_text() == f"{OWN}{line('10.0.0.2')}\n"
    write(root, "")
    assert hosts.read_text() == OWN
    assert [path.name for path in (root / "etc").iterdir()] == ["hosts"]


def test_pods_that_run_on_the_network_of_the_host_find_an_api_server_that_has_moved(root: Path) -> None:
    """A container has the file itself, not its name: what is renamed over it would never be seen there."""
    copies = [root / "kubelet/pods" / pod / "etc-hosts" for pod in ("kube-proxy", "web")]
    for copy, text in zip(copies, (f"{OWN}{line('10.0.0.1')}\n", OWN), strict=True):
        copy.parent.mkdir(parents=True)
        copy.write_text(text)
    before = [copy.stat().st_ino for copy in copies]
    write(root, line("10.0.0.2"))
    assert [copy.read_text() for copy in copies] == [f"{OWN}{line('10.0.0.2')}\n", OWN]
    assert [copy.stat().st_ino for copy in copies] == before
