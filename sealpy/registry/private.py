"""Start the registry, make hosts trust it, and undo both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sealpy.image.reference import registry_domain
from sealpy.registry.certificates import Authority
from sealpy.registry.login import Login
from sealpy.sdk import Put, Run, Steps, Wait

__all__ = ["Elsewhere", "RegistryPlan", "authority_path", "distrust", "mirrors", "start", "stop", "trust"]

_CERTS_D = "/etc/containerd/certs.d"
_SIGN = "# written by sealpy"
_AUTHORIZATION = "Authorization"
USERS = "etc/registry_htpasswd"  # where scripts of images look for it, in the rootfs

# $1 scripts of the rootfs. The names are those of images for sealpy, of the ancestor's, and of what its scripts start.
_STOP = """set -u
if [ -f "$1/uninstall-registry.sh" ]; then (cd "$1" && bash uninstall-registry.sh); fi
systemctl disable --now sealpy-registry 2>/dev/null
for client in nerdctl docker; do
  if command -v $client >/dev/null 2>&1; then $client rm -f sealer-registry 2>/dev/null; fi
done
true
"""
# Only what carries our sign goes: a mirror that somebody else configured stays. $1 certs.d, $2 the sign.
_DISTRUST = """set -eu
[ -d "$1" ] || exit 0
grep -rlsF "$2" "$1" --include=hosts.toml | while read -r file; do rm -rf "$(dirname "$file")"; done
rmdir "$1" 2>/dev/null || true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Name a registry that exists already, and who logs in to it."""

    url: str
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPlan:
    """Say where the registry runs and for which domains it answers.

    `mirrored` are the domains of the image's container images, each served below a path of its own, so that two domains
    with one path are two images; `any_domain` tells that images of the ancestor are there, whose registry has dropped
    the domains: what no domain has is then looked for by its path alone. Without `hosts` the cluster runs no registry
    and pulls from the one `elsewhere`. With a `login` the registry lets nobody in without it.
    """

    rootfs: str
    hosts: tuple[str, ...]
    mirrored: tuple[str, ...]
    domain: str = "sea.hub"
    port: int = 5000
    dns_names: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    any_domain: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    login: Login | None = None
    elsewhere: Elsewhere | None = None
    insecure: bool = False  # plain HTTP

    @property
    def url(self) -> str:
        """Give the registry that the cluster installs from, as it stands in references."""
        return self.elsewhere.url if self.elsewhere and not self.hosts else f"{self.domain}:{self.port}"

    def address_for(self, host: str) -> str:
        """Give the address by which a host reaches the registry: its own where it has one."""
        return host if host in self.hosts else self.hosts[0]


def start(plan: RegistryPlan, host: str, authority: Authority) -> Steps:
    """Give the host its certificate and run `init-registry.sh PORT DIR DOMAIN` of the image (sealer.md §5.2)."""
    if not plan.insecure:
        yield from _identify(plan, host, authority)
    if plan.login:
        users = f"{plan.rootfs}/{USERS}"
        yield Put("write who may use the registry", users, plan.login.htpasswd, mode=0o600, sensitive=True)
    script = 'cd "$1/scripts" && exec bash init-registry.sh "$2" "$1/registry" "$3"'
    yield Run(
        "start registry",
        *("bash", "-c", script, "bash", plan.rootfs, str(plan.port), plan.domain),
        env={**plan.env, "RegistryInsecure": str(plan.insecure).lower()}.items(),
    )
    yield Wait(
        "registry answers",
        *("bash", "-c", 'exec 3<>"/dev/tcp/127.0.0.1/$1"', "bash", str(plan.port)),
        timeout=60,
        pause=0.2,
    )


def _identify(plan: RegistryPlan, host: str, authority: Authority) -> Steps:
    server = authority.issue(dns=(plan.domain, *plan.dns_names), ips=(host, *plan.ips, "127.0.0.1"))
    certs = f"{plan.rootfs}/certs/{plan.domain}"
    yield Put("write the registry's certificate", f"{certs}.crt", server.certificate)
    yield Put("write the registry's key", f"{certs}.key", server.key, mode=0o600, sensitive=True)


def authority_path(plan: RegistryPlan) -> str:
    """Give where a host keeps the certificate of the registry's authority."""
    return f"{_CERTS_D}/{plan.url}/ca.crt"


