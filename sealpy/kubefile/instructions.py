"""The instructions of a Kubefile, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sealpy.errors import Problem

__all__ = [
    "Add",
    "App",
    "AppCmds",
    "AppEnv",
    "Arg",
    "Cmd",
    "Cmds",
    "Cni",
    "Copy",
    "Csi",
    "Document",
    "Env",
    "From",
    "Instruction",
    "KubeVersion",
    "Kubefile",
    "Label",
    "Launch",
    "Maintainer",
    "Network",
    "Run",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class From(_At):
    """Begin with an image, or with `scratch`; `platform` is empty when none is named."""

    image: str
    platform: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Be a file that is written out in the Kubefile itself."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(_At):
    """Copy files of the build context, by path or pattern, into the rootfs; paths stand as written.

    With an `image` they are files of its rootfs. `owner` is a number for the user and one for the group, `mode` the
    permission bits; None leaves both as they are.
    """

    sources: tuple[str, ...]
    destination: str
    documents: tuple[Document, ...] = ()
    owner: tuple[int, int] | None = None
    mode: int | None = None
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(_At):
    """Add files as Copy does, what stands behind a URL, and what is in local archives.

    `checksum` is what a URL must give, such as `sha256:2c26…`; empty when none is named.
    """

    sources: tuple[str, ...]
    destination: str
    documents: tuple[Document, ...] = ()
    owner: tuple[int, int] | None = None
    mode: int | None = None
    checksum: str = ""


Network = Literal["", "none", "host"]
"""What a command reaches; empty leaves it to the build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(_At):
    """Run a command while the image is built: text for a shell, or else `words`, which no shell sees."""

    command: str = ""
    words: tuple[str, ...] = ()
    network: Network = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(_At):
    """Declare an argument of the build; `value` is what was given or else the default, None when neither is there."""

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(_At):
    """Set variables of the image."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(_At):
    """Set labels of the image."""

    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(_At):
    """Name who looks after the image."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class App(_At):
    """Register an app; each source is `local://PATH`, `http://…` or `https://…`."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cni(_At):
    """Register an app that is the network of the cluster."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Csi(_At):
    """Register an app that is the storage of the cluster."""

    name: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCmds(_At):
    """Say how an app is launched."""

    app: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEnv(_At):
    """Set variables of one app."""

    app: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeVersion(_At):
    """Say which versions of Kubernetes the image is for."""

    constraint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch(_At):
    """Name the apps that are launched, in their order."""

    apps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmds(_At):
    """Give the commands that are launched."""

    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd(_At):
    """Give commands that are launched, as older Kubefiles do; it may stand several times."""

    commands: tuple[str, ...]


Instruction = (
    From
    | Copy
    | Add
    | Run
    | Arg
    | Env
    | Label
    | Maintainer
    | App
    | Cni
    | Csi
    | AppCmds
    | AppEnv
    | KubeVersion
    | Launch
    | Cmds
    | Cmd
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubefile:
    """Hold the instructions in the order written; `notices` are worth telling, but stop nothing."""

    instructions: tuple[Instruction, ...]
    notices: tuple[Problem, ...] = ()
