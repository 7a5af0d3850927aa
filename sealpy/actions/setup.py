"""From a Clusterfile and a local image to the Context of a run, before any host is touched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sealpy.actions.customize import choice_of, customized, edits_of
from sealpy.actions.environment import for_scripts, host_env
from sealpy.actions.files import Files
from sealpy.actions.mistakes import Mistakes
from sealpy.actions.references import check_references, referred_secrets, with_references
from sealpy.actions.registries import check_registries, registry_plan
from sealpy.actions.session import Surroundings
from sealpy.clusterfile import Clusterfile, KubeadmDocument, Readable, dumps, secret_values
from sealpy.connectors import Connector
from sealpy.connectors.reach import Ways
from sealpy.context import Context
from sealpy.distributors import Stream
from sealpy.engine import Connections
from sealpy.errors import ClusterfileError, ImageError
from sealpy.events import Emit
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.kube_version import check_kubernetes
from sealpy.image.metadata import KUBE_INSTALLER
from sealpy.inventory import Inventory
from sealpy.kube import KubeDoor
from sealpy.registry import RegistryPlan
from sealpy.runtimes import ClusterPlan
from sealpy.runtimes.kubeadm import Kubeadm
from sealpy.runtimes.kubeadm_config import documents_by_kind
from sealpy.runtimes.kubeadm_merge import layered

__all__ = ["Preparation", "prepare", "refuse_unsupported"]

_KUBEADM = "etc/kubeadm.yml"
_LABEL = "cluster.alpha.sealer.io/"
_RUNTIMES = ("kubernetes",)
_ENGINES = ("containerd",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """Hold what a session needs: how to reach a host, and how to make the context once there are connections.

    `check` makes the files of every host and the documents for kubeadm: what is wrong with one is told before any host
    is touched.
    """

    connect: Callable[[str], Connector]
    make_context: Callable[[Connections, Emit], Context]
    inventory: Inventory
    check: Callable[[], None]


def prepare(clusterfile: Clusterfile, image: ClusterImage, surroundings: Surroundings) -> Preparation:
    """Check what can be checked without a host, and settle everything that the run needs to know."""
    refuse_unsupported(clusterfile, image)
    document, written, clusterfile = dumps(clusterfile), clusterfile, with_references(clusterfile)
    cluster = clusterfile.cluster
    image = customized(clusterfile, image)
    inventory = Inventory.of(cluster, surroundings.logins)
    hidden = (*secret_values(clusterfile), *referred_secrets(written))
    for secret in (*cluster.secrets, *inventory.secrets, *hidden):
        surroundings.secret(secret)
    registry = registry_plan(cluster, image, inventory, secret=surroundings.secret)
    env = {host.address: host_env(clusterfile, image, inventory, registry, host.address) for host in inventory}
    directory = f"{cluster.data_root}/{cluster.name}"
    files = Files(image, registry.hosts, env, edits_of(clusterfile, image))
    exported = {address: for_scripts(variables) for address, variables in env.items()}
    documents = _image_documents(image, files, inventory.leader)
    plan = _cluster_plan(clusterfile, documents, inventory, registry, exported)
    runtime = Kubeadm(plan, secret=surroundings.secret)
    choice = choice_of(clusterfile)

    ways = Ways(known_hosts=surroundings.known_hosts, emit=surroundings.emit, interruption=surroundings.interruption)

    def connect(address: str) -> Connector:
        return ways.to(inventory[address].target)

    def make_context(connections: Connections, emit: Emit) -> Context:
        return Context(
            name=cluster.name,
            image=image,
            inventory=inventory,
            env=exported,
            directory=directory,
            home=surroundings.cluster_home(cluster.name),
            document=document,
            registry=registry,
            runtime=runtime,
            distributor=Stream(directory),
            tree=files.tree,
            kube=KubeDoor(connections, inventory.leader),
            emit=emit,
            aliases=tuple((alias.ip, " ".join(alias.hostnames)) for alias in cluster.host_aliases),
            launch=choice.commands,
            apps=choice.apps,
            rehearsal=surroundings.rehearsal,
            skip=surroundings.skip,
            operation=inventory.addresses,
        )

    def check() -> None:
        mistakes = Mistakes.of(Readable.of(clusterfile))
        with mistakes.gathering():
            check_references(written)
            for address in inventory.addresses:  # what is rendered may need the variables
                files.tree(address)
        with mistakes.gathering():
            check_registries(cluster, registry)
            layered(plan.documents, plan.overrides)
        mistakes.check()

    return Preparation(connect=connect, make_context=make_context, inventory=inventory, check=check)


def refuse_unsupported(clusterfile: Clusterfile, image: ClusterImage) -> None:
    """Refuse an image that makes no cluster, and what would be passed over in silence otherwise.

    Raises ImageError, ClusterfileError.
    """
    name = image.reference.familiar
    if image.metadata.type != KUBE_INSTALLER:
        hint = f"name the cluster, or take an image of type '{KUBE_INSTALLER}'; sealpy run launches an application"
        raise ImageError(f"{name}: type '{image.metadata.type}' is not the image of a cluster", hint=hint)
    for key, known, default in (
        ("cluster-runtime-type", _RUNTIMES, "kubernetes"),
        ("container-runtime-type", _ENGINES, "containerd"),
    ):
        found = image.metadata.labels.get(_LABEL + key, default)
        if found not in known:
            raise ImageError(f"{name}: {key} '{found}' is not supported", hint=f"supported: {', '.join(known)}")
    check_kubernetes(name, image.metadata.labels)
    cluster = clusterfile.cluster
    if cluster.container_runtime not in {"", *_ENGINES}:
        what = f"container runtime '{cluster.container_runtime}'"
        raise ClusterfileError(
            f"{what} is not supported yet", place=cluster.place_of("containerRuntime"), hint="take it out of the file"
        )


def _cluster_plan(
    clusterfile: Clusterfile,
    documents: Mapping[str, Mapping[str, object]],
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
        documents=documents,
        overrides={document.kind: _body(document) for document in clusterfile.kubeadm},
        cert_sans=clusterfile.cluster.cert_sans,
    )


def _body(document: KubeadmDocument) -> Mapping[str, object]:
    return {**({"apiVersion": document.api_version} if document.api_version else {}), **document.body}


def _image_documents(image: ClusterImage, files: Files, leader: str) -> Mapping[str, Mapping[str, object]]:
    found = files.read(leader, _KUBEADM)
    if found is None:
        hint = "a cluster image by kubeadm has it; is this an application?"
        raise ImageError(f"{image.reference.familiar}: no {_KUBEADM}", hint=hint)
    return documents_by_kind(found.decode(), name=_KUBEADM)
