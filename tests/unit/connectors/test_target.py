from __future__ import annotations

import pytest

from sealpy.connectors.target import Target
from sealpy.errors import AuthError


@pytest.mark.parametrize(
    ("address", "port", "endpoint", "name"),
    [
        ("10.0.0.5", 22, "10.0.0.5:22", "10.0.0.5"),
        ("10.0.0.5", 2222, "10.0.0.5:2222", "[10.0.0.5]:2222"),
        ("Node-1.Example", 22, "Node-1.Example:22", "node-1.example"),
        ("fd00::5", 22, "[fd00::5]:22", "fd00::5"),
        ("fd00::5", 2222, "[fd00::5]:2222", "[fd00::5]:2222"),
    ],
)
def test_a_machine_is_named_as_people_and_as_known_hosts_name_it(
    address: str, port: int, endpoint: str, name: str
) -> None:
    target = Target(address=address, port=port)

    assert target.endpoint == endpoint
    assert target.known_hosts_name == name


def test_an_error_names_address_and_port_but_belongs_to_the_address() -> None:
    error = Target(address="10.0.0.5").error(AuthError, "login as 'root' refused", hint="try another key")

    assert str(error) == "10.0.0.5:22: login as 'root' refused"
    assert (error.host, error.hint) == ("10.0.0.5", "try another key")
