from __future__ import annotations

import socket
from pathlib import Path
from typing import Self

import pytest

from sealpy.connectors.local import LocalConnector
from sealpy.connectors.reach import Ways, is_this_machine
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target


class Kernel:
    """A socket whose source address is given."""

    source = "10.0.0.9"

    def __init__(self, *_: object) -> None:
        self.to = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def connect(self, to: tuple[str, int]) -> None:
        if to[0] == "10.9.9.9":
            raise OSError("no route")

    def getsockname(self) -> tuple[str, int]:
        return self.source, 1


@pytest.fixture(autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", Kernel)


@pytest.mark.parametrize(
    ("address", "here"), [("10.0.0.9", True), ("10.0.0.8", False), ("10.9.9.9", False), ("127.0.0.1", False)]
)
def test_only_the_machines_own_addresses_are_this_machine(address: str, here: bool) -> None:  # noqa: FBT001 - a case
    assert is_this_machine(address) is here


def test_this_machine_is_reached_without_ssh(tmp_path: Path) -> None:
    ways = Ways(known_hosts=tmp_path / "k", emit=lambda _: None)
    here, there = ways.to(Target(address="10.0.0.9")), ways.to(Target(address="10.0.0.8"))
    assert isinstance(here, LocalConnector)
    assert here.address == "10.0.0.9"
    assert isinstance(there, SshConnector)
