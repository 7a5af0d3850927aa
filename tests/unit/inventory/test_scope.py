from __future__ import annotations

import pytest

from sealpy.connectors.target import Target
from sealpy.errors import ConfigError
from sealpy.inventory import Host, Inventory, Scope

HOSTS = Inventory(
    tuple(
        Host(target=Target(address=address), roles=roles)
        for address, roles in (
            ("10.0.0.1", ("master",)),
            ("10.0.0.2", ("master",)),
            ("10.0.0.3", ("node",)),
            ("10.0.0.4", ("node", "db")),
        )
    )
)


@pytest.mark.parametrize(
    ("text", "last_parts"),
    [
        ("", "1 2 3 4"),
        ("master", "1 2"),
        ("control-plane", "1 2"),
        ("node", "3 4"),
        ("worker", "3 4"),
        ("role=node", "3 4"),
        ("master0", "1"),
        ("db", "4"),
        ("master|node", "1 2 3 4"),
        ("master | db", "1 2 4"),
        ("master/node", "1 2 3 4"),
        ("10.0.0.3", "3"),
        ("10.0.0.2-10.0.0.3", "2 3"),
        ("10.0.0.4,master0", "1 4"),
    ],
)
def test_words_select_hosts_in_the_order_of_the_inventory(text: str, last_parts: str) -> None:
    assert Scope.parse(text).select(HOSTS) == tuple(f"10.0.0.{part}" for part in last_parts.split())


@pytest.mark.parametrize("text", ["nodes", "10.9.9.9", "master,etcd"])
def test_a_word_that_selects_nobody_is_refused_with_the_words_there_are(text: str) -> None:
    with pytest.raises(ConfigError, match="selects no host") as raised:
        Scope.parse(text).select(HOSTS)
    assert "master0, master, node, db" in raised.value.hint


def test_a_label_is_kept_for_the_api_server() -> None:
    assert Scope.parse("disk=fast").label == "disk=fast"
    with pytest.raises(ConfigError, match="API server"):
        Scope.parse("disk=fast").select(HOSTS)
