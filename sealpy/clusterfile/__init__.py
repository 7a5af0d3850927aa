"""Clusterfile YAML → Cluster (types, load, defaults, validate).

A text goes through four hands: `document` reads YAML and keeps the line of every value, `models` give it its shape,
`build` says what it means, `types` hold the result. `dump` writes it again, to be saved with the cluster.

No secret is saved: no password, no value of `env` and no text of a Config or an app that looks like one. Of each the
name is kept, and every reference (`passwordFrom`, `dataFrom`, a variable by its name alone), by which a later run finds
it again or asks for it. `secrets` decides what is one.
"""

from sealpy.clusterfile.change import Changes
from sealpy.clusterfile.draft import draft
from sealpy.clusterfile.dump import dumps
from sealpy.clusterfile.hosts import parse_hosts
from sealpy.clusterfile.load import examine, examine_plugins, load, load_plugins, loads
from sealpy.clusterfile.process import Processed, processed
from sealpy.clusterfile.readable import Readable
from sealpy.clusterfile.secrets import secret_values, without_secrets
from sealpy.clusterfile.types import (
    DEFAULT_DATA_ROOT,
    DEFAULT_NAME,
    AppConfig,
    AppFile,
    Application,
    Cluster,
    Clusterfile,
    Config,
    ExternalRegistry,
    HostAlias,
    HostEntry,
    Jump,
    KubeadmDocument,
    LocalRegistry,
    PasswordFrom,
    Plugin,
    Registry,
    Retry,
    Ssh,
)

__all__ = [
    "DEFAULT_DATA_ROOT",
    "DEFAULT_NAME",
    "AppConfig",
    "AppFile",
    "Application",
    "Changes",
    "Cluster",
    "Clusterfile",
    "Config",
    "ExternalRegistry",
    "HostAlias",
    "HostEntry",
    "Jump",
    "KubeadmDocument",
    "LocalRegistry",
    "PasswordFrom",
    "Plugin",
    "Processed",
    "Readable",
    "Registry",
    "Retry",
    "Ssh",
    "draft",
    "dumps",
    "examine",
    "examine_plugins",
    "load",
    "load_plugins",
    "loads",
    "parse_hosts",
    "processed",
    "secret_values",
    "without_secrets",
]
