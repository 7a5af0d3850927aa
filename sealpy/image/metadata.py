"""What a cluster image says about itself: labels, env, apps, and what is launched.

It stands in two annotations of the manifest, in the shape the ancestor gave them, so its images are read too.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from sealpy.errors import ImageError
from sealpy.image.manifest import ImageConfig, Manifest, Platform, encode, parse

__all__ = ["APP_ROOT", "ARGUMENT", "Application", "ContainerImageUse", "Launch", "LaunchCommand", "Metadata", "Spot"]
__all__ += ["APP_INSTALLER", "KUBE_INSTALLER", "PLUGIN_DIRECTORIES", "read_metadata", "to_annotations"]

APP_ROOT = "application/apps"
PLUGIN_DIRECTORIES = ("plugin", "plugins")  # what the documents of the ancestor say, and what its code reads
KUBE_INSTALLER, APP_INSTALLER = "kube-installer", "app-installer"  # types: a cluster, or what is launched on one
ARGUMENT = re.compile(r"(?<!\\)\$\((?P<name>[A-Za-z_]\w*)\)", re.ASCII)
"""What may be an argument in a launch command, such as `$(PORT)`; unless it is one, a shell runs it as a command."""
_EXTENSION = "sealer.image.extension"
_CONTAINER_IMAGES = "sealer.image.container.images"

Texts = Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())]  # Go writes null for an empty list
Table = Annotated[Mapping[str, str], BeforeValidator(lambda value: value or {})]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)


class Application(_Model):
    """Describe an app of the image: its files stand in `application/apps/<name>`."""

    name: str
    type: str = ""  # helm, shell, kube, or empty: then it has `cmds`
    files: Texts = ()
    version: str = ""
    env: Table = {}
    cmds: Texts = ()

    @property
    def directory(self) -> str:
        """Give the directory of its files, relative to the rootfs."""
        return f"{APP_ROOT}/{self.name}"

    @property
    def command(self) -> str:
        """Give the shell text that launches it, run in its directory."""
        if self.cmds:
            return " ".join(self.cmds)
        match self.type:
            case "helm":  # unlike a plain install it may be run again
                return f"helm upgrade --install {shlex.quote(self.name)} ."
            case "shell":
                return " && ".join(f"bash {shlex.quote(name)}" for name in self.files)
            case "kube":
                return " && ".join(f"kubectl apply -f {shlex.quote(name)}" for name in self.files)
            case _:
                return ""


class Launch(_Model):
    """Say what is launched: apps by name, then commands.

    `$(name)` in a command stands for an argument, whose default is in `args`, or for a variable of the image.
    """

    cmds: Texts = ()
    app_names: Texts = ()
    args: Table = {}  # ours: the ancestor passes over it


class Spot(_Model):
    """Say where in the rootfs a container image is named, and by which rule it was found there.

    `line` and `document` count from 1; 0 where there is none to tell, as in what helm made of a template.
    """

    file: str
    line: int = 0
    document: int = 0
    path: str = ""  # within the document, such as spec.containers[0].image
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class ContainerImageUse(_Model):
    """Name a container image that the cluster image holds, the app it was found in, and every place that names it."""

    image: str
    app_name: str = Field(default="", alias="appName")
    platform: Platform | None = None
    found_in: Annotated[tuple[Spot, ...], BeforeValidator(lambda value: value or ())] = Field(
        default=(), alias="foundIn"
    )  # ours: the ancestor passes over it


class Metadata(_Model):
    """Hold what a cluster image says about itself."""

    schema_version: str = Field(default="v1alpha1", alias="schemaVersion")
    type: str = KUBE_INSTALLER
    applications: Annotated[tuple[Application, ...], BeforeValidator(lambda value: value or ())] = ()
    labels: Table = {}
    env: Table = {}
    launch: Annotated[Launch, BeforeValidator(lambda value: {} if value is None else value)] = Launch()
    container_images: tuple[ContainerImageUse, ...] = Field(default=(), exclude=True)

    def launch_commands(self, app_names: Sequence[str] | None = None) -> tuple[LaunchCommand, ...]:
        """Give what is to be run on the leader, in order; `app_names` replace all that the image launches.

        Raises ImageError for an app that the image does not have or that has no command.
        """
        known = {app.name: app for app in self.applications}
        commands = []
        for name in self.launch.app_names if app_names is None else app_names:
            if name not in known:
                raise ImageError(f"app {name!r}: not in the image", hint=f"it has: {', '.join(known) or 'no apps'}")
            app = known[name]
            if not app.command:
                raise ImageError(f"app {name!r}: no launch command", hint=f'write APPCMDS {name} ["…"] in the Kubefile')
            commands.append(LaunchCommand(name, app.command, app.directory, tuple(app.env.items())))
        if app_names is None:
            commands += [LaunchCommand("", self._filled(command), "") for command in self.launch.cmds]
        return tuple(commands)

    def _filled(self, command: str) -> str:
        """Put in what `$(name)` stands for; a variable is left to the shell, since a Clusterfile may set another."""

        def put(match: re.Match[str]) -> str:
            name = match["name"]
            if name in self.launch.args:
                return self.launch.args[name]
            return f"${{{name}}}" if name in self.env else match[0]

        return ARGUMENT.sub(put, command)


@dataclass(frozen=True, slots=True)
class LaunchCommand:
    """Hold one shell text, the app it launches ("" for none), its directory relative to the rootfs, and its own env."""

    app: str
    command: str
    directory: str
    env: tuple[tuple[str, str], ...] = ()


_USES = TypeAdapter(tuple[ContainerImageUse, ...])


def to_annotations(metadata: Metadata) -> dict[str, str]:
    """Write metadata as annotations of a manifest."""
    uses = _USES.dump_json(metadata.container_images, by_alias=True, exclude_none=True)
    return {_EXTENSION: encode(metadata).decode(), _CONTAINER_IMAGES: uses.decode()}


def read_metadata(manifest: Manifest, config: ImageConfig) -> Metadata:
    """Read metadata back; an image without the annotations gets its labels and env from its configuration."""
    given = manifest.annotations or {}
    if _EXTENSION not in given:
        run = config.config
        env = dict(pair.partition("=")[::2] for pair in (run.env if run and run.env else ()))
        return Metadata(labels=(run.labels if run and run.labels else {}), env=env)
    metadata = parse(Metadata, given[_EXTENSION].encode(), what=f"annotation {_EXTENSION}")
    labels = {**(config.config.labels or {} if config.config else {}), **metadata.labels}  # the ancestor has both
    uses = _uses(given.get(_CONTAINER_IMAGES, "[]"))
    return metadata.model_copy(update={"container_images": uses, "labels": labels})


def _uses(text: str) -> tuple[ContainerImageUse, ...]:
    try:
        value: Any = TypeAdapter(Any).validate_json(text)
        return _USES.validate_python(value or ())
    except ValidationError as error:
        raise ImageError(f"annotation {_CONTAINER_IMAGES}: not a list of images", hint="get it again") from error
