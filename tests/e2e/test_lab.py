"""Real machines on this computer: they boot, they have no way out, and nothing of them is left.

What is left is looked for here by other means than the lab's own: by its name, in everything that the kernel lists.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest

from sealpy.machines.local import Lab, Machine
from sealpy.machines.recipe import DEBIAN

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs root on Linux"),
    pytest.mark.skipif(not shutil.which("systemd-nspawn"), reason="needs systemd-nspawn (systemd-container)"),
    pytest.mark.skipif(not shutil.which("debootstrap"), reason="needs debootstrap"),
]

NAME = "e2e-lab"
SEALPY = (sys.executable, "-c", "from sealpy.cli.app import main; main()")
UP = ("up", "--nodes", "2")
OUTSIDE = ("1.1.1.1", "2606:4700:4700::1111")


KUBELET = """
sysctl -qw net.ipv4.ip_forward=1
test "$(findmnt -no PROPAGATION /)" = shared
test -c /dev/kmsg
for disk in containerd kubelet etcd sealpy; do
  test "$(findmnt -no FSTYPE /var/lib/$disk)" != overlay
done
for hierarchy in $(awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts); do
  mkdir $hierarchy/try && rmdir $hierarchy/try
done
cd "$(mktemp -d -p /var/lib/containerd)" && mkdir lower upper work merged
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && umount merged
nft add table ip try && nft delete table ip try
iptables -t nat -A OUTPUT -j RETURN && iptables -t nat -D OUTPUT -j RETURN
ip link add try type vxlan id 1 dstport 8472 && ip link delete try
echo fine
"""


def sealpy(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a process of its own."""
    return subprocess.run(
        [*SEALPY, *words], env=os.environ | {"SEALPY_HOME": str(home)}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a home with the root file system that machines share: that of the user, or one made now."""
    home = tmp_path_factory.mktemp("shelf")
    (home / "lab").mkdir()
    theirs = Path(os.environ.get("SEALPY_HOME") or Path.home() / ".sealpy") / "lab" / DEBIAN.name
    if theirs.exists():
        subprocess.run(["cp", "-a", theirs, home / "lab"], check=True)
    else:
        lab = Lab(NAME, home)
        lab.up(1)
        lab.down()
    yield home
    shutil.rmtree(home)  # 300 MB, which pytest would keep for three runs


@pytest.fixture
def home(shelf: Path) -> Iterator[Path]:
    """Give a home in which there is no lab before and after the test."""
    Lab(NAME, shelf).down()
    yield shelf
    Lab(NAME, shelf).down()


@pytest.fixture(scope="module")
def machines(shelf: Path) -> Iterator[tuple[Machine, ...]]:
    """Boot two machines that the tests of this file look at and do not change."""
    lab = Lab("e2e-two", shelf)
    yield lab.up(2, cpus=1.5, memory=2**30)
    lab.down()


def ssh(machine: Machine, *words: str, check: bool = True, stdin: str = "") -> str:
    """Run a command on a machine, by the ssh program with the lab's key and known_hosts; gives its output."""
    options = ["-F", "none", "-i", str(machine.private_key), "-o", "BatchMode=yes"]
    options += ["-o", f"UserKnownHostsFile={machine.private_key.parents[2] / 'known_hosts'}"]
    command = ["ssh", *options, f"{machine.user}@{machine.address}", *words]
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=check
    )
    return done.stdout.strip()


def traces(name: str, home: Path) -> list[str]:
    """List what the kernel and the disk know of a lab: processes, groups, links, rules, mounts, namespaces, files."""
    lines = [f"group {path}" for path in groups() if f"sealpy-{name}" in path.name]
    lines += [f"link {path.name}" for path in Path("/sys/class/net").iterdir() if name in path.name]
    lines += [f"rule {line}" for line in output("nft", "list", "tables").splitlines() if name in line]
    lines += [f"namespace {line}" for line in output("ip", "netns", "list").splitlines() if name in line]
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "mountinfo"):
            try:
                text = (process / file).read_bytes()
            except OSError:
                continue
            if f"sealpy-{name}".encode() in text or f"lab/{name}".encode() in text:
                lines.append(f"{file} of {process.name}: {text[:200]!r}")
    lines += [f"file {path}" for path in (home / "lab").glob("*") if name in path.name or path.name.endswith(".part")]
    known_hosts = home / "known_hosts"
    known = known_hosts.read_text().splitlines() if known_hosts.exists() else []
    return lines + [f"key {line}" for line in known if name in line]


