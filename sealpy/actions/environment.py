"""The environment of each host: what its templates are filled with, and what its scripts, apps and plugins find."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from sealpy.clusterfile import Cluster, Clusterfile
from sealpy.errors import ClusterfileError
from sealpy.image.cluster_image import ClusterImage
from sealpy.inventory import Inventory
from sealpy.registry import RegistryPlan

__all__ = ["for_scripts", "host_env", "network_env"]

_NETWORK = {"podSubnet": "PodCIDR", "serviceSubnet": "SvcCIDR", "dnsDomain": "DNSDomain"}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DNS = 10  # the address of the cluster's name server in the range of services


def host_env(
    clusterfile: Clusterfile, image: ClusterImage, inventory: Inventory, registry: RegistryPlan, address: str
) -> dict[str, str]:
    """Give the environment of one host: image, cluster, host, and what is computed (sealer.md §2.4), in this order."""
    cluster = clusterfile.cluster
    given = {**image.metadata.env, **cluster.cmd_args, **network_env(clusterfile), **inventory[address].env}
    computed = {
        **_registries(cluster, registry),
        "ContainerRuntime": "containerd",
        "HostIP": address,
        **({"HostIPFamily": "IPv6"} if ":" in address else {}),
        **_service_addresses(given.get("SvcCIDR", "")),
    }
    return {**given, **computed}


def _registries(cluster: Cluster, plan: RegistryPlan) -> dict[str, str]:
    """Give the variables of the registries; where there are two, the plain ones are those of the external one."""
    external = cluster.registry.external
    found = {"Local": (plan.domain, str(plan.port), plan.url)} if plan.hosts else {}
    if external:
        found["External"] = (external.domain, str(external.port or ""), external.url)
    found[""] = found.get("External") or found["Local"]
    return {
        f"{prefix}Registry{what}": value
        for prefix, values in found.items()
        for what, value in zip(("Domain", "Port", "URL"), values, strict=True)
    }


def network_env(clusterfile: Clusterfile) -> dict[str, str]:
    """Give the environment of the cluster, with the ranges and the domain that its ClusterConfiguration names.

    So templates of the image, such as that of the pod network, know what kubeadm is told. Raises ClusterfileError when
    the two say different things.
    """
    env = dict(clusterfile.cluster.env)
    for document in clusterfile.kubeadm:
        networking = document.body.get("networking") if document.kind == "ClusterConfiguration" else None
        given = networking if isinstance(networking, Mapping) else {}
        for field, name in _NETWORK.items():
            wanted = str(given.get(field) or "")
            if wanted and env.setdefault(name, wanted) != wanted:
                message = f"networking.{field} is '{wanted}', but env {name} is '{env[name]}'"
                raise ClusterfileError(message, place=document.place, hint="write one of the two, or the same in both")
    return env


def for_scripts(env: Mapping[str, str]) -> dict[str, str]:
    """Leave out what no shell can have as a variable; templates have it."""
    return {name: value for name, value in env.items() if _VARIABLE.fullmatch(name)}


def _service_addresses(cidrs: str) -> dict[str, str]:
    """Give the first and the tenth address of the first range, when the user set one."""
    first = cidrs.split(",", maxsplit=1)[0].strip()
    if not first:
        return {}
    try:
        network = ipaddress.ip_network(first, strict=False)
    except ValueError as error:
        raise ClusterfileError(
            f"env SvcCIDR: '{first}' is no range of addresses", hint="such as 10.96.0.0/16"
        ) from error
    if network.num_addresses <= _DNS:
        raise ClusterfileError(f"env SvcCIDR: '{first}' is too small for services", hint="such as 10.96.0.0/16")
    return {"KubeSvcIP": str(network[1]), "DNSSvcIP": str(network[_DNS])}
