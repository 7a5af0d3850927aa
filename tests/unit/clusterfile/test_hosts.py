from __future__ import annotations

import pytest

from sealpy.clusterfile import parse_hosts
from sealpy.errors import ConfigError

GOOD = [
    ("", ()),
    ("  ", ()),
    ("10.0.0.1", ("10.0.0.1",)),
    ("10.0.0.2,10.0.0.1", ("10.0.0.2", "10.0.0.1")),
    ("10.0.0.1, 10.0.0.4 - 10.0.0.6", ("10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.6")),
    ("10.0.0.254-10.0.1.1", ("10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1")),
    ("10.0.0.1-10.0.0.1", ("10.0.0.1",)),
    ("fd00::1", ("fd00::1",)),
    ("FD00:0:0::A-fd00::b", ("fd00::a", "fd00::b")),
    ("2408:4003:10bb:6a01:83b9:6360:c66d:ed57", ("2408:4003:10bb:6a01:83b9:6360:c66d:ed57",)),
]

BAD = [
    ("10.0.0.1,", "has an empty item", "comma"),
    ("10.0.0.1,10.0.0.1", "host '10.0.0.1' stands twice", "once"),
    ("10.0.0.1-10.0.0.3,10.0.0.2", "host '10.0.0.2' stands twice", "once"),
    ("fd00::1,fd00:0::1", "host 'fd00::1' stands twice", "once"),
    ("10.0.0.9-10.0.0.1", "runs backwards", "write '10.0.0.1-10.0.0.9'"),
    ("10.0.0.1-fd00::1", "mixes IPv4 and IPv6", "one family"),
    ("10.0.0.0-10.1.0.0", "holds 65537 hosts", "at most 4096"),
    ("10.0.0.1:22", "host '10.0.0.1:22' is no IP address", "write '10.0.0.1', and the port as `port` under `ssh`"),
    ("x.x.x.x", "host 'x.x.x.x' is no IP address", "placeholder"),
    ("10.0.0.300", "host '10.0.0.300' is no IP address", "no number of an address is greater than 255"),
    ("10.0.0.1-3", "range '10.0.0.1-3' has no second address", "write '10.0.0.1-10.0.0.3'"),
    ("10.0.0.1-300", "host '300' is no IP address", "10.0.0.1-10.0.0.3"),
    ("[fd00::2]", "host '.fd00::2.' is no IP address", "write 'fd00::2'"),
    ("fd00::1/64", "host 'fd00::1/64' is no IP address", "write 'fd00::1'"),
    ("10.0.0.5/24", "host '10.0.0.5/24' is no IP address", "write '10.0.0.5'"),
    ("10.0.0.01", "host '10.0.0.01' is no IP address", "write '10.0.0.1'"),
    ("10.0.0.1.", "host '10.0.0.1.' is no IP address", "write '10.0.0.1'"),
    ("10.0.0.1; 10.0.0.2", "host '10.0.0.1; 10.0.0.2' is no IP address", "put ',' between addresses"),
    ("root@10.0.0.1", "host 'root@10.0.0.1' is no IP address", "behind --user"),
    ("10.0.0.1\u201310.0.0.3", "host '10.0.0.1\u201310.0.0.3' is no IP address", "type '-' between"),
    ("node1.site", "host 'node1.site' is no IP address", "getent ahosts NAME"),
    ("master-1", "host 'master' is no IP address", "10.0.0.1"),
    ("fe80::1%eth0", "names an interface", "routes"),
]


@pytest.mark.parametrize(("text", "hosts"), GOOD)
def test_a_host_list_becomes_single_addresses_in_the_order_written(text: str, hosts: tuple[str, ...]) -> None:
    assert parse_hosts(text) == hosts


@pytest.mark.parametrize(("text", "message", "hint"), BAD)
def test_a_host_list_that_cannot_be_meant_is_refused_with_what_to_write(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        parse_hosts(text)
    assert hint in caught.value.hint
