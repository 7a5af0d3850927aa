"""What a Clusterfile says, once it is read: frozen, with defaults in place and inheritance done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from sealpy.errors import Place, Problem

__all__ = [
    "DEFAULT_DATA_ROOT",
    "DEFAULT_NAME",
    "WITHHELD",
    "AppConfig",
    "AppFile",
    "Application",
    "Cluster",
    "Clusterfile",
    "Config",
    "ExternalRegistry",
    "FailurePolicy",
    "HostAlias",
    "HostEntry",
    "HostKeyPolicy",
    "Jump",
    "KubeadmDocument",
    "KubeadmKind",
    "LocalRegistry",
    "PasswordFrom",
    "Plugin",
    "Process",
    "Registry",
    "Retry",
    "Ssh",
    "Strategy",
]

WITHHELD = "its text is a secret, and was not saved with the cluster"
DEFAULT_NAME = "my-cluster"
DEFAULT_DATA_ROOT = "/var/lib/sealpy/data"

HostKeyPolicy = Literal["accept-new", "strict"]
Strategy = Literal["overwrite", "merge"]
Process = Literal["value", "toJson", "toBase64", "toSecret"]
FailurePolicy = Literal["Fail", "Ignore"]
KubeadmKind = Literal[
    "InitConfiguration",
    "JoinConfiguration",
    "ClusterConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
]


@dataclass(frozen=True, slots=True)
class PasswordFrom:
    """Say where a password is to be found when it is needed: a variable, a file, the output of a shell command."""

    kind: Literal["env", "file", "command"]
    value: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """Say how to log in, and through which machines: `jump`, the nearest one first.

    An empty text, 0 and None mean not given: what `~/.ssh/config` says then counts, else root and port 22. Of a
    password and its `…_from` at most one is given. `key_place` is where the private key is named.
    """

    user: str = ""
    port: int = 0
    password: str = field(default="", repr=False)
    password_from: PasswordFrom | None = None
    private_key: str = ""
    key_place: Place | None = field(default=None, compare=False)
    private_key_password: str = field(default="", repr=False)
    private_key_password_from: PasswordFrom | None = None
    sudo_password: str = field(default="", repr=False)
    sudo_password_from: PasswordFrom | None = None
    host_key_policy: HostKeyPolicy | None = None
    host_keys: tuple[str, ...] = ()
    jump: tuple[Jump, ...] = ()

    @property
    def secrets(self) -> Iterator[str]:
        """Yield what must not be shown."""
        yield from filter(None, (self.password, self.private_key_password, self.sudo_password))
        for hop in self.jump:
            yield from hop.ssh.secrets

    def with_password(self, password: str) -> Self:
        """Log in by this password."""
        return replace(self, password=password, password_from=None)

    def same_password(self, other: Ssh) -> bool:
        """Tell whether both log in by one password, or by none that is known here."""
        return (self.password, self.password_from) in {(other.password, other.password_from), ("", None)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """Name a machine on the way, by name or address, and say how to log in to it; nothing is inherited."""

    host: str
    ssh: Ssh = field(default_factory=Ssh)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostEntry:
    """Describe hosts that are alike; `ssh` is complete: the cluster's, with what this entry says put over it."""

    ips: tuple[str, ...]
    roles: tuple[str, ...] = ()
    ssh: Ssh = field(default_factory=Ssh)
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    env_places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[str, ...] = ()

    @property
    def is_master(self) -> bool:
        """Tell whether these hosts are to carry a control plane, by either word for it."""
        return not {"master", "control-plane"}.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRegistry:
    """Describe the registry that runs in the cluster."""

    domain: str = "sea.hub"
    port: int = 5000
    username: str = ""
    password: str = field(default="", repr=False)
    password_from: PasswordFrom | None = None
    ha: bool = True
    insecure: bool = False
    cert_dns_names: tuple[str, ...] = ()
    cert_ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalRegistry:
    """Describe a registry that exists already; port 0 means the one of its scheme."""

    domain: str
    port: int = 0
    username: str = ""
    password: str = field(default="", repr=False)
    password_from: PasswordFrom | None = None

    @property
    def url(self) -> str:
        """Give the registry as it stands in references."""
        return f"{self.domain}:{self.port}" if self.port else self.domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Name the registries. The cluster runs its own unless only an external one is given."""

    local: LocalRegistry = field(default_factory=LocalRegistry)
    external: ExternalRegistry | None = None
    runs: bool = True  # whether the cluster runs its own


@dataclass(frozen=True, slots=True)
class HostAlias:
    """Be a line of `/etc/hosts` on all hosts."""

    ip: str
    hostnames: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Describe a cluster. `cmd` replaces the launch commands of the image; `app_names` empty means the image's own.

    `env_from` names variables that have the values of the environment here, where sealpy runs; so it does elsewhere.
    `env_places` is where it names each, `words` where the fields stand.
    """

    image: str
    name: str = DEFAULT_NAME
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    env_places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    ssh: Ssh = field(default_factory=Ssh)
    hosts: tuple[HostEntry, ...] = ()
    registry: Registry = field(default_factory=Registry)
    data_root: str = DEFAULT_DATA_ROOT
    cmd: tuple[str, ...] = ()
    cmd_args: Mapping[str, str] = field(default_factory=dict)
    app_names: tuple[str, ...] = ()
    host_aliases: tuple[HostAlias, ...] = ()
    container_runtime: str = ""
    place: Place | None = field(default=None, compare=False)
    words: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def place_of(self, word: str) -> Place | None:
        """Give where a field of `spec` stands, or else the document."""
        return self.words.get(word, self.place)

    @property
    def cert_sans(self) -> tuple[str, ...]:
        """Give the further names of the API server, which the environment carries as a list with commas."""
        return tuple(name.strip() for name in self.env.get("CertSANs", "").split(",") if name.strip())

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give every secret that stands in the Clusterfile itself, for redaction."""
        registries = (self.registry.local, self.registry.external)
        passwords = [registry.password for registry in registries if registry and registry.password]
        logins = (self.ssh, *(entry.ssh for entry in self.hosts))
        return tuple(dict.fromkeys([secret for ssh in logins for secret in ssh.secrets] + passwords))

    def with_password(self, password: str) -> Self:
        """Log in by this password wherever no host has its own."""
        hosts = tuple(
            replace(entry, ssh=entry.ssh.with_password(password)) if entry.ssh.same_password(self.ssh) else entry
            for entry in self.hosts
        )
        return replace(self, ssh=self.ssh.with_password(password), hosts=hosts)


@dataclass(frozen=True, slots=True)
class Retry:
    """Say how often a plugin that fails is tried in all, and how many seconds lie between two tries."""

    attempts: int = 1
    backoff: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """Ask for a plugin at some hook points; whether type and actions exist is for the plugin package to say.

    `timeout` bounds one call of it, with all its steps, in seconds; 0 leaves that to the type and to each step.
    `parallel` is how many hosts are worked on at once; 0 leaves that to the type. `words` is where the fields stand.
    """

    name: str
    type: str = ""
    actions: tuple[str, ...] = ()
    on: str = ""
    scope: str = ""
    data: str = ""
    order: int = 0
    timeout: float = 0.0
    retry: Retry = Retry()
    failure_policy: FailurePolicy = "Fail"
    parallel: int = 0
    place: Place | None = field(default=None, compare=False)
    words: Mapping[str, Place] = field(default_factory=dict, compare=False)
    notices: tuple[Problem, ...] = field(default=(), compare=False)

    def place_of(self, word: str) -> Place | None:
        """Give where a field of the document stands, or else the document."""
        return self.words.get(word, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Put or merge a text into a file of the rootfs; `path` is relative to it, or to the app that is named.

    `data_from` says where the text is found when it is needed; `withheld` says why there is none.
    """

    name: str
    path: str
    data: str = field(default="", repr=False)
    data_from: PasswordFrom | None = None
    withheld: str = ""
    app_name: str = ""
    strategy: Strategy = "overwrite"
    process: tuple[Process, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppFile:
    """Put or merge a text into a file of an app; the text as that of a Config."""

    path: str
    strategy: Strategy
    data: str = field(default="", repr=False)
    data_from: PasswordFrom | None = None
    withheld: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfig:
    """Change one app: its environment, its files, its launch commands."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[str, ...] = ()
    env_places: Mapping[str, Place] = field(default_factory=dict, compare=False)
    files: tuple[AppFile, ...] = ()
    launch_cmds: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Say what is launched and how. `cmds` replaces all else; `launch_apps` None means the image's own choice."""

    name: str
    cmds: tuple[str, ...] = ()
    launch_apps: tuple[str, ...] | None = None
    configs: tuple[AppConfig, ...] = ()
    place: Place | None = field(default=None, compare=False)
    words: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def place_of(self, word: str) -> Place | None:
        """Give where a field of `spec` stands, or else the document."""
        return self.words.get(word, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeadmDocument:
    """Hold a document for kubeadm as it was written; `body` is plain data without `kind` and `apiVersion`."""

    kind: KubeadmKind
    api_version: str = ""
    body: Mapping[str, object] = field(default_factory=dict)
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusterfile:
    """Hold all documents of a Clusterfile; `notices` are worth telling, but stop nothing."""

    cluster: Cluster
    plugins: tuple[Plugin, ...] = ()
    configs: tuple[Config, ...] = ()
    applications: tuple[Application, ...] = ()
    kubeadm: tuple[KubeadmDocument, ...] = ()
    notices: tuple[Problem, ...] = field(default=(), compare=False)

    def with_password(self, password: str) -> Self:
        """Log in by this password wherever no host has its own."""
        return replace(self, cluster=self.cluster.with_password(password))

    def with_image(self, image: str) -> Self:
        """Name another image, which stands in no file."""
        words = {word: place for word, place in self.cluster.words.items() if word != "image"}
        return replace(self, cluster=replace(self.cluster, image=image, words=words))
