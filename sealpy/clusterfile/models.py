"""The shape of each document, as it is written; the names that users type are the aliases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from sealpy.clusterfile.fields import (
    Actions,
    ClusterName,
    DataRoot,
    Domain,
    EnvList,
    Flag,
    Host,
    Hosts,
    JumpHost,
    Port,
    Processes,
    Role,
    RootfsPath,
    Seconds,
    Taint,
    Timeout,
    hops,
    refused,
)
from sealpy.clusterfile.types import DEFAULT_DATA_ROOT, DEFAULT_NAME, FailurePolicy, HostKeyPolicy, Strategy

__all__ = [
    "ApplicationDocument",
    "ClusterDocument",
    "ClusterSpec",
    "ConfigDocument",
    "MachinesModel",
    "Model",
    "PasswordFromModel",
    "PluginDocument",
    "SshModel",
]


class Model(BaseModel):
    """Be strict about names, and take a key without a value as not written."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class Metadata(Model):
    """Name a document; what Kubernetes adds is let pass."""

    name: Annotated[str, Field(min_length=1)]
    namespace: str = ""
    labels: dict[str, str | None] = {}
    annotations: dict[str, str | None] = {}
    annotation: dict[str, str | None] = {}  # as an early document writes it
    creation_timestamp: str = ""


class ClusterMetadata(Metadata):
    """Name a cluster."""

    name: ClusterName = DEFAULT_NAME


class PasswordFromModel(Model):
    """Say where a password is to be found."""

    env: str = ""
    file: str = ""
    command: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([source for source in (self.env, self.file, self.command) if source]) != 1:
            raise refused("one source is needed", "write one of env: NAME, file: PATH, command: TEXT")
        return self


class LoginModel(Model):
    """Say how to log in to one machine."""

    user: str = ""
    port: Port | None = None
    passwd: str = ""
    password_from: PasswordFromModel | None = None
    pk: str = ""
    pk_passwd: str = ""
    pk_passwd_from: PasswordFromModel | None = None
    host_key_policy: HostKeyPolicy | None = None
    host_keys: list[str] = []

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for name, text, source in self.secrets():
            if text and source:
                raise refused(f"'{name}' is given twice: as text and by reference", "keep one of the two")
        return self

    def secrets(self) -> Iterator[tuple[str, str, PasswordFromModel | None]]:
        """Yield each secret: its key, the text, and the reference that may stand instead."""
        yield "passwd", self.passwd, self.password_from
        yield "pkPasswd", self.pk_passwd, self.pk_passwd_from


class JumpModel(LoginModel):
    """Name a machine on the way."""

    host: JumpHost


class SshModel(LoginModel):
    """Say how to log in, and through which machines."""

    sudo_passwd: str = ""
    sudo_passwd_from: PasswordFromModel | None = None
    jump: Annotated[list[JumpModel], BeforeValidator(hops)] = []
    encrypted: Flag = False

    def secrets(self) -> Iterator[tuple[str, str, PasswordFromModel | None]]:
        """Yield that of sudo too."""
        yield from super().secrets()
        yield "sudoPasswd", self.sudo_passwd, self.sudo_passwd_from

    @model_validator(mode="after")
    def _not_encrypted(self) -> Self:
        if self.encrypted:
            raise refused("passwords encrypted by older versions cannot be read", "write `passwordFrom:` instead")
        return self


class HostModel(Model):
    """Describe hosts that are alike."""

    ips: Annotated[list[Hosts], Field(min_length=1)]
    roles: list[Role] = []
    ssh: SshModel = SshModel()
    env: EnvList = []
    labels: dict[str, str | None] = {}
    taints: list[Taint] = []


class SubjectAltName(Model):
    """Add names to the certificate of the registry."""

    dns_names: list[Domain] = []
    ips: list[Host] = []


class RegistryCert(Model):
    """Describe the certificate of the registry."""

    subject_alt_name: SubjectAltName = SubjectAltName()


class LocalRegistryModel(Model):
    """Describe the registry in the cluster."""

    domain: Domain = "sea.hub"
    port: Port = 5000
    username: str = ""
    password: str = ""
    password_from: PasswordFromModel | None = None
    ha: Flag = True
    insecure: Flag = False
    cert: RegistryCert = RegistryCert()


