"""Start the private registry on its hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.events import Warned
from sealpy.registry import Authority, RegistryPlan, authority_path, mirrors, start
from sealpy.sdk import Fetch, Put, Result, Steps

__all__ = ["ANY_DOMAIN", "SERVES", "PrepareAuthority", "StartRegistry", "domain_marks", "registry_of", "trusts"]

SERVES = "serves-"  # and a domain: the mark on control planes that an application has brought images of it
ANY_DOMAIN = "any"  # in the place of a domain: one that has brought images without their domains


class PrepareAuthority(Phase[Context]):
    """Prepare the registry's certificate authority.

    It lives on the leader, so that any machine with access to the leader can go on where another one stopped.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Leave it alone when the registry runs everywhere and every host trusts it."""
        if not ctx.registry.hosts:
            return "the registry is elsewhere"
        fingerprint = ctx.facts[ctx.inventory.leader].registry_ca
        done = (
            bool(fingerprint)
            and all(trusts(ctx, host, fingerprint) for host in ctx.inventory.addresses)
            and all(is_running(ctx, host, fingerprint) for host in ctx.registry.hosts)
        )
        return "the registry runs, and every host trusts it" if done else ""

    def steps(self, ctx: Context, host: str) -> Steps:
        """Take the authority that is there, or make one."""
        place = f"{ctx.directory}/registry"
        if ctx.facts[host].registry_ca:
            certificate: Result = yield Fetch("read the registry's authority", f"{place}/ca.crt")
            key: Result = yield Fetch("read the key of the registry's authority", f"{place}/ca.key", sensitive=True)
            if certificate.ok and key.ok:
                return Authority(certificate.stdout, key.stdout)
        authority = Authority.create(ctx.name)
        yield Put(
            "write the key of the registry's authority", f"{place}/ca.key", authority.key, mode=0o600, sensitive=True
        )
        yield Put("write the registry's authority", f"{place}/ca.crt", authority.certificate)
        return authority

    def finish(self, ctx: Context, values: Mapping[str, object]) -> None:
        """Keep it for the phases that follow."""
        ctx.authority = next((value for value in values.values() if isinstance(value, Authority)), None)


class StartRegistry(Phase[Context]):
    """Start the registry."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the registry."""
        return ctx.registry.hosts

    def steps(self, ctx: Context, host: str) -> Steps:
        """Start it where it does not run with these names and this data yet."""
        if ctx.authority is None or is_running(ctx, host, ctx.authority.fingerprint):
            return
        if domain_marks(ctx) - ctx.facts[host].marks.keys():  # a new host, in a cluster that has applications
            hint = (
                "sealpy run APPLICATION puts them there; until then hosts ask the other registries, where there are any"
            )
            ctx.emit(Warned(message="the registry here lacks the images of applications", hint=hint, host=host))
        yield from start(ctx.registry, host, ctx.authority)
        yield ctx.mark("registry", registry_digest(ctx, host, ctx.authority.fingerprint))


def is_running(ctx: Context, host: str, fingerprint: str) -> bool:
    """Tell whether the registry runs on a host with these names, this data and this authority."""
    facts = ctx.facts[host]
    return facts.marked("registry", registry_digest(ctx, host, fingerprint)) and ctx.registry.port in facts.ports


def registry_digest(ctx: Context, host: str, fingerprint: str) -> str:
    """Give the input of starting the registry, for its mark."""
    plan = ctx.registry
    login = [(plan.login.username, plan.login.password.reveal())] if plan.login else []
    protocol = ["insecure"] if plan.insecure else []
    return digest_of(plan.url, plan.dns_names, plan.ips, ctx.tree(host).digest, fingerprint, *login, *protocol)


def registry_of(ctx: Context) -> RegistryPlan:
    """Give the registry with the domains that applications have brought since the cluster was made."""
    names = {mark.removeprefix(SERVES) for mark in domain_marks(ctx)}
    if not names:
        return ctx.registry
    domains = {*ctx.registry.mirrored, *names} - {ANY_DOMAIN}
    any_domain = ctx.registry.any_domain or ANY_DOMAIN in names
    return replace(ctx.registry, mirrored=tuple(sorted(domains)), any_domain=any_domain)


def domain_marks(ctx: Context) -> set[str]:
    """Give the marks by which control planes know of the domains that applications have brought."""
    known = [ctx.facts[host].marks for host in ctx.inventory.masters if host in ctx.facts]
    return {mark for marks in known for mark in marks if mark.startswith(SERVES)}


def trusts(ctx: Context, host: str, fingerprint: str) -> bool:
    """Tell whether a host's container engine is told of the registry, and by the files as they should be."""
    found, plan = ctx.facts[host].digests, registry_of(ctx)
    if plan.hosts and not plan.insecure and found.get(authority_path(plan)) != fingerprint:
        return False
    wanted = {path: hashlib.sha256(text.encode()).hexdigest() for path, text in mirrors(plan, host).items()}
    return all(found.get(path) == digest for path, digest in wanted.items())
