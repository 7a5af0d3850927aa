"""Lists of hosts as people type them: addresses, ranges, and both joined by commas."""

from __future__ import annotations

import ipaddress
import re

from sealpy.errors import ConfigError

__all__ = ["parse_hosts"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HINTS = (
    (re.compile(r"[x*]+(\.[x*]+)*", re.IGNORECASE), "put the address of your machine in place of this placeholder"),
    (re.compile(r".*[\u2012-\u2015\u2212].*"), "type '-' between the ends of a range: this is a longer dash"),
    (re.compile(r".*[;\s].*"), "put ',' between addresses"),
    (re.compile(r"[^@]+@[^@]+"), "write the address alone, and the account as `user` under `ssh`, or behind --user"),
    (re.compile(r"\d{1,3}(\.\d+){3}"), "no number of an address is greater than 255"),
    (
        re.compile(r"[A-Za-z][-\w]*(\.[-\w]+)*", re.ASCII),
        "hosts are named by their addresses, such as 10.0.0.1: getent ahosts NAME tells that of a name",
    ),
)
_DOTS = 3  # of an IPv4 address
_LARGEST = 255  # number in one
_LONGEST_RANGE = 4096  # a typing error in a range must not become a million hosts
_WITH_PORT = re.compile(r"(?P<address>\d+(?:\.\d+){3}|\[[0-9a-fA-F:.]+\]):\d+")


def parse_hosts(text: str) -> tuple[str, ...]:
    """Read `10.0.0.1,10.0.0.4-10.0.0.7` into single addresses, in the order written; raises ConfigError.

    IPv6 comes out in its shortest form. Blanks round commas and dashes do not matter, an empty text is no host, and an
    address that stands twice is refused.
    """
    if not text.strip():
        return ()
    hosts: dict[str, None] = {}
    for item in text.split(","):
        for host in _expand(item.strip(), text):
            if host in hosts:
                raise ConfigError(f"host '{host}' stands twice in '{text}'", hint="name every host once")
            hosts[host] = None
    return tuple(hosts)


def _expand(item: str, text: str) -> tuple[str, ...]:
    if not item:
        raise ConfigError(f"host list '{text}' has an empty item", hint="remove the comma that is too many")
    first, dash, last = (part.strip() for part in item.partition("-"))
    if not dash:
        return (str(_address(item)),)
    if last.isdecimal() and int(last) <= _LARGEST and first.count(".") == _DOTS:
        last_address = f"{first.rpartition('.')[0]}.{last}"
        raise ConfigError(f"range '{item}' has no second address", hint=f"write '{first}-{last_address}'")
    return _range(_address(first), _address(last), item)


def _range(first: Address, last: Address, item: str) -> tuple[str, ...]:
    if first.version != last.version:
        raise ConfigError(f"range '{item}' mixes IPv4 and IPv6", hint="write both ends in one family")
    count = int(last) - int(first) + 1
    if count < 1:
        raise ConfigError(f"range '{item}' runs backwards", hint=f"write '{last}-{first}'")
    if count > _LONGEST_RANGE:
        raise ConfigError(f"range '{item}' holds {count} hosts", hint=f"at most {_LONGEST_RANGE} hosts fit in a range")
    return tuple(str(type(first)(int(first) + step)) for step in range(count))


def _address(word: str) -> Address:
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        raise ConfigError(f"host '{word}' is no IP address", hint=_hint(word)) from None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id:
        raise ConfigError(f"host '{word}' names an interface of one machine", hint="use an address that routes")
    return address


def _meant(word: str) -> str:
    """Give the address that is written in another way: in brackets, with a network, a dot or zeros too many."""
    bare = word.strip("[].").partition("/")[0]
    numbers = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", bare)
    plain = ".".join(str(int(number)) for number in numbers.groups()) if numbers else bare
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return ""


def _hint(word: str) -> str:
    if match := _WITH_PORT.fullmatch(word):
        return f"write '{match['address'].strip('[]')}', and the port as `port` under `ssh`"
    if meant := _meant(word):
        return f"write '{meant}'"
    for pattern, hint in _HINTS:
        if pattern.fullmatch(word):
            return hint
    return "write addresses such as 10.0.0.1, a range 10.0.0.1-10.0.0.3, or several joined by commas"
