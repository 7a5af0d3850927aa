"""What goes wrong on the far side: machines that go down in the middle, and secrets that must be found nowhere."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Machine, Sealpy
from tests.faults import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

Machines = tuple[Machine, ...]
MARKER = "Marker-of-a-password-93b1"
IN_SYSTEM_FILES = "grep -rlF --binary-files=text --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev"


@pytest.fixture(scope="module", autouse=True)
def marked(sealpy: Sealpy, machines: Machines) -> Iterator[None]:
    """Give root of the machines a password that can be searched for."""
    for machine in machines[:2]:
        sealpy.on(machine.name, f"cp /etc/shadow /run/shadow && printf %s 'root:{MARKER}' | chpasswd")
    yield
    for machine in machines[:2]:
        sealpy.on(machine.name, "test ! -e /run/shadow || cp /run/shadow /etc/shadow")


class Operator:
    """Somebody who types the command, and the password when asked; sees what a `ps` shows meanwhile."""

    def __init__(self, sealpy: Sealpy, machines: Machines) -> None:
        self.sealpy = sealpy
        master, worker = machines[:2]
        self.words = ["run", "kubernetes:v1.34.4", "-m", master.address, "-n", worker.address, "--name", "faults"]
        self.words += ["-p", "-"]
        self.seen = ""

    def run(self, *, reboot: Machine | None = None, when: str = "") -> tuple[int, list[dict[str, Any]]]:
        """Run; reboot a machine at once when an event has all of these words."""
        process = subprocess.Popen(
            [self.sealpy.program, "--output", "json", *self.words],
            env=self.sealpy.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin
        assert process.stdout
        process.stdin.write(MARKER + "\n")
        process.stdin.close()
        watchdog = threading.Timer(400, process.kill)
        watchdog.start()
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if reboot and all(word in line for word in (*when.split("|"), reboot.address)):
                self.sealpy.on(reboot.name, "systemctl reboot --force --force", check=False)
                reboot = None
        watchdog.cancel()
        process.stdout.close()
        code = process.wait()
        watcher.join()
        assert reboot is None, f"no event had {when}"
        return code, events

    def _watch(self, process: subprocess.Popen[str]) -> None:
        """Look at the list of processes all the while, beside the events: a machine must go down when it is told to."""
        while process.poll() is None:
            self.seen += subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
            time.sleep(0.1)


@pytest.fixture(scope="module")
def operator(sealpy: Sealpy, machines: Machines, images: str) -> Operator:
    assert images
    return Operator(sealpy, machines)


def answers(sealpy: Sealpy, machine: Machine) -> None:
    """Wait until a machine that went down is up again."""
    deadline = time.monotonic() + 60
    while sealpy.on(machine.name, "systemctl is-system-running --wait >/dev/null; echo up", check=False) != "up":
        assert time.monotonic() < deadline, f"{machine.name} does not come up"
        time.sleep(0.5)


@pytest.mark.parametrize("when", ["transfer.progress", "step.started|join worker"], ids=["copy", "join"])
def test_a_machine_that_goes_down_in_the_middle_is_named(
    sealpy: Sealpy, operator: Operator, machines: Machines, when: str, fault: Fault
) -> None:
    master, worker = machines[:2]
    code, events = operator.run(reboot=worker, when=when)
    (error,) = [event for event in events if event["event"] == "error"]
    assert code in {3, 4}
    assert worker.address in json.dumps(error)
    assert f'"{master.address}"' not in json.dumps(error.get("problems", [])), "the other host is not to blame"
    assert [problem["hint"] for problem in error["problems"] if worker.address in problem["message"]] != [""]
    answers(sealpy, worker)
    fault(f"a worker reboots at {when}", "run", seen=f"exit {code}, the worker named, and what to do")


def test_the_next_run_finishes_what_was_left_half_made(
    sealpy: Sealpy, operator: Operator, machines: Machines, fault: Fault
) -> None:
    code, events = operator.run()
    assert code == 0, events[-1]
    (seconds,) = [event["seconds"] for event in events if event.get("event") == "run.finished"]
    nodes = sealpy.on(machines[0].name, "kubectl get nodes --no-headers").splitlines()
    assert [line.split()[1] for line in nodes] == ["Ready", "Ready"]
    _, events = operator.run()
    assert events[-1]["text"] == "cluster 'faults': nothing to change"
    fault("both reboots before", "run", seen="finished; then nothing to change", second=seconds)


def test_a_password_is_found_nowhere(sealpy: Sealpy, operator: Operator, machines: Machines) -> None:
    assert MARKER not in operator.seen
    for path in (path for path in Path(sealpy.home).rglob("*") if path.is_file() and "images" not in path.parts):
        assert MARKER.encode() not in path.read_bytes(), path
    for machine in machines[:2]:
        assert sealpy.on(machine.name, f"{IN_SYSTEM_FILES} {MARKER} / 2>/dev/null; true") == ""
    everything = sealpy.on(machines[0].name, "kubectl get configmaps,secrets,pods -A -o json")
    assert MARKER not in everything
    sealpy("delete", "--all", "--cluster", "faults", "--force", "--passwd", "-", stdin=MARKER + "\n")
