"""Checks across the fields of a Cluster, made on what is written: they are told beside every other mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sealpy.clusterfile.document import Document, Location, Tree
from sealpy.clusterfile.findings import Findings
from sealpy.clusterfile.hosts import parse_hosts
from sealpy.clusterfile.sketch import JOINING, meant
from sealpy.errors import ConfigError, did_you_mean

__all__ = ["check_cluster"]

_PROVIDERS = {
    "ALI_CLOUD": "sealpy makes no machines in a cloud: make them first and list their addresses",
    "CONTAINER": "for machines on this computer use `sealpy run --provider local`",
}
_BY_PROVIDER = ("count", "cpu", "memory", "systemDisk", "dataDisks")


def check_cluster(document: Document, findings: Findings) -> None:
    """Find hosts that stand twice, families of addresses that are mixed, and what the first generation asks of clouds.

    Also a role that is most likely meant as one by which hosts join. What has not the shape of its field is passed
    over: the field says so itself.
    """
    _check_addresses(document, findings)
    _check_roles(document, findings)
    _check_first_generation(document, findings)


def _check_addresses(document: Document, findings: Findings) -> None:
    seen: dict[str, Location] = {}
    mixed = False
    for location, host in _hosts(document):
        if host in seen:
            line = document.place(seen[host]).line
            hint = "name every host once; one entry may have several roles"
            findings.problem(document, location, f"host '{host}' stands twice (first on line {line})", hint=hint)
        first = next(iter(seen), host)
        if (":" in first) != (":" in host) and not mixed:
            mixed = True
            message = f"host '{host}' is not of the same address family as '{first}'"
            findings.problem(document, location, message, hint="name all hosts by IPv4, or all by IPv6")
        seen.setdefault(host, location)


def _check_roles(document: Document, findings: Findings) -> None:
    """Find words that are nearly a role, where no other word of the entry is one; words of one's own stay free."""
    for index, host in enumerate(_list(_mapping(document.tree.get("spec")).get("hosts"))):
        roles = _list(_mapping(host).get("roles"))
        words = [word for word in roles if isinstance(word, str)]
        if not JOINING.isdisjoint(words):
            continue
        for at, word in enumerate(roles):
            if isinstance(word, str) and meant(word):
                message = f"'{word}' is no role by which a host joins the cluster"
                location = ("spec", "hosts", index, "roles", at)
                findings.problem(document, location, message, hint=did_you_mean(word, JOINING))


def _check_first_generation(document: Document, findings: Findings) -> None:
    provider = document.text_of("spec", "provider")
    if provider not in {"", "BAREMETAL"}:
        hint = _PROVIDERS.get(provider, "write BAREMETAL, or leave it out")
        findings.problem(document, ("spec", "provider"), f"'{provider}' is not supported", hint=hint)
        return
    spec = _mapping(document.tree.get("spec"))
    for key in ("masters", "nodes"):
        machines = _mapping(spec.get(key))
        if spec.get("hosts") and machines.get("ipList"):
            hint = "move these addresses into `hosts`"
            findings.problem(document, ("spec", key), "the cluster has `hosts` too", hint=hint)
        elif not machines.get("ipList") and any(machines.get(word) for word in _BY_PROVIDER):
            hint = "list the addresses of machines that exist as `ipList`"
            findings.problem(document, ("spec", key), "sealpy makes no machines", hint=hint)


def _hosts(document: Document) -> Iterator[tuple[Location, str]]:
    for location, text in _texts(document):
        try:
            hosts = parse_hosts(text)
        except ConfigError:  # told by the field
            continue
        for host in hosts:
            yield location, host


def _texts(document: Document) -> Iterator[tuple[Location, str]]:
    """Yield every text that names hosts, and where it stands."""
    spec = _mapping(document.tree.get("spec"))
    lists: list[tuple[Location, Tree]] = [
        (("spec", "hosts", index, "ips"), _mapping(host).get("ips"))
        for index, host in enumerate(_list(spec.get("hosts")))
    ]
    lists += [(("spec", key, "ipList"), _mapping(spec.get(key)).get("ipList")) for key in ("masters", "nodes")]
    for location, texts in lists:
        for at, text in enumerate(_list(texts)):
            if isinstance(text, str):
                yield (*location, at), text


def _mapping(tree: Tree) -> Mapping[str, Tree]:
    return tree if isinstance(tree, dict) else {}


def _list(tree: Tree) -> list[Tree]:
    return tree if isinstance(tree, list) else []
