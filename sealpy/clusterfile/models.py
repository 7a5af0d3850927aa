"""The shape of each document, as it is written; the names that users type are the aliases.

The text below a field is what users read of it: `sealpy explain` and editors show it.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from sealpy.clusterfile.cluster_shape import ClusterMetadata, ClusterSpec
from sealpy.clusterfile.fields import (
    Actions,
    EnvList,
    Flag,
    Processes,
    RootfsPath,
    Seconds,
    TextOrMapping,
    Timeout,
    refused,
)
from sealpy.clusterfile.shape import LoginModel, Metadata, Model, PasswordFromModel, SshModel
from sealpy.clusterfile.types import FailurePolicy, Strategy

__all__ = [
    "DOCUMENTS",
    "AppFileModel",
    "ApplicationDocument",
    "ClusterDocument",
    "ClusterSpec",
    "ConfigDocument",
    "LoginModel",
    "Model",
    "PasswordFromModel",
    "PluginDocument",
    "SshModel",
]

_TEXTS = ("data", "dataFrom", "withheld")


class RetryModel(Model):
    """Say how often a plugin that fails is tried in all, and how long to wait between two tries."""

    attempts: Annotated[int, Field(ge=1, le=100)] = 1
    """How often it is tried in all."""
    backoff: Seconds = 5.0
    """Time between two tries: seconds, or 30s, 1m30s."""


class PluginSpec(Model):
    """Ask for a plugin."""

    type: str = ""
    """Type of the plugin, such as SHELL; `sealpy plugin list` shows those there are. Default: its name."""
    action: Actions = ()
    """Hook points, joined by '|': PreInit|PreJoin, post-install."""
    on: str = ""
    """For hook points of the first vocabulary: a role, an address, or a node label such as disk=ssd."""
    scope: str = ""
    """For hook points of the second vocabulary: roles joined by '|'. Default: all hosts."""
    data: str = ""
    """What the plugin works on: for SHELL the script."""
    order: int = 0
    """Place among the plugins of one hook point: small numbers first."""
    timeout: Timeout = 0.0
    """Deadline on each host: seconds, or 30s, 10m."""
    retry: RetryModel = RetryModel()
    """How often a plugin that fails is tried."""
    failure_policy: FailurePolicy = "Fail"
    """What a failure means: Fail ends the run, Ignore is told and the run goes on."""
    parallel: Annotated[int, Field(ge=0, le=1000)] = 0
    """On how many hosts it runs at the same time; 0 leaves it to the plugin."""


class _TextModel(Model):
    """Hold a text, or say where it is found."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": [key]} for key in _TEXTS]})

    data: str = ""
    """Text of the file. What looks like a secret in it is not saved with the cluster: see `dataFrom`."""
    data_from: PasswordFromModel | None = None
    """Where the text is found whenever it is needed; it is not saved with the cluster."""
    withheld: Flag = False
    """In what a cluster saves of itself: the text is a secret, and was left out."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = {"data": "data" in self.model_fields_set, "dataFrom": bool(self.data_from), "withheld": self.withheld}
        match [key for key in _TEXTS if given[key]]:
            case [_]:
                return self
            case []:
                raise refused("the text of the file is missing", "add `data:` or `dataFrom:`")
            case more:
                raise refused(f"the text is given twice: {' and '.join(more)}", "keep one of them")


class ConfigSpec(_TextModel):
    """Put or merge a text into a file."""

    path: RootfsPath
    """File, relative to the rootfs, or to the app that `appName` names. One that is not there is made."""
    app_name: str = ""
    """App of the image that the file belongs to."""
    strategy: Strategy = "overwrite"
    """`overwrite` makes the data the file; `merge` lays them over every document of a YAML or JSON file."""
    process: Processes = ()
    """Steps that the data go through first, joined by '|': value, toJson, toBase64, toSecret."""
    data: TextOrMapping = ""
    """Text of the file, or a mapping. What looks like a secret in it is not saved with the cluster: see `dataFrom`."""


class AppFileModel(_TextModel):
    """Put or merge a text into a file of an app."""

    path: RootfsPath
    """File, relative to the app."""
    strategy: Strategy
    """`overwrite` or `merge`, as in a Config."""


class AppLaunch(Model):
    """Say how an app is launched."""

    cmds: list[str] = []
    """Commands instead of the app's own, one after the other as long as each succeeds."""


class AppConfigModel(Model):
    """Change one app."""

    name: Annotated[str, Field(min_length=1)]
    """Name of the app in the image."""
    env: EnvList = []
    """NAME=value for templates and commands of the app, heard over all others; NAME alone as in the Cluster's."""
    files: list[AppFileModel] = []
    """Files to put or to merge."""
    launch: AppLaunch = AppLaunch()
    """How the app is launched."""


class ApplicationSpec(Model):
    """Say what is launched."""

    cmds: list[str] = []
    """Commands to launch instead of all else."""
    launch_apps: list[str] | None = None
    """Apps to launch, in this order; [""] launches nothing. Default: what the image launches."""
    configs: list[AppConfigModel] = []
    """Changes of single apps."""


class _Document(Model):
    api_version: str = ""
    """Group and version: sealer.io/v2, for Config and Plugin sealer.io/v1; older ones are read too."""
    kind: str
    """What the document is."""
    status: dict[str, object] = {}
    """Let pass: Kubernetes writes it."""


class ClusterDocument(_Document):
    """Describe a cluster: its image, its hosts, and how to reach them."""

    metadata: ClusterMetadata = ClusterMetadata()
    """Name of the cluster."""
    spec: ClusterSpec
    """What the cluster is to be."""


class PluginDocument(_Document):
    """Ask for a plugin at some hook points."""

    metadata: Metadata
    """Name of the plugin's use."""
    spec: PluginSpec
    """What runs, when, and where."""


class ConfigDocument(_Document):
    """Put or merge a text into a file of the rootfs on every host."""

    metadata: Metadata
    """Name of the Config."""
    spec: ConfigSpec
    """The file, and what becomes of it."""


class ApplicationDocument(_Document):
    """Say which apps of the image are launched, and change them."""

    metadata: Metadata
    """Name of the document."""
    spec: ApplicationSpec
    """What is launched."""


DOCUMENTS: dict[str, type[Model]] = {
    "Cluster": ClusterDocument,
    "Config": ConfigDocument,
    "Plugin": PluginDocument,
    "Application": ApplicationDocument,
}
