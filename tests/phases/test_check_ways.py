"""Every pair of hosts and port that Kubernetes needs: which they are, how they are tried, what is said."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sealpy.checks import Needs
from sealpy.context import Context
from sealpy.engine import Connections, Executor, Forgive, Journal, strict
from sealpy.errors import ConnectError, PreflightError, SealpyError
from sealpy.events import Event, PhaseSkipped
from sealpy.inventory import Inventory
from sealpy.phases.check_ways import _CLOSE, _CONNECT, _OPEN, CheckWays, ways_between
from sealpy.sdk import Result
from sealpy.testing.builders import a_context, a_host, good_facts
from sealpy.testing.connector import Asked, FakeConnector

M1, M2, W1, W2 = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"
HOSTS = Inventory((a_host(M1), a_host(M2), a_host(W1, "node"), a_host(W2, "node")))
NODE = {"node": "x"}
NEEDS = Needs(registry_hosts=(M1,), registry_port=5000)


def ways(*nodes: str, needs: Needs = NEEDS) -> dict[str, list[tuple[str, int]]]:
    facts = {host.address: good_facts(marks=NODE if host.address in nodes else {}) for host in HOSTS}
    found = ways_between(HOSTS, facts, needs)
    return {host: list(targets) for host, targets in found.items()}


def test_control_planes_need_everybody_and_workers_need_them_and_the_registry() -> None:
    assert ways() == {
        M1: [(M2, 6443), (M2, 2379), (M2, 2380), (M2, 10250), (W1, 10250), (W2, 10250)],
        M2: [(M1, 6443), (M1, 2379), (M1, 2380), (M1, 10250), (M1, 5000), (W1, 10250), (W2, 10250)],
        W1: [(M1, 6443), (M1, 5000), (M2, 6443)],
        W2: [(M1, 6443), (M1, 5000), (M2, 6443)],
    }


def test_control_planes_without_etcd_need_no_ports_of_it() -> None:
    assert ways(needs=replace(NEEDS, etcd=()))[M1] == [(M2, 6443), (M2, 10250), (W1, 10250), (W2, 10250)]


def test_only_ways_from_or_to_a_new_host_are_tried() -> None:
    assert ways(M1, M2, W1) == {
        M1: [(W2, 10250)],
        M2: [(W2, 10250)],
        W2: [(M1, 6443), (M1, 5000), (M2, 6443)],
    }
    assert ways(M1, M2, W1, W2) == {}


def _opened(number: str, asked: Asked) -> Result:
    return Result(stdout=f"77{number} {len(asked.argv) - 4}".encode() if number else b"")


class Site:
    """Machines of which some do not answer some."""

    def __init__(self, ctx: Context, *, listens: bool = True) -> None:
        self.ctx = ctx
        self.events: list[Event] = []
        self.machines = {address: FakeConnector(address, default=None) for address in ctx.inventory.addresses}
        for address, machine in self.machines.items():
            number = address.rpartition(".")[2]
            machine.on("sh", "-c", _OPEN, answers=[partial(_opened, number if listens else "")])
            machine.on("sh", "-c", _CONNECT, stdout="")
            machine.on("sh", "-c", _CLOSE, stdout="")

    def check(self, *, rehearsal: bool = False, forgive: Forgive = strict) -> None:
        self.ctx.rehearsal = rehearsal
        executor = Executor(
            Connections(lambda address: self.machines[address]),
            emit=self.events.append,
            journal=Journal(None, run="r", action="apply"),
        )
        executor.forgive = forgive
        CheckWays().perform(self.ctx, executor)

    def commands(self, script: str) -> dict[str, tuple[str, ...]]:
        return {
            address: asked.argv[4:]
            for address, machine in self.machines.items()
            for asked in machine.asked
            if asked.argv[2] == script
        }


@pytest.fixture
def site() -> Site:
    ctx = a_context(list(HOSTS))
    ctx.facts[W1] = good_facts(ports=frozenset({10250}))
    return Site(ctx)


def test_each_host_listens_where_nobody_does_and_stops_in_the_end(site: Site) -> None:
    site.check()
    assert site.commands(_OPEN) == {
        M1: tuple(f"{M1}:{port}" for port in (2379, 2380, 5000, 6443, 10250)),
        M2: tuple(f"{M2}:{port}" for port in (2379, 2380, 6443, 10250)),
        W2: (f"{W2}:10250",),
    }
    assert site.commands(_CONNECT)[W1] == (M1, "6443", M1, "5000", M2, "6443")
    assert site.commands(_CLOSE) == {M1: ("771",), M2: ("772",), W2: ("774",)}


def test_a_way_that_is_closed_is_told_with_both_ends(site: Site) -> None:
    site.machines[W1].on("sh", "-c", _CONNECT, stdout=f"{M1} 6443 no answer\n{M1} 5000 no answer\n")
    site.machines[M2].on("sh", "-c", _CONNECT, stdout=f"{W1} 10250 No route to host\n")
    with pytest.raises(PreflightError) as caught:
        site.check()
    assert {host: [str(one) for one in found] for host, found in caught.value.problems.items()} == {
        M2: [f"does not reach {W1} at port 10250: no route to host [ways]"],
        W1: [f"does not reach {M1} at port 6443, 5000: no answer [ways]"],
    }
    assert caught.value.problems[W1][0].hint == (
        f"let TCP from {W1} to {M1} through every firewall between, and on it: port 6443, 5000"
    )
    assert len(site.commands(_CLOSE)) == 3


def test_a_way_between_two_is_laid_to_the_one_that_is_no_control_plane(site: Site) -> None:
    site.machines[M2].on("sh", "-c", _CONNECT, stdout=f"{W1} 10250 No route to host\n")
    site.machines[W2].on("sh", "-c", _CONNECT, stdout=f"{M1} 6443 no answer\n")
    told: dict[str, str] = {}

    def forgive(errors: Mapping[str, SealpyError]) -> Mapping[str, SealpyError]:
        told.update({host: error.message for host, error in errors.items()})
        return {}

    site.check(forgive=forgive)
    assert told == {
        W1: f"{W1}: {M2} does not reach {W1} at port 10250: no route to host [ways]",
        W2: f"{W2}: does not reach {M1} at port 6443: no answer [ways]",
    }


def test_a_refusal_is_no_way_where_something_listens(site: Site) -> None:
    site.machines[W1].on("sh", "-c", _CONNECT, stdout=f"{M1} 6443 connection refused\n")
    with pytest.raises(PreflightError):
        site.check()


def test_a_refusal_shows_the_way_where_nothing_could_listen() -> None:
    site = Site(a_context(list(HOSTS)), listens=False)
    site.machines[W1].on("sh", "-c", _CONNECT, stdout=f"{M1} 6443 connection refused\n")
    site.check()
    assert site.commands(_CLOSE) == {}


def test_what_listens_is_ended_also_when_a_host_is_lost_meanwhile(site: Site) -> None:
    site.machines[W1].on("sh", "-c", _CONNECT, answers=[ConnectError(W1, "connection lost")])
    with pytest.raises(ConnectError, match="connection lost"):
        site.check()
    assert set(site.commands(_CLOSE)) == {M1, M2, W2}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"skip": frozenset({"ways"})}, "left out by --skip ways"),
        ({"rehearsal": True}, "a rehearsal opens no ports"),
        ({"hosts": [a_host(M1)]}, "no new host among others"),
    ],
)
def test_it_is_left_out_with_the_reason(change: dict[str, Any], reason: str) -> None:
    hosts = change.pop("hosts", list(HOSTS))
    rehearsal = change.pop("rehearsal", False)
    site = Site(a_context(hosts, **change))
    site.check(rehearsal=rehearsal)
    assert [event.reason for event in site.events if isinstance(event, PhaseSkipped)] == [reason]
    assert site.commands(_OPEN) == {}


# ---- the scripts, on this machine


def sh(script: str, *words: str) -> str:
    return subprocess.run(["sh", "-c", script, "sh", *words], capture_output=True, check=True, text=True).stdout


# Of the addresses of this machine alone, one that no other process uses at the same time.
ADDRESS = f"127.{os.getpid() >> 16 & 63 | 64}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
PATIENT = _OPEN.replace("$i -lt 40", "$i -lt 1000")  # a busy machine may take its time to listen


def free_ports(count: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((ADDRESS, 0))) for _ in range(count)]
        return [str(one.getsockname()[1]) for one in held]


def answers(port: str) -> bool:
    return sh(_CONNECT, ADDRESS, port) == ""


def test_the_scripts_listen_knock_and_leave_nothing_behind() -> None:
    if subprocess.run(["sh", "-c", "command -v systemd-socket-activate"], capture_output=True, check=False).returncode:
        pytest.skip("systemd-socket-activate is not here: apt-get install systemd")
    ports = free_ports(3)
    assert PATIENT != _OPEN
    pid, up = sh(PATIENT, *(f"{ADDRESS}:{port}" for port in ports)).split()
    try:
        assert up == "3"
        assert all(answers(port) for port in ports for _ in range(2))
    finally:
        sh(_CLOSE, pid)
    deadline = time.monotonic() + 40
    while any(answers(port) for port in ports):
        assert time.monotonic() < deadline
    assert sh(_CONNECT, ADDRESS, ports[0]) == f"{ADDRESS} {ports[0]} connection refused\n"


def test_what_listens_ends_by_itself_when_nobody_ends_it() -> None:
    if subprocess.run(["sh", "-c", "command -v systemd-socket-activate"], capture_output=True, check=False).returncode:
        pytest.skip("systemd-socket-activate is not here: apt-get install systemd")
    assert "timeout 60 " in PATIENT
    (port,) = free_ports(1)
    for seconds in (1, 5, 25):  # a busy machine may need one only to begin and to be asked
        sh(PATIENT.replace("timeout 60 ", f"timeout {seconds} "), f"{ADDRESS}:{port}")
        if answered := answers(port):
            break
    assert answered
    deadline = time.monotonic() + 50
    while answers(port):
        assert time.monotonic() < deadline
