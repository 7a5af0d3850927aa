"""What a Clusterfile refers to: variables and texts, found where sealpy runs.

What is not found holds up nobody who can do without it, since a cluster is removed without it too: `check_references`
refuses a variable, and whoever makes the files of a host is told why a text is not there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from sealpy.clusterfile import AppConfig, AppFile, Cluster, Clusterfile, Config, HostEntry, Readable
from sealpy.clusterfile.findings import refuse
from sealpy.errors import ConfigError, Place, Problem
from sealpy.inventory.passwords import find_text

__all__ = ["check_references", "missing_notices", "referred_secrets", "with_references"]

_Holder = Cluster | HostEntry | AppConfig


def with_references(clusterfile: Clusterfile) -> Clusterfile:
    """Give the Clusterfile with every value and every text in its place that can be found."""
    cluster = clusterfile.cluster
    hosts = tuple(replace(entry, env=_env(entry)) for entry in cluster.hosts)
    return replace(
        clusterfile,
        cluster=replace(cluster, env=_env(cluster), hosts=hosts),
        configs=tuple(_config(config) for config in clusterfile.configs),
        applications=tuple(
            replace(application, configs=tuple(_app(config) for config in application.configs))
            for application in clusterfile.applications
        ),
    )


def referred_secrets(clusterfile: Clusterfile) -> tuple[str, ...]:
    """Give the values of the variables that are referred to: whoever keeps a value out of a file has a reason."""
    return tuple(os.environ[name] for holder in _holders(clusterfile) for name in holder.env_from if name in os.environ)


def _missing(clusterfile: Clusterfile) -> tuple[str, ...]:
    named = (name for holder in _holders(clusterfile) for name in holder.env_from)
    return tuple(dict.fromkeys(name for name in named if name not in os.environ))


def missing_notices(clusterfile: Clusterfile) -> tuple[Problem, ...]:
    """Tell that plugins go without variables, where that is no reason to stop."""
    hint = "set them, or give the Clusterfile by --file, when the plugins need them"
    missing = _missing(clusterfile)
    return (Problem(f"env {', '.join(missing)}: no value is known here", hint=hint),) if missing else ()


def check_references(clusterfile: Clusterfile) -> None:
    """Raise ClusterfileError for variables that are set nowhere, each told where it is named first."""
    cluster = clusterfile.cluster
    places = [holder.env_places for holder in _holders(clusterfile)]
    by_place: dict[Place | None, list[str]] = {}
    for name in _missing(clusterfile):
        named = next((found[name] for found in places if name in found), cluster.place)
        by_place.setdefault(named, []).append(name)
    refuse(Readable.of(clusterfile).name, [_missing_at(place, names) for place, names in by_place.items()])


def _missing_at(place: Place | None, names: list[str]) -> Problem:
    hint = f"export {' '.join(f'{name}=…' for name in names)} first: a cluster saves no secrets"
    return Problem(f"env {', '.join(names)}: no value is given, and there is no such variable here", place, hint)


def _holders(clusterfile: Clusterfile) -> tuple[_Holder, ...]:
    apps = (config for application in clusterfile.applications for config in application.configs)
    return (clusterfile.cluster, *clusterfile.cluster.hosts, *apps)


def _env(holder: _Holder) -> Mapping[str, str]:
    return {**holder.env, **{name: os.environ[name] for name in holder.env_from if name in os.environ}}


def _app(config: AppConfig) -> AppConfig:
    return replace(config, env=_env(config), files=tuple(_file(file) for file in config.files))


def _config(config: Config) -> Config:
    data, withheld = _text(config)
    return replace(config, data=data, withheld=withheld)


def _file(file: AppFile) -> AppFile:
    data, withheld = _text(file)
    return replace(file, data=data, withheld=withheld)


def _text(holder: Config | AppFile) -> tuple[str, str]:
    """Give the text, or why it is not there."""
    if holder.data_from is None:
        return holder.data, holder.withheld
    try:
        return find_text(holder.data_from), ""
    except ConfigError as error:
        return "", error.said