def groups() -> Iterator[Path]:
    """Yield every control group; those that vanish meanwhile are passed over."""
    return (Path(directory) for directory, _, _ in os.walk("/sys/fs/cgroup"))


def output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


# -- what a machine is ------------------------------------------------------------------------------------------------


def test_two_machines_answer_on_ssh_in_less_than_ten_seconds(home: Path) -> None:
    lab = Lab(NAME, home)
    began = time.monotonic()

    machines = lab.up(2)

    assert time.monotonic() - began < 10
    assert [machine.name for machine in machines] == ["e2e-lab-1", "e2e-lab-2"]
    assert [ssh(machine, "hostname") for machine in machines] == ["e2e-lab-1", "e2e-lab-2"]


def test_a_machine_runs_systemd_without_a_failed_unit(machines: tuple[Machine, ...]) -> None:
    for machine in machines:
        assert ssh(machine, "systemctl", "is-system-running", "--wait", check=False) == "running"


def test_machines_differ_in_identity_and_keys(machines: tuple[Machine, ...]) -> None:
    for place in ("/etc/machine-id", "/etc/ssh/ssh_host_ed25519_key.pub"):
        assert len({ssh(machine, "cat", place) for machine in machines}) == len(machines)


def test_machines_reach_each_other_and_this_computer(machines: tuple[Machine, ...]) -> None:
    first, second = machines
    gateway = ssh(first, "ip", "route", "show", "default").split()[2]

    for address in (second.address, gateway):
        assert ", 0% packet loss" in ssh(first, "ping", "-c", "1", "-W", "2", address)


@pytest.fixture
def _forwarding() -> Iterator[None]:
    """Let this computer forward, as a container engine on it would."""
    switch = Path("/proc/sys/net/ipv4/ip_forward")
    before = switch.read_text()
    switch.write_text("1")
    yield
    switch.write_text(before)


@pytest.mark.usefixtures("_forwarding")
def test_a_machine_has_a_default_route_that_leads_nowhere(machines: tuple[Machine, ...]) -> None:
    gateway_of_this_computer = [line.split()[2] for line in output("ip", "route", "show", "default").splitlines()]

    for address in (*OUTSIDE, *gateway_of_this_computer):
        assert ssh(machines[0], f"ping -c 1 -W 1 {address} > /dev/null 2>&1 || echo lost") == "lost"


@pytest.mark.usefixtures("_forwarding")
def test_a_machine_does_not_reach_the_machines_of_another_lab(machines: tuple[Machine, ...], home: Path) -> None:
    (other,) = Lab(NAME, home).up(1)  # it has a way back, so that nothing but the rule is in between

    assert "100% packet loss" in ssh(machines[0], "ping", "-c", "1", "-W", "1", other.address, check=False)


