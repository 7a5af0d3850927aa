"""Other ways to machines and to clusters: sudo, machines by count, a run that is killed."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Machine, Sealpy
from tests.faults import Fault

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

Machines = tuple[Machine, ...]


def password_of(machine: Machine) -> str:
    return Path(machine.private_key).with_name("password").read_text().strip()


def test_another_user_than_root_works_through_sudo_with_a_password(
    sealpy: Sealpy, images: str, machines: Machines
) -> None:
    words = ["run", images, "-m", machines[0].address, "-u", "admin", "-p", "-", "--name", "sudo", "--dry-run"]
    done = sealpy(*words, stdin=password_of(machines[0]) + "\n")
    assert next(len(event["plan"]) for event in done.events if "plan" in event) > 10
    assert password_of(machines[0]) not in str(done.events) + done.stderr


def test_a_wrong_password_is_refused_by_name_and_changes_nothing(
    sealpy: Sealpy, images: str, machines: Machines, fault: Fault
) -> None:
    words = ["run", images, "-m", machines[0].address, "-u", "admin", "-p", "-", "--name", "sudo"]
    done = sealpy(*words, stdin="not the password\n", check=False)
    (error,) = done.of("error")
    assert done.code == 3
    assert "login as 'admin' refused" in str(error)
    assert done.finished["changed"] == 0
    fault("a wrong password", "run -p -", seen="exit 3, account and host named, nothing changed")


def test_machines_by_count_are_booted_and_become_a_cluster(sealpy: Sealpy, images: str) -> None:
    assert images
    try:
        done = sealpy("run", "kubernetes:v1.34.4", "--provider", "local", "-m", "1", "--name", "counted")
        assert done.finished["ok"]
        (machine,) = [entry for line in sealpy("lab", "list", "--name", "lab").results for entry in line]
        assert "Ready" in sealpy.on(machine["name"], "kubectl get nodes --no-headers")
    finally:
        sealpy("lab", "down", "--name", "lab")


@pytest.mark.parametrize("at", ["distribute", "init_control_plane"])
def test_a_run_that_is_killed_is_finished_by_the_next_one(
    sealpy: Sealpy, images: str, machines: Machines, at: str, fault: Fault
) -> None:
    assert images
    machine = machines[0]
    words = ["run", "kubernetes:v1.34.4", "-m", machine.address, "--pk", machine.private_key, "--name", "killed"]
    run = subprocess.Popen(
        [sealpy.program, "--output", "json", *words],
        env=sealpy.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert run.stdout
    for line in run.stdout:
        if f'"phase.started","phase":"{at}"' in line.replace(" ", ""):
            time.sleep(2)  # in the middle of it
            break
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    again = sealpy(*words)
    assert again.finished["ok"]
    assert "Ready" in sealpy.on(machine.name, "kubectl get nodes --no-headers")
    assert sealpy(*words).text == "cluster 'killed': nothing to change"
    fault(f"kill -9 in phase {at}", "run", seen="finished; then nothing to change", second=again.seconds)
    sealpy("delete", "--all", "--cluster", "killed", "--force")
    assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""


def test_the_first_interrupt_ends_a_run_cleanly(sealpy: Sealpy, images: str, machines: Machines, fault: Fault) -> None:
    machine = machines[0]
    words = ["run", images, "-m", machine.address, "--pk", machine.private_key, "--name", "stopped"]
    command = [sealpy.program, "--output", "json", *words]
    run = subprocess.Popen(command, env=sealpy.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert run.stdout
    told = []
    for line in run.stdout:
        told.append(line)
        if "transfer.progress" in line:
            run.send_signal(signal.SIGINT)
            break
    told.append(run.communicate(timeout=120)[0])
    assert run.returncode == 130
    assert "stopped by the operator" in "".join(told)
    assert sealpy.on(machine.name, "cat /var/lib/sealpy/data/stopped/marks/rootfs"), "what was begun was finished"
    done = sealpy("delete", "--all", "--cluster", "stopped", "--force")
    assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""
    fault("Ctrl-C while files are sent", "run, delete --all", seen="exit 130, ended whole", second=done.seconds)
