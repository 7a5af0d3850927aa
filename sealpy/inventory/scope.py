"""Which hosts a word of the user selects: roles, addresses, ranges, labels of nodes."""

from __future__ import annotations

from dataclasses import dataclass

from sealpy.clusterfile import parse_hosts
from sealpy.errors import ConfigError
from sealpy.inventory.hosts import Host, Inventory

__all__ = ["Scope"]

_SEPARATORS = str.maketrans("|/", ",,")


@dataclass(frozen=True, slots=True)
class Scope:
    """Select hosts as `on` and `scope` of a plugin do (sealer.md §3.3, §3.5); empty selects all.

    `words` are roles (`master`, `node`, `master0`, or any other), addresses and ranges, united. `label` is a selector
    that only the API server can answer.
    """

    words: tuple[str, ...] = ()
    label: str = ""

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read `master`, `master|node`, `role=node`, `10.0.0.1-10.0.0.9,10.0.0.12` or a label selector with `=`."""
        text = text.strip()
        words = [word.strip().removeprefix("role=") for word in text.translate(_SEPARATORS).split(",")]
        if any("=" in word for word in words):  # but for the early form of a role
            return cls(label=text)
        return cls(words=tuple(word for word in words if word))

    def select(self, inventory: Inventory) -> tuple[str, ...]:
        """Give the addresses selected; raises ConfigError for a word that selects nobody, or for a label."""
        if self.label:
            raise ConfigError(f"label selector '{self.label}' can only be answered by the API server")
        if not self.words:
            return inventory.addresses
        chosen: set[str] = set()
        for word in self.words:
            found = _select_word(word, inventory)
            if not found:
                raise ConfigError(
                    f"scope '{word}' selects no host", hint=f"use one of {', '.join(_known_words(inventory))}"
                )
            chosen |= found
        return tuple(address for address in inventory.addresses if address in chosen)


def _select_word(word: str, inventory: Inventory) -> set[str]:
    if word == "master0":
        return {inventory.leader}
    role = Host.role(word)
    by_role = {host.address for host in inventory if role in host.roles}
    if by_role or not any(sign in word for sign in ".:"):
        return by_role
    return set(parse_hosts(word)) & set(inventory.addresses)


def _known_words(inventory: Inventory) -> list[str]:
    roles = dict.fromkeys(role for host in inventory for role in host.roles)
    return ["master0", *roles, "an address of a host"]