def test_machines_reach_each_other_where_a_firewall_drops_what_is_forwarded(home: Path) -> None:
    computer = f"""
    ip link set lo up
    iptables -P FORWARD DROP
    sealpy() {{ {shlex.join(SEALPY)} "$@"; }}
    sealpy lab up --nodes 2 --name {NAME} >&2
    sealpy lab ssh {NAME}-1 ping -c 1 -W 2 10.99.0.12 >&2 && echo reached
    sealpy lab down --name {NAME} >&2
    iptables -S FORWARD
    """  # in a network namespace of its own, so that this computer's firewall is left alone

    done = subprocess.run(
        ["unshare", "--net", "bash", "-euc", computer],
        env=os.environ | {"SEALPY_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "reached\n-P FORWARD DROP\n", done.stderr


def test_a_machine_may_use_as_much_as_it_was_given(machines: tuple[Machine, ...]) -> None:
    own = [path for path in groups() if path.name == f"sealpy-{machines[0].name}"]

    def value(*names: str) -> str:
        return next((group / name).read_text() for group in own for name in names if (group / name).exists())

    assert value("cpu.cfs_quota_us", "cpu.max").split()[0] == "150000"
    assert value("memory.limit_in_bytes", "memory.max").strip() == str(2**30)


def test_what_a_kubelet_needs_to_write_can_be_written(machines: tuple[Machine, ...]) -> None:
    done = ssh(machines[0], "bash -eus", stdin=KUBELET)

    assert done == "fine"


@pytest.mark.parametrize("user", ["root", "admin"])
def test_both_accounts_log_in_with_the_password_and_admin_has_sudo_with_it(
    machines: tuple[Machine, ...], user: str
) -> None:
    password = (machines[0].private_key.parent / "password").read_text().strip()
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(machines[0].private_key.parents[2] / "known_hosts"))
        client.connect(machines[0].address, username=user, password=password, look_for_keys=False, allow_agent=False)
        stdin, stdout, _ = client.exec_command("sudo --stdin --prompt '' id -u")
        stdin.write(f"{password}\n")
        stdin.flush()
        stdin.channel.shutdown_write()
        assert stdout.read() == b"0\n"


# -- up and down ------------------------------------------------------------------------------------------------------


def test_up_again_adds_what_is_missing_and_leaves_the_rest_alone(home: Path) -> None:
    lab = Lab(NAME, home)
    (first,) = lab.up(1)
    boot = ssh(first, "stat", "-c", "%Y", "/proc/1")

    machines = lab.up(2)

    assert len(machines) == 2
    assert ssh(machines[0], "stat", "-c", "%Y", "/proc/1") == boot


def test_a_machine_that_ended_comes_up_again_with_its_files_and_its_key(home: Path) -> None:
    lab = Lab(NAME, home)
    (machine,) = lab.up(1)
    ssh(machine, "echo kept > /root/file; echo kept > /var/lib/sealpy/file; sync")
    ssh(machine, "poweroff", check=False)
    eventually(lambda: not lab.machines()[0].running)

    lab.up(1)

    assert ssh(machine, "cat", "/root/file", "/var/lib/sealpy/file") == "kept\nkept"


def test_a_machine_that_reboots_comes_up_by_itself(home: Path) -> None:
    (machine,) = Lab(NAME, home).up(1)
    ssh(machine, "echo kept > /root/file; touch /run/before; sync")
    ssh(machine, "reboot", check=False)
    eventually(lambda: ssh(machine, "test -e /run/before || cat /root/file", check=False) == "kept")


def test_down_of_one_machine_takes_it_away_alone(home: Path) -> None:
    lab = Lab(NAME, home)
    lab.up(2)

    lab.down(["e2e-lab-1"])

    assert [machine.name for machine in lab.machines() if machine.running] == ["e2e-lab-2"]
    assert not [line for line in traces("e2e-lab-1", home) if "e2e-lab-1" in line]


def test_down_leaves_nothing_and_says_what_it_removed(home: Path) -> None:
    assert sealpy(home, "lab", "up", "--nodes", "2", "--name", NAME).returncode == 0
    assert traces(NAME, home)

    down = sealpy(home, "lab", "down", "--name", NAME, "--output", "json")

    assert down.returncode == 0, down.stderr
    assert traces(NAME, home) == []
    assert json.loads(down.stdout)["residue"] == []
    assert len(json.loads(down.stdout)["removed"]) == 5


def test_down_leaves_nothing_when_the_files_of_the_lab_are_gone(home: Path) -> None:
    Lab(NAME, home).up(2)
    shutil.rmtree(home / "lab" / NAME)

    assert sealpy(home, "lab", "down", "--name", NAME).returncode == 0
    assert traces(NAME, home) == []


def test_down_ends_what_runs_in_containers_of_a_machine_too(home: Path) -> None:
    lab = Lab(NAME, home)
    (machine,) = lab.up(1)
    ssh(
        machine,
        "mkdir -p /sys/fs/cgroup/pids/kubepods/pod1; unshare --mount --pid --net --fork setsid sleep 600 &>/dev/null &",
    )

    lab.down()

    assert traces(NAME, home) == []


def test_a_command_runs_on_a_machine_by_its_name(home: Path) -> None:
    Lab(NAME, home).up(1)

    done = sealpy(home, "lab", "ssh", "e2e-lab-1", "echo", "hello from", "$(hostname)")

    assert done.stdout == "hello from e2e-lab-1\n"


# -- killed in the middle ---------------------------------------------------------------------------------------------


def eventually(ready: Callable[[], object]) -> None:
    """Wait until it is so, as closely as can be: the moment is what a test is about."""
    deadline = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def answers(address: str) -> bool:
    try:
        socket.create_connection((address, 22), timeout=0.1).close()
    except OSError:
        return False
    return True


MOMENTS: dict[str, Callable[[Path], object]] = {
    "before anything": lambda _: True,
    "the lab has a directory": lambda home: (home / "lab" / NAME).exists(),
    "there is a rule or a bridge": lambda _: Path("/sys/class/net/sb-e2e-lab").exists(),
    "the first machine has a record": lambda home: list((home / "lab" / NAME).glob("machines/*/machine.json")),
    "the first machine is being furnished": lambda home: list((home / "lab" / NAME).glob("machines/*/upper*")),
    "its key is known": lambda home: (home / "known_hosts").exists(),
    "it has control groups": lambda _: list(Path("/sys/fs/cgroup").glob("*/sealpy-e2e-lab-1")),
    "it has a cable": lambda _: Path("/sys/class/net/sv-e2e-lab-1").exists(),
    "the second machine has a cable": lambda _: Path("/sys/class/net/sv-e2e-lab-2").exists(),
    "its sshd answers": lambda home: any(answers(machine.address) for machine in Lab(NAME, home).machines()),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_down_leaves_nothing_of_an_up_that_was_killed_when(moment: str, home: Path) -> None:
    with started(home, *UP) as up:
        eventually(lambda: MOMENTS[moment](home) or up.poll() is not None)
        up.kill()

    down = sealpy(home, "lab", "down", "--name", NAME)

    assert down.returncode == 0, down.stderr
    assert traces(NAME, home) == []


def test_up_after_a_killed_up_goes_on(home: Path) -> None:
    with started(home, *UP) as up:
        eventually(lambda: MOMENTS["it has control groups"](home))
        up.kill()

    machines = Lab(NAME, home).up(2)

    assert [ssh(machine, "hostname") for machine in machines] == ["e2e-lab-1", "e2e-lab-2"]


def test_down_that_was_killed_is_finished_by_the_next(home: Path) -> None:
    Lab(NAME, home).up(2)
    with started(home, "down") as down:
        eventually(lambda: not Path("/sys/class/net/sv-e2e-lab-1").exists() or down.poll() is not None)
        down.kill()

    assert sealpy(home, "lab", "down", "--name", NAME).returncode == 0
    assert traces(NAME, home) == []


def test_debootstrap_ends_with_an_up_that_is_killed_and_leaves_no_half_base(tmp_path: Path) -> None:
    with started(tmp_path, *UP) as up:
        eventually(lambda: list(tmp_path.glob("lab/base-*.part/debootstrap")) or up.poll() is not None)
        up.send_signal(signal.SIGKILL)

    eventually(lambda: str(tmp_path).encode() not in command_lines())
    assert sealpy(tmp_path, "lab", "down", "--name", NAME).returncode == 0
    assert traces(NAME, tmp_path) == []
    assert not (tmp_path / "lab").exists()


def command_lines() -> bytes:
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_bytes() + b"\n"
        except OSError:
            continue
    return found


def started(home: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start a command of the lab, to be killed."""
    return subprocess.Popen(
        [*SEALPY, "lab", *words, "--name", NAME],
        env=os.environ | {"SEALPY_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