class ExternalRegistryModel(Model):
    """Describe a registry elsewhere."""

    domain: Domain
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    username: str = ""
    password: str = ""
    password_from: PasswordFromModel | None = None


class RegistryModel(Model):
    """Name the registries."""

    local_registry: LocalRegistryModel = LocalRegistryModel()
    external_registry: ExternalRegistryModel | None = None


class ContainerRuntime(Model):
    """Choose the container engine."""

    type: Literal["docker", "containerd", ""] = ""


class HostAliasModel(Model):
    """Be a line of `/etc/hosts`."""

    ip: Host
    hostnames: Annotated[list[Domain], Field(min_length=1)]


class Network(Model):
    """Hold the network of the first generation."""

    interface: str = ""
    cni_name: str = ""
    without_cni: Annotated[Flag, Field(alias="withoutCNI")] = False
    pod_cidr: Annotated[str, Field(alias="podCIDR")] = ""
    svc_cidr: Annotated[str, Field(alias="svcCIDR")] = ""


class MachinesModel(Model):
    """Hold masters or nodes of the first generation; all but `ipList` asks a provider to make machines."""

    ip_list: list[Hosts] = []
    count: str = ""
    cpu: str = ""
    memory: str = ""
    system_disk: str = ""
    data_disks: list[str] = []


class ClusterSpec(Model):
    """Describe a cluster, in the words of both generations: which one it is is told by the fields."""

    image: Annotated[str, Field(min_length=1)]
    env: EnvList = []
    cmd: list[str] = []
    cmd_args: Annotated[EnvList, Field(alias="cmd_args")] = []
    app_names: list[str] = []
    hosts: list[HostModel] = []
    ssh: SshModel = SshModel()
    container_runtime: ContainerRuntime = ContainerRuntime()
    host_aliases: list[HostAliasModel] = []
    registry: RegistryModel = RegistryModel()
    data_root: DataRoot = DEFAULT_DATA_ROOT
    # the first generation
    provider: str = ""
    network: Network = Network()
    cert_sans: Annotated[list[str], Field(alias="certSANS")] = []
    masters: MachinesModel = MachinesModel()
    nodes: MachinesModel = MachinesModel()
    status: None = None


class RetryModel(Model):
    """Say how often a plugin that fails is tried in all, and how long to wait between two tries."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    backoff: Seconds = 5.0


class PluginSpec(Model):
    """Ask for a plugin."""

    type: str = ""
    action: Actions = ()
    on: str = ""
    scope: str = ""
    data: str = ""
    order: int = 0
    timeout: Timeout = 0.0
    retry: RetryModel = RetryModel()
    failure_policy: FailurePolicy = "Fail"
    parallel: Annotated[int, Field(ge=0, le=1000)] = 0


class ConfigSpec(Model):
    """Put or merge a text into a file."""

    path: RootfsPath
    app_name: str = ""
    strategy: Strategy = "overwrite"
    process: Processes = ()
    data: str


class AppFileModel(Model):
    """Put or merge a text into a file of an app."""

    path: RootfsPath
    strategy: Strategy
    data: str


class AppLaunch(Model):
    """Say how an app is launched."""

    cmds: list[str] = []


class AppConfigModel(Model):
    """Change one app."""

    name: Annotated[str, Field(min_length=1)]
    env: EnvList = []
    files: list[AppFileModel] = []
    launch: AppLaunch = AppLaunch()


class ApplicationSpec(Model):
    """Say what is launched."""

    cmds: list[str] = []
    launch_apps: list[str] | None = None
    configs: list[AppConfigModel] = []


class _Document(Model):
    api_version: str = ""
    kind: str
    status: dict[str, object] = {}  # what Kubernetes adds is let pass


class ClusterDocument(_Document):
    """Be a document of kind Cluster."""

    metadata: ClusterMetadata = ClusterMetadata()
    spec: ClusterSpec


class PluginDocument(_Document):
    """Be a document of kind Plugin."""

    metadata: Metadata
    spec: PluginSpec


class ConfigDocument(_Document):
    """Be a document of kind Config."""

    metadata: Metadata
    spec: ConfigSpec


class ApplicationDocument(_Document):
    """Be a document of kind Application."""

    metadata: Metadata
    spec: ApplicationSpec
