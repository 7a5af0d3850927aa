"""What must differ between hosts, or agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING

from sealpy.checks.model import HERE, Finding, Stage, Subject, check

if TYPE_CHECKING:
    from sealpy.inventory import Facts

__all__ = ["CHECKS"]

_CLOCKS_DIFFER = 60.0  # seconds; a token or a certificate of a minute ago must not lie in the future
_FEW = 3  # of a unit: less is told in the next smaller one
_HERE_DIFFERS = 12 * 3600.0  # seconds; certificates that are made here are valid from a day ago


@check("same-name", reason="nodes are told apart by it", stage=Stage.BEFORE_NODE)
def _name(subject: Subject) -> Iterator[Finding]:
    if not subject.needs.renamed:
        yield from _shared(subject, "host name", lambda facts: {facts.name}, "hostnamectl set-hostname NAME")


@check("same-machine-id", reason="logs and network plug-ins tell machines apart by it", stage=Stage.BEFORE_NODE)
def _machine_id(subject: Subject) -> Iterator[Finding]:
    fix = "rm /etc/machine-id && systemd-machine-id-setup, then boot it again"
    yield from _shared(subject, "machine-id", lambda facts: {facts.machine_id}, fix)


@check("same-mac", reason="what is sent to one arrives at the other", stage=Stage.BEFORE_NODE)
def _mac(subject: Subject) -> Iterator[Finding]:
    yield from _shared(subject, "MAC address", lambda facts: set(facts.macs), "give each machine its own")


@check("same-product", severity="warning", reason="kubeadm asks for one of each machine", stage=Stage.BEFORE_NODE)
def _product(subject: Subject) -> Iterator[Finding]:
    """Compare machines alone: a container shows the identity of the machine around it."""

    def product(facts: Facts) -> set[str]:
        return set() if "container" in facts.features else {facts.product_uuid}

    yield from _shared(subject, "product_uuid", product, "make each virtual machine by itself, not as a copy")


@check("clock", reason="a certificate or token of one host would lie in the future of another")
def _clock(subject: Subject) -> Iterator[Finding]:
    """Compare with the middle of all clocks; of two that differ the third one tells who is wrong."""
    off = subject.facts.offset - _middle(subject)
    if abs(off) - subject.facts.doubt > _CLOCKS_DIFFER:
        yield Finding(f"clock is {_seconds(off)} against the others", "set it, and let NTP do so from now on")


@check("clock-here", severity="warning", reason="what is made here is dated by this clock")
def _clock_here(subject: Subject) -> Iterator[Finding]:
    first = next(iter(subject.everyone)) == subject.host.address
    off = -_middle(subject)
    if first and subject.facts.asked and abs(off) > _CLOCKS_DIFFER:
        worse = "; certificates will not be valid yet" if abs(off) > _HERE_DIFFERS else ""
        yield Finding(f"clock is {_seconds(off)} against the hosts{worse}", "set it, and let NTP do so", host=HERE)


def _middle(subject: Subject) -> float:
    """Give the middle of how far the hosts' clocks are ahead of ours; where they are even in number, ours decides."""
    offsets = [facts.offset for facts in subject.everyone.values()]
    tie = subject.facts.asked and len(offsets) % 2 == 0
    return median([*offsets, 0.0] if tie else offsets)


def _seconds(off: float) -> str:
    minutes, hours = abs(off) / 60, abs(off) / 3600
    text = f"{abs(off):.0f} s" if minutes < _FEW else f"{minutes:.0f} min" if hours < _FEW else f"{hours:.0f} h"
    return f"{text} {'ahead' if off > 0 else 'behind'}"


def _shared(subject: Subject, what: str, values: Callable[[Facts], set[str]], fix: str) -> Iterator[Finding]:
    for value in sorted(values(subject.facts) - {""}):
        same = [address for address, facts in subject.others if value in values(facts)]
        if same:
            yield Finding(f"{what} '{value}' is that of {', '.join(same)} too", fix)


CHECKS = (_name, _machine_id, _mac, _product, _clock, _clock_here)
