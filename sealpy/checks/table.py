"""Every check there is, and how hosts are put to them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sealpy.checks import disk, kernel, leftovers, machine, network, together
from sealpy.checks.model import Check, Found, Needs, Subject
from sealpy.errors import ConfigError, did_you_mean, known_words

if TYPE_CHECKING:
    from sealpy.inventory import Facts, Host

__all__ = ["CHECKS", "FIXED", "inspect", "refuse_unknown"]

FIXED = ("another-cluster",)  # ids of the checks that cannot be left out
CHECKS: tuple[Check, ...] = (
    *machine.CHECKS,
    *kernel.CHECKS,
    *disk.CHECKS,
    *network.CHECKS,
    *leftovers.CHECKS,
    *together.CHECKS,
)


def inspect(
    hosts: Iterable[Host], facts: Mapping[str, Facts], needs: Needs, *, skip: Collection[str] = ()
) -> Iterator[Found]:
    """Yield what every check finds on every host, but for those to be skipped."""
    for host in hosts:
        subject = Subject(host=host, facts=facts[host.address], everyone=facts, needs=needs)
        for one in CHECKS:
            if one.id not in skip and one.concerns(subject.facts):
                for finding in one.find(subject):
                    where = finding.host or host.address
                    yield Found(where, one.id, one.severity, finding.message, one.reason, finding.fix)


def refuse_unknown(skip: Iterable[str], *, more: Collection[str] = (), fixed: Collection[str] = ()) -> None:
    """Raise ConfigError for an id that is none, or that of a check without which nothing can be said.

    `more` are ids of checks that are made elsewhere, `fixed` those of them that cannot be left out.
    """
    known = (*(one.id for one in CHECKS), *more)
    for word in skip:
        if word in {*fixed, *FIXED}:
            raise ConfigError(f"--skip: '{word}' cannot be left out", hint="mend what it finds, or take the host out")
        if word not in known:
            raise ConfigError(
                f"--skip: there is no check '{word}'", hint=did_you_mean(word, known) or known_words(known)
            )