def trust(plan: RegistryPlan, host: str, certificate: bytes) -> Steps:
    """Tell containerd to ask the registry first; it reads these files at each pull, so nothing is restarted.

    `certificate` is that of the authority of the cluster's own registry, when it runs one.
    """
    if plan.hosts and not plan.insecure:
        yield Put("write the registry's authority", authority_path(plan), certificate)
    for path, text in mirrors(plan, host).items():
        secret = _AUTHORIZATION in text
        mode = 0o600 if secret else 0o644
        yield Put(f"mirror {path.split('/')[-2]}", path, text.encode(), mode=mode, sensitive=secret)


def mirrors(plan: RegistryPlan, host: str) -> dict[str, str]:
    """Give the files that tell containerd on a host whom to ask for which domain, by path; they may hold secrets."""
    files = {**_own(plan, host), **_elsewhere(plan)}
    return {f"{_CERTS_D}/{domain}/hosts.toml": "\n".join([_SIGN, *lines, ""]) for domain, lines in files.items()}


def _own(plan: RegistryPlan, host: str) -> dict[str, list[str]]:
    """Name the cluster's own registry for every domain that it holds images of."""
    if not plan.hosts:
        return {}
    others = [other for other in plan.hosts if other != plan.address_for(host)]
    scheme = "http" if plan.insecure else "https"
    roots = [f"{scheme}://{address}:{plan.port}" for address in (plan.domain, *map(_bracketed, others))]
    known = _Known(plan.login, "" if plan.insecure else authority_path(plan))
    dropped = _hosts(roots, "", known) if plan.any_domain else []
    files = {plan.url: [f'server = "{roots[0]}"', *_hosts(roots, "", known)]}
    for domain in plan.mirrored:
        if domain != plan.url:
            files[domain] = [*_hosts(roots, f"/v2/{registry_domain(domain)}", known), *dropped]
    return {**files, "_default": dropped} if dropped else files


def _elsewhere(plan: RegistryPlan) -> dict[str, list[str]]:
    """Name the registry elsewhere: for itself and, where the cluster runs none, for every domain.

    Whoever filled it may have kept the domains, as the cluster's own registry does, or dropped them, as the ancestor's.
    """
    if plan.elsewhere is None:
        return {}
    roots, known = [f"https://{plan.elsewhere.url}"], _Known(plan.elsewhere.login)
    direct = _hosts(roots, "", known)
    files = {plan.elsewhere.url: [f'server = "{roots[0]}"', *direct]}
    if plan.hosts:
        return files
    for domain in plan.mirrored:
        if domain != plan.elsewhere.url:
            files[domain] = [*_hosts(roots, f"/v2/{registry_domain(domain)}", known), *direct]
    return {**files, "_default": direct}


def stop(plan: RegistryPlan, host: str) -> Steps:
    """Stop the registry of a host, whoever started it."""
    del host
    yield Run("stop registry", "sh", "-c", _STOP, "sh", f"{plan.rootfs}/scripts")


def distrust(plan: RegistryPlan, host: str) -> Steps:
    """Take our mirrors out of containerd's configuration."""
    del plan, host
    yield Run("forget the registry", "sh", "-c", _DISTRUST, "sh", _CERTS_D, _SIGN)


@dataclass(frozen=True, slots=True)
class _Known:
    """Hold by what a registry and its client know each other."""

    login: Login | None = None
    ca: str = ""


def _hosts(roots: list[str], path: str, known: _Known) -> list[str]:
    """Give the lines of a `hosts.toml` that name whom to ask, in that order; `path` is where the domain begins."""
    lines: list[str] = []
    for root in roots:
        lines += [f'[host."{root}{path}"]', '  capabilities = ["pull", "resolve"]']
        lines += [f'  ca = "{known.ca}"'] if known.ca else []
        lines += ["  override_path = true"] if path else []
        if known.login:
            lines += [f'[host."{root}{path}".header]', f'  {_AUTHORIZATION} = ["{known.login.header}"]']
    return lines


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
