"""Which registries a cluster pulls from, and who may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from sealpy.actions.environment import for_scripts
from sealpy.clusterfile import Cluster, ExternalRegistry, LocalRegistry
from sealpy.errors import ClusterfileError, ConfigError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference, registry_domain
from sealpy.image.registry_tree import ROOT, without_domain
from sealpy.inventory import Inventory
from sealpy.inventory.passwords import find_password
from sealpy.registry import Elsewhere, Login, RegistryPlan

__all__ = ["check_accounts", "check_registries", "registry_plan"]


def registry_plan(
    cluster: Cluster, image: ClusterImage, inventory: Inventory, *, secret: Callable[[str], None]
) -> RegistryPlan:
    """Settle where the registry runs and who logs in to it; `secret` is told what must not be shown.

    A password that is not found is none here, since a cluster is removed without it: `check_registries` refuses it.
    """
    local, external = cluster.registry.local, cluster.registry.external
    references = [Reference.parse(use.image) for use in image.metadata.container_images]
    domains = sorted({reference.domain for reference in references})
    served = tuple(domain for domain in domains if f"{ROOT}/repositories/{registry_domain(domain)}" in image.files)
    hosts = inventory.masters if local.ha else (inventory.leader,)
    plan = RegistryPlan(
        rootfs=f"{cluster.data_root}/{cluster.name}/rootfs",
        hosts=hosts if cluster.registry.runs else (),
        mirrored=served if cluster.registry.runs else tuple(domains),
        domain=local.domain,
        port=local.port,
        dns_names=local.cert_dns_names,
        ips=local.cert_ips,
        any_domain=not served or bool(without_domain(image.files, references)),
        env=for_scripts({**image.metadata.env, **cluster.env}),
        login=_login(local) if cluster.registry.runs else None,
        insecure=local.insecure,
        elsewhere=Elsewhere(url=external.url, login=_login(external)) if external else None,
    )
    for login in (plan.login, plan.elsewhere and plan.elsewhere.login):
        if login:
            secret(login.password.reveal())
            secret(login.header.removeprefix("Basic "))
    return plan


def check_registries(cluster: Cluster, plan: RegistryPlan) -> None:
    """Refuse an account that is half given or cannot be found, and two registries of one name; raises ConfigError."""
    if plan.hosts and plan.elsewhere and plan.elsewhere.url == f"{plan.domain}:{plan.port}":
        message = f"'{plan.elsewhere.url}' is both the registry of the cluster and the external one"
        raise ClusterfileError(message, place=cluster.place_of("registry"), hint="take one of them out of the file")
    check_accounts(cluster)


def check_accounts(cluster: Cluster) -> None:
    """Refuse an account that is half given or cannot be found; raises ConfigError."""
    for what, registry in _accounts(cluster):
        password = find_password(registry.password, registry.password_from)
        if bool(registry.username) != bool(password):
            there, missing = ("username", "password") if registry.username else ("password", "username")
            message = f"registry.{what}: there is a {there}, but no {missing}"
            raise ClusterfileError(
                message, place=cluster.place_of("registry"), hint="give both, the password by `passwordFrom`"
            )
        if password:
            Login(registry.username, password)  # raises what `_login` passes over


def _accounts(cluster: Cluster) -> Iterator[tuple[str, LocalRegistry | ExternalRegistry]]:
    if cluster.registry.runs:
        yield "localRegistry", cluster.registry.local
    if cluster.registry.external:
        yield "externalRegistry", cluster.registry.external


def _login(registry: LocalRegistry | ExternalRegistry) -> Login | None:
    with suppress(ConfigError):
        password = find_password(registry.password, registry.password_from)
        if registry.username and password:
            return Login(registry.username, password)
    return None
