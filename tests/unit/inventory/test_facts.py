from __future__ import annotations

import hashlib
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from sealpy.inventory import Disk, facts_script, parse_facts

SAID = """\
uid=0
name=lab-1
arch=x86_64
os=debian
os_version=12
cpus=2
memory_kib=24684096
swap_kib=0
machine_id=3d1219c7
cgroup=v1
init=systemd
mac=02:fc:00:00:00:01
mac=02:fc:00:00:00:02
missing=iptables
default_route=eth0
port=192B
port=0016
file=/etc/kubernetes/kubelet.conf
active=containerd
free_kib=72180316 /var/lib
nodefs=72180316 264212084
imagefs=9000 10000
present=rootfs
mark=rootfs 1234
mark=node init
feature=overlay
sysctl_ip_forward=1
time=1795274810.530336284
controllers=cpu memory pids
mount=/ ext4 rw,relatime rw,errors=remount-ro
mount=/sys/fs/cgroup/cpuset cgroup ro,relatime rw,cpuset
mount=/data xfs rw,noexec ro
interface=eth0 10.99.0.11/24
interface=eth0 fd00::11/64
way=default eth0
way=10.99.0.0/24 eth0
module=vxlan
modules=/lib/modules/6.1.0
unwritable=/etc
unwritable=/etc
free_inodes=12
product_uuid=aa-bb
selinux=1
kube_ca=abc
own_hosts=def
digest=123 /etc/containerd/certs.d/docker.io/hosts.toml
something_new=that an older sealpy does not know
no sign at all
"""


def test_every_line_of_the_script_has_its_place() -> None:
    facts = parse_facts(SAID)
    assert (facts.uid, facts.name, facts.arch, facts.init) == (0, "lab-1", "x86_64", "systemd")
    assert facts.macs == ("02:fc:00:00:00:01", "02:fc:00:00:00:02")
    assert facts.ports == {6443, 22}
    assert facts.missing == ("iptables",)
    assert facts.default_route == "eth0"
    assert facts.files == {"/etc/kubernetes/kubelet.conf"}
    assert facts.free_kib == {"/var/lib": 72180316}
    assert (facts.nodefs, facts.imagefs) == (Disk(72180316, 264212084), Disk(9000, 10000))
    assert facts.marks == {"rootfs": "1234", "node": "init"}
    assert facts.marked("rootfs", "1234")
    assert not facts.marked("rootfs", "5678")
    assert (facts.kube_ca, facts.own_hosts) == ("abc", "def")
    assert facts.digests == {"/etc/containerd/certs.d/docker.io/hosts.toml": "123"}
    assert facts.time == 1795274810.530336284
    assert facts.ip_forward
    assert facts.controllers == {"cpu", "memory", "pids"}
    assert facts.readonly == ("/sys/fs/cgroup/cpuset",)
    assert facts.mounts["/data"] == "rw,noexec,ro"
    assert facts.interfaces == (("eth0", "10.99.0.11/24"), ("eth0", "fd00::11/64"))
    assert facts.ways == (("default", "eth0"), ("10.99.0.0/24", "eth0"))
    assert facts.modules == {"vxlan"}
    assert facts.has_modules
    assert facts.unwritable == ("/etc",)
    assert (facts.free_inodes, facts.product_uuid, facts.selinux) == (12, "aa-bb", True)


def test_the_clock_is_compared_with_the_middle_of_the_round_trip() -> None:
    facts = parse_facts("time=1000.5").asked_between(990, 992)
    assert (facts.offset, facts.doubt) == (9.5, 1.0)


def test_a_host_that_says_nothing_is_described_as_unknown() -> None:
    facts = parse_facts("")
    assert (facts.uid, facts.cpus, facts.name, facts.marks) == (-1, 0, "", {})


def test_the_script_runs_in_any_posix_shell_and_reads_the_marks_of_its_cluster(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "rootfs").write_text("1234")
    (tmp_path / "rootfs").mkdir()
    answer = subprocess.run(facts_script(str(tmp_path)), capture_output=True, check=True, text=True)
    facts = parse_facts(answer.stdout)
    assert facts.uid >= 0
    assert facts.cpus > 0
    assert facts.memory_kib > 0
    assert facts.arch
    assert facts.time > 1_700_000_000
    assert facts.marks == {"rootfs": "1234"}
    assert facts.present == {"rootfs"}
    assert facts.controllers >= {"cpu", "memory", "pids"}
    for disk in (facts.nodefs, facts.imagefs):
        assert 0 < disk.free_kib < disk.size_kib
    assert facts.mounts["/"]
    assert ("lo", "127.0.0.1/8") in facts.interfaces
    assert answer.stderr == ""


def test_the_script_asks_a_node_less(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "node").write_text("init")
    answer = subprocess.run(facts_script(str(tmp_path)), capture_output=True, check=True, text=True)
    assert parse_facts(answer.stdout).interfaces == ()
    assert parse_facts(answer.stdout).marks == {"node": "init"}


@pytest.mark.parametrize("program", ["ss", "false", "not-here"])
def test_the_script_sees_who_listens(tmp_path: Path, program: str) -> None:
    shell, option, script, *words = facts_script(str(tmp_path))
    assert "$(ss -ltn" in script
    script = script.replace("$(ss -ltn", f"$({program} -ltn")
    with ExitStack() as opened:
        servers = [opened.enter_context(socket.create_server(("127.0.0.1", 0)))]
        with suppress(OSError):  # not every machine has IPv6
            servers.append(opened.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6)))
        answer = subprocess.run([shell, option, script, *words], capture_output=True, check=True, text=True)
        assert {server.getsockname()[1] for server in servers} <= parse_facts(answer.stdout).ports


def test_the_script_tells_by_which_interfaces_the_default_routes_lead(tmp_path: Path) -> None:
    facts = parse_facts(subprocess.run(facts_script(str(tmp_path)), capture_output=True, check=True, text=True).stdout)
    there = {device for way, device in facts.ways if way == "default"}
    assert (facts.default_route in there) if there else not facts.default_route


def test_the_script_tells_the_one_value_of_a_switch_of_the_kernel(tmp_path: Path) -> None:
    said = subprocess.run(facts_script(str(tmp_path)), capture_output=True, check=True, text=True).stdout
    switch = Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()  # ends for who reads byte by byte, as dash does
    assert f"sysctl_ip_forward={switch}\n" in said


def test_the_script_tells_what_stands_in_the_mirrors_whatever_marks_say(tmp_path: Path) -> None:
    mirror = tmp_path / "docker.io" / "hosts.toml"
    mirror.parent.mkdir()
    mirror.write_text("server = 'x'\n")
    command = [*facts_script(str(tmp_path / "cluster"))[:-1], str(tmp_path)]
    facts = parse_facts(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert facts.digests == {str(mirror): hashlib.sha256(mirror.read_bytes()).hexdigest()}
    assert facts.own_hosts == hashlib.sha256(b"").hexdigest(), "no line of this machine is ours"
