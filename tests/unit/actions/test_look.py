"""What is made of the facts of machines that no cluster is made of yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sealpy.actions import look as looking
from sealpy.actions.look import about, free_range, look
from sealpy.actions.session import Surroundings
from sealpy.errors import ConnectError, PhaseError
from sealpy.inventory import Inventory
from sealpy.sdk import Result
from sealpy.testing.builders import a_host, good_facts
from sealpy.testing.connector import FakeConnector

FACTS = b"uid=0\nname=N1\narch=x86_64\nos=debian\nos_version=12\ncpus=4\nmemory_kib=8388608\n"


def test_a_machine_is_described_on_one_line() -> None:
    facts = good_facts("n1", os="debian", os_version="12", memory_kib=8 << 20, free_kib={"/var/lib": 100 << 20})
    assert about(facts) == "n1, debian 12, x86_64, 4 processors, 8 GiB of memory, 100 GiB free"
    used = good_facts("n2", cpus=1, memory_kib=512 << 10, free_kib={}, files=frozenset({"/etc/kubernetes/admin.conf"}))
    assert about(used) == "n2, x86_64, 1 processor, 512 MiB of memory, carries traces of a cluster"


@pytest.mark.parametrize(
    ("known", "pods", "services"),
    [
        ({}, "100.64.0.0/16", "10.96.0.0/16"),
        ({"interfaces": (("eth0", "100.64.3.4/24"),)}, "172.20.0.0/16", "10.96.0.0/16"),
        ({"ways": (("default", "eth0"), ("10.0.0.0/8", "tun0"), ("100.0.0.0/8", "tun0"))}, "172.20.0.0/16",
         "172.21.0.0/16"),
        ({"ways": (("0.0.0.0/1", "tun0"), ("128.0.0.0/1", "tun0"))}, "", ""),
        ({"ways": (("nonsense", "eth0"),)}, "100.64.0.0/16", "10.96.0.0/16"),
    ],
)  # fmt: skip
def test_a_range_is_free_when_no_machine_has_an_address_or_a_way_there(
    known: dict[str, Any], pods: str, services: str
) -> None:
    machines = [good_facts("n1"), good_facts("n2", **known)]
    assert free_range("pods", machines, family=4) == pods
    assert free_range("services", machines, family=4) == services


def test_machines_of_ipv6_get_ranges_of_ipv6() -> None:
    assert ":" in free_range("pods", [good_facts("n1")], family=6)


def surroundings(tmp_path: Path) -> Surroundings:
    return Surroundings(home=tmp_path, emit=lambda _: None, secret=lambda _: None)


def ways(make: Callable[[str], FakeConnector]) -> Callable[..., Any]:
    class Ways:
        def __init__(self, **_: object) -> None:
            """Take what the real ones take."""

        def to(self, target: Any) -> FakeConnector:
            return make(target.address)

    return Ways


class Telling(FakeConnector):
    def run(self, argv: Sequence[str], **more: Any) -> Result:
        super().run(argv, **more)
        return Result(stdout=FACTS)


def test_every_machine_is_asked_once_and_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Telling] = []

    def make(address: str) -> Telling:
        asked.append(Telling(address))
        return asked[-1]

    monkeypatch.setattr(looking, "Ways", ways(make))
    inventory = Inventory((a_host("10.0.0.1"), a_host("10.0.0.2", "node")))
    facts = look(inventory, surroundings(tmp_path), directory="/d")
    assert {host: (found.name, found.cpus) for host, found in facts.items()} == {
        "10.0.0.1": ("n1", 4),
        "10.0.0.2": ("n1", 4),
    }
    assert [connector.round_trips for connector in asked] == [1, 1]
    assert list(tmp_path.iterdir()) == []


def test_every_machine_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make(address: str) -> FakeConnector:
        raise ConnectError(address, "connection refused")

    monkeypatch.setattr(looking, "Ways", ways(make))
    inventory = Inventory((a_host("10.0.0.1"), a_host("10.0.0.2", "node")))
    with pytest.raises(PhaseError) as caught:
        look(inventory, surroundings(tmp_path), directory="/d")
    assert list(caught.value.errors) == ["10.0.0.1", "10.0.0.2"]
    assert "nothing was written" in caught.value.hint
