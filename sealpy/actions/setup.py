"""From a Clusterfile and a local image to the Context of a run, before any host is touched."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sealpy.actions.session import Surroundings
from sealpy.clusterfile import Cluster, Clusterfile, KubeadmDocument, dumps
from sealpy.connectors import Connector
from sealpy.connectors.reach import reach
from sealpy.context import Context
from sealpy.distributors import Stream, Tree, image_tree, rendered_tree
from sealpy.engine import Connections
from sealpy.errors import ClusterfileError, ImageError
from sealpy.events import Emit
from sealpy.gotemplate import render
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.reference import Reference, registry_domain
from sealpy.inventory import Inventory
from sealpy.kube import KubeDoor
from sealpy.registry import RegistryPlan
from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.runtimes.kubeadm_config import documents_by_kind

__all__ = ["Preparation", "prepare"]

_REPOSITORIES = "registry/docker/registry/v2/repositories"
_KUBEADM = "etc/kubeadm.yml"
_LABEL = "cluster.alpha.sealer.io/"
_RUNTIMES = ("kubernetes",)
_ENGINES = ("containerd",)
_DNS = 10  # the address of the cluster's name server in the range of services


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """Hold what a session needs: how to reach a host, and how to make the context once there are connections."""

    connect: Callable[[str], Connector]
    make_context: Callable[[Connections, Emit], Context]
    inventory: Inventory


def prepare(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Preparation:
    """Check what can be checked without a host, and settle everything that the run needs to know."""
    cluster = clusterfile.cluster
    _refuse_what_is_not_supported(clusterfile, image)
    inventory = Inventory.of(cluster)
    for secret in (*cluster.secrets, *inventory.secrets):
        surroundings.secret(secret)
    registry = _registry(cluster, image, inventory)
    env = {host.address: host_env(cluster, image, inventory, registry, host.address) for host in inventory}
    directory = f"{cluster.data_root}/{cluster.name}"
    tree = _trees(image, registry, env)
    plan = _cluster_plan(clusterfile, image, inventory, registry, env)
    runtime = Kubeadm(plan, secret=surroundings.secret)

    def connect(address: str) -> Connector:
        return reach(inventory[address].target, known_hosts=surroundings.known_hosts, emit=surroundings.emit)

    def make_context(connections: Connections, emit: Emit) -> Context:
        return Context(
            name=cluster.name,
            image=image,
            inventory=inventory,
            env=env,
            directory=directory,
            home=surroundings.cluster_home(cluster.name),
            document=dumps(clusterfile),
            registry=registry,
            runtime=runtime,
            distributor=Stream(directory),
            tree=tree,
            kube=KubeDoor(connections, inventory.leader),
            emit=emit,
            aliases=tuple((alias.ip, " ".join(alias.hostnames)) for alias in cluster.host_aliases),
            launch=cluster.cmd or None,
            apps=cluster.app_names or None,
            rehearsal=surroundings.rehearsal,
            operation=inventory.addresses,
        )

    return Preparation(connect=connect, make_context=make_context, inventory=inventory)


def _refuse_what_is_not_supported(clusterfile: Clusterfile, image: ClusterImage) -> None:
    """Refuse what would be passed over in silence otherwise."""
    name = image.reference.familiar
    if image.metadata.type != "kube-installer":
        raise ImageError(
            f"{name}: type '{image.metadata.type}' cannot be run yet", hint="run an image of a whole cluster"
        )
    for key, known, default in (
        ("cluster-runtime-type", _RUNTIMES, "kubernetes"),
        ("container-runtime-type", _ENGINES, "containerd"),
    ):
        found = image.metadata.labels.get(_LABEL + key, default)
        if found not in known:
            raise ImageError(f"{name}: {key} '{found}' is not supported", hint=f"supported: {', '.join(known)}")
    for kind, documents in (("Config", clusterfile.configs), ("Application", clusterfile.applications)):
        if documents:
            raise ClusterfileError(
                f"kind {kind} is not applied yet", place=documents[0].place, hint="take the document out of the file"
            )
    cluster, local = clusterfile.cluster, clusterfile.cluster.registry.local
    for what, given in (
        ("an external registry", cluster.registry.external is not None),
        ("a registry with a password", bool(local.username or local.password or local.password_from)),
        ("an insecure registry", local.insecure),
        ("cmd_args", bool(cluster.cmd_args)),
        (f"container runtime '{cluster.container_runtime}'", cluster.container_runtime not in {"", *_ENGINES}),
    ):
        if given:
            raise ClusterfileError(f"{what} is not supported yet", place=cluster.place, hint="take it out of the file")


def host_env(
    cluster: Cluster, image: ClusterImage, inventory: Inventory, registry: RegistryPlan, address: str
) -> dict[str, str]:
    """Give the environment of one host: image, cluster, host, and what is computed (sealer.md §2.4), in this order."""
    given = {**image.metadata.env, **cluster.env, **inventory[address].env}
    computed = {
        "RegistryDomain": registry.domain,
        "RegistryPort": str(registry.port),
        "RegistryURL": registry.url,
        "LocalRegistryDomain": registry.domain,
        "LocalRegistryPort": str(registry.port),
        "LocalRegistryURL": registry.url,
        "ContainerRuntime": "containerd",
        "HostIP": address,
        **({"HostIPFamily": "IPv6"} if ":" in address else {}),
        **_service_addresses(given.get("SvcCIDR", "")),
    }
    return {**given, **computed}


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


def _registry(cluster: Cluster, image: ClusterImage, inventory: Inventory) -> RegistryPlan:
    local = cluster.registry.local
    hosts = inventory.masters if local.ha else (inventory.leader,)
    domains = sorted({Reference.parse(use.image).domain for use in image.metadata.container_images})
    served = tuple(domain for domain in domains if f"{_REPOSITORIES}/{registry_domain(domain)}" in image.files)
    return RegistryPlan(
        rootfs=f"{cluster.data_root}/{cluster.name}/rootfs",
        hosts=hosts,
        mirrored=served,
        domain=local.domain,
        port=local.port,
        dns_names=local.cert_dns_names,
        ips=local.cert_ips,
        any_domain=not served,
        env={**image.metadata.env, **cluster.env},
    )


def _trees(image: ClusterImage, registry: RegistryPlan, env: Mapping[str, Mapping[str, str]]) -> Callable[[str], Tree]:
    plain = {with_data: image_tree(image, registry=with_data) for with_data in (True, False)}

    @functools.cache
    def tree(address: str) -> Tree:
        app_env = {app.name: {**env[address], **app.env} for app in image.metadata.applications}
        return rendered_tree(plain[address in registry.hosts], read=image.read, env=env[address], app_env=app_env)

    return tree


def _cluster_plan(
    clusterfile: Clusterfile,
    image: ClusterImage,
    inventory: Inventory,
    registry: RegistryPlan,
    env: Mapping[str, Mapping[str, str]],
) -> ClusterPlan:
    return ClusterPlan(
        name=clusterfile.cluster.name,
        rootfs=registry.rootfs,
        leader=inventory.leader,
        masters=inventory.masters,
        registry_url=registry.url,
        env=env,
        documents=_image_documents(image, env[inventory.leader]),
        overrides={document.kind: _body(document) for document in clusterfile.kubeadm},
        cert_sans=clusterfile.cluster.cert_sans,
    )


def _body(document: KubeadmDocument) -> Mapping[str, object]:
    return {**({"apiVersion": document.api_version} if document.api_version else {}), **document.body}


def _image_documents(image: ClusterImage, env: Mapping[str, str]) -> Mapping[str, Mapping[str, object]]:
    for path, text in (
        (_KUBEADM, lambda data: data),
        (f"{_KUBEADM}.tmpl", lambda data: render(data, env, name=f"{_KUBEADM}.tmpl")),
    ):
        if path in image.files:
            return documents_by_kind(text(image.read(path).decode()), name=path)
    raise ImageError(
        f"{image.reference.familiar}: no {_KUBEADM}", hint="a cluster image by kubeadm has it; is this an application?"
    )
