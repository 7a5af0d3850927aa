"""The shape of a document of kind Cluster, of either generation. The text below a field is what users read of it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sealpy.clusterfile.fields import (
    ClusterName,
    DataRoot,
    Domain,
    EnvList,
    Flag,
    Host,
    Hosts,
    Pairs,
    Port,
    Role,
    Taint,
)
from sealpy.clusterfile.shape import Metadata, Model, PasswordFromModel, SshModel
from sealpy.clusterfile.types import DEFAULT_DATA_ROOT, DEFAULT_NAME

__all__ = ["ClusterMetadata", "ClusterSpec", "ExternalRegistryModel", "HostModel", "MachinesModel"]


class ClusterMetadata(Metadata):
    """Name a cluster."""

    name: ClusterName = DEFAULT_NAME
    """Name of the cluster: small letters, digits and '-'. It becomes part of paths on every host."""


class HostModel(Model):
    """Describe hosts that are alike."""

    ips: Annotated[list[Hosts], Field(min_length=1)]
    """Addresses: single ones, ranges (10.0.0.4-10.0.0.9), or several joined by commas; IPv4 or IPv6."""
    roles: list[Role] = []
    """`master` (`control-plane`), `node` (`worker`), and words of your own, which become node labels and scopes."""
    ssh: SshModel = SshModel()
    """Login of these hosts, put over that of the cluster field by field."""
    env: EnvList = []
    """NAME=value for these hosts, heard over the cluster's; NAME alone as there."""
    labels: dict[str, str | None] = {}
    """Labels of the nodes."""
    taints: list[Taint] = []
    """Taints of the nodes: key=value:NoSchedule, key:NoExecute; `key-` takes one away."""


class SubjectAltName(Model):
    """Add names to the certificate of the registry."""

    dns_names: list[Domain] = []
    """Further names."""
    ips: list[Host] = []
    """Further addresses."""


class RegistryCert(Model):
    """Describe the certificate of the registry."""

    subject_alt_name: SubjectAltName = SubjectAltName()
    """What the certificate is valid for, beside the registry's domain and the addresses of its hosts."""


class LocalRegistryModel(Model):
    """Describe the registry in the cluster."""

    domain: Domain = "sea.hub"
    """Name of the registry, which every host finds in /etc/hosts."""
    port: Port = 5000
    """Port of the registry on its hosts."""
    username: str = ""
    """Account that pulls and pushes; none: anyone in the cluster's network may."""
    password: str = ""
    """Its password; better `passwordFrom`."""
    password_from: PasswordFromModel | None = None
    """Where the password is found when it is needed."""
    ha: Flag = True
    """Whether it runs on all control planes, or on the first one only."""
    insecure: Flag = False
    """Whether it speaks plain HTTP instead of HTTPS."""
    cert: RegistryCert = RegistryCert()
    """Its certificate, which sealpy issues."""


class ExternalRegistryModel(Model):
    """Describe a registry elsewhere."""

    domain: Domain
    """Name of the registry, which the hosts must be able to find."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Its port; 0 means that of HTTPS."""
    username: str = ""
    """Account that pulls."""
    password: str = ""
    """Its password; better `passwordFrom`."""
    password_from: PasswordFromModel | None = None
    """Where the password is found when it is needed."""


class RegistryModel(Model):
    """Name the registries."""

    local_registry: LocalRegistryModel = LocalRegistryModel()
    """The registry that runs in the cluster and holds the container images of the cluster image."""
    external_registry: ExternalRegistryModel | None = None
    """A registry that exists already, to pull from instead; sealpy puts nothing into it."""


class ContainerRuntime(Model):
    """Choose the container engine."""

    type: Literal["docker", "containerd", ""] = ""
    """Kind of container engine; what the image brings is what is installed."""


class HostAliasModel(Model):
    """Be a line of `/etc/hosts`."""

    ip: Host
    """Address of the line."""
    hostnames: Annotated[list[Domain], Field(min_length=1)]
    """Names of the address."""


class Network(Model):
    """Hold the network of the first generation."""

    interface: str = ""
    """Read, and not used: the address of a host says which interface it is."""
    cni_name: str = ""
    """Read, and not used: the image brings its pod network."""
    without_cni: Annotated[Flag, Field(alias="withoutCNI")] = False
    """Read, and not used: the image brings its pod network."""
    pod_cidr: Annotated[str, Field(alias="podCIDR")] = ""
    """Range of pod addresses; the same as env PodCIDR."""
    svc_cidr: Annotated[str, Field(alias="svcCIDR")] = ""
    """Range of Service addresses; the same as env SvcCIDR."""


class MachinesModel(Model):
    """Hold masters or nodes of the first generation; all but `ipList` asks a provider to make machines."""

    ip_list: list[Hosts] = []
    """Addresses, as `hosts[].ips` has them."""
    count: str = ""
    """Refused: sealpy makes no machines in a cloud."""
    cpu: str = ""
    """Refused with `count`."""
    memory: str = ""
    """Refused with `count`."""
    system_disk: str = ""
    """Refused with `count`."""
    data_disks: list[str] = []
    """Refused with `count`."""


class ClusterSpec(Model):
    """Describe a cluster, in the words of both generations: which one it is is told by the fields."""

    image: Annotated[str, Field(min_length=1)]
    """The cluster image, such as kubernetes:v1.34.4."""
    env: EnvList = []
    """NAME=value for scripts, templates, apps and plugins, heard over the image's. NAME alone has the value that the
    variable has where sealpy runs, and is saved without it; so is a value that looks like a secret."""
    cmd: list[str] = []
    """Commands to launch instead of what the image launches."""
    cmd_args: Annotated[Pairs, Field(alias="cmd_args")] = []
    """NAME=value for `$(NAME)` in commands of images of version 0.8."""
    app_names: list[str] = []
    """Apps of the image to launch instead of those it launches itself."""
    hosts: list[HostModel] = []
    """The hosts, in groups that are alike. The first control plane leads: the others join it."""
    ssh: SshModel = SshModel()
    """How to log in to the hosts."""
    container_runtime: ContainerRuntime = ContainerRuntime()
    """The container engine."""
    host_aliases: list[HostAliasModel] = []
    """Lines of /etc/hosts on all hosts."""
    registry: RegistryModel = RegistryModel()
    """The registry that the cluster pulls container images from."""
    data_root: DataRoot = DEFAULT_DATA_ROOT
    """Directory on every host for what sealpy puts there; each cluster has its own below it."""
    provider: str = ""
    """Of the first generation: BAREMETAL, which is all there is."""
    network: Network = Network()
    """Of the first generation: the ranges of pods and Services."""
    cert_sans: Annotated[list[str], Field(alias="certSANS")] = []
    """Of the first generation: further names of the API server; the same as env CertSANs."""
    masters: MachinesModel = MachinesModel()
    """Of the first generation: the control planes."""
    nodes: MachinesModel = MachinesModel()
    """Of the first generation: the workers."""
    status: None = None
    """Let pass: an early document of the ancestor has it here."""
