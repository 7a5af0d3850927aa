from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from sealpy.errors import MachineError
from sealpy.machines import network
from sealpy.machines.names import Names
from sealpy.machines.network import Wire, free_subnet, hardware_address


@dataclass
class Computer:
    """Stand for `ip` and `nft`: answer what there is, and write down what is asked for."""

    links: dict[str, str] = field(default_factory=dict)
    routes: list[str] = field(default_factory=list)
    tables: set[str] = field(default_factory=set)
    policy: str = "ACCEPT"  # of what iptables does with forwarded packets
    passages: int = 0
    done: list[str] = field(default_factory=list)

    def run(self, *argv: str, stdin: str = "") -> str:
        match argv:
            case ("ip", "-json", "link", *_):
                return json.dumps([{"ifname": name, "ifalias": alias} for name, alias in self.links.items()])
            case ("ip", "-json", "route", *_):
                return json.dumps([{"dst": route} for route in self.routes])
            case ("iptables", "--wait", "--list-rules", _):
                return f"-P FORWARD {self.policy}\n"
            case ("iptables", "--wait", change, *_):
                self.passages += 1 if change == "--insert" else -1
                return ""
            case _:
                self.done.append(" ".join(argv) + stdin)
                return ""

    def succeeds(self, *argv: str) -> bool:
        match argv:
            case ("nft", "list", "table", "inet", table):
                return table in self.tables
            case ("iptables", "--wait", "--check", *_):
                return self.passages > 0
            case _:
                self.done.append(" ".join(argv))
                return True


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    computer = Computer()
    monkeypatch.setattr(network, "run", computer.run)
    monkeypatch.setattr(network, "succeeds", computer.succeeds)
    monkeypatch.setattr(network, "which", lambda program: f"/usr/sbin/{program}")
    return computer


@pytest.fixture
def wire() -> Wire:
    return Wire(Names("lab"), "/root/.sealpy")


@pytest.mark.parametrize(
    ("routes", "taken", "free"),
    [
        ([], [], "10.99.0.0/24"),
        (["default", "192.0.2.0/24", "fe80::/64", "10.99.0.0/24"], [], "10.99.1.0/24"),
        (["10.99.1.7"], ["10.99.0.0/24"], "10.99.2.0/24"),
        (["10.99.0.0/17"], [], "10.99.128.0/24"),
    ],
)
def test_a_lab_takes_the_first_network_that_nobody_has(
    computer: Computer, routes: list[str], taken: list[str], free: str
) -> None:
    computer.routes = routes

    assert free_subnet(taken) == free


def test_no_network_left_is_told(computer: Computer) -> None:
    computer.routes = ["10.0.0.0/8"]

    with pytest.raises(MachineError, match="no free network"):
        free_subnet()


def test_hardware_addresses_are_local_ones_and_follow_from_the_address() -> None:
    assert hardware_address("10.99.0.11") == "02:99:0a:63:00:0b"


def test_the_rule_that_nothing_passes_stands_before_the_bridge(computer: Computer, wire: Wire) -> None:
    wire.raise_up("10.99.0.0/24")

    rule, *rest = computer.done
    assert 'iifname "sb-lab" oifname != "sb-lab" drop' in rule
    assert 'oifname "sb-lab" iifname != "sb-lab" drop' in rule
    assert rest == [
        "ip link add name sb-lab address 02:99:0a:63:00:01 type bridge",
        "ip link set dev sb-lab alias /root/.sealpy",
        "ip address replace 10.99.0.1/24 dev sb-lab",
        "ip link set dev sb-lab up",
    ]


def test_a_bridge_that_stands_is_not_made_again(computer: Computer, wire: Wire) -> None:
    computer.links = {"sb-lab": "/root/.sealpy"}

    wire.raise_up("10.99.0.0/24")

    assert not [words for words in computer.done if "link add" in words]


def test_machines_may_talk_to_each_other_where_a_firewall_drops_what_is_forwarded(
    computer: Computer, wire: Wire
) -> None:
    computer.policy = "DROP"

    wire.raise_up("10.99.0.0/24")
    wire.raise_up("10.99.0.0/24")

    assert computer.passages == 1
    assert wire.leftovers() == [
        "iptables rule FORWARD --in-interface sb-lab --out-interface sb-lab --jump ACCEPT",
    ]
    wire.take_down()
    assert computer.passages == 0


def test_where_nothing_is_dropped_the_firewall_is_left_alone(computer: Computer, wire: Wire) -> None:
    wire.raise_up("10.99.0.0/24")

    assert computer.passages == 0


def test_a_lab_of_another_home_is_neither_used_nor_removed(computer: Computer, wire: Wire) -> None:
    computer.links = {"sb-lab": "/home/ann/.sealpy"}

    with pytest.raises(MachineError, match=r"belongs to the home '/home/ann/\.sealpy'") as caught:
        wire.claim()

    assert "SEALPY_HOME=/home/ann/.sealpy" in caught.value.hint


def test_what_is_left_of_a_wire_is_found_by_name(computer: Computer, wire: Wire) -> None:
    computer.links = {"eth0": "", "sb-lab": "", "sv-lab-2": "", "sv-other-1": ""}
    computer.tables = {"sealpy-lab"}

    assert wire.leftovers() == ["link sb-lab", "link sv-lab-2", "nftables table inet sealpy-lab"]
    assert wire.machines() == {"lab-2"}


def test_taking_down_what_is_not_there_does_nothing(computer: Computer, wire: Wire) -> None:
    wire.take_down()
    wire.unplug("lab-1")

    assert computer.done == []
