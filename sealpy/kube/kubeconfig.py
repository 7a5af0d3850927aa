"""The operator's kubeconfig: one context for each cluster, nothing of theirs lost."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sealpy.disk import make_private, write_whole
from sealpy.errors import ConfigError

__all__ = ["is_merged", "merge", "path", "refuse_foreign", "remove"]

_LISTS = ("clusters", "users", "contexts")


def path() -> Path:
    """Give the operator's kubeconfig: the first file of $KUBECONFIG, else `~/.kube/config`."""
    first = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def merge(admin: Mapping[str, Any], name: str, *, server: str, home: Path) -> Path:
    """Write the cluster's own kubeconfig into `home` and a context of its name into the operator's; gives the latter.

    `server` is the address of the leader. The operator's current context stays, unless there is none.
    """
    own = _named(admin, name, server)
    _write(home / "admin.conf", own)
    target = path()
    mine = _read(target)
    merged = {"apiVersion": "v1", "kind": "Config", **mine}
    for kind in _LISTS:
        others = [entry for entry in mine.get(kind) or () if entry.get("name") != name]
        merged[kind] = [*others, *own[kind]]
    merged["current-context"] = mine.get("current-context") or name
    _write(target, merged)
    return target


def is_merged(admin: Mapping[str, Any], name: str, *, server: str, home: Path) -> bool:
    """Tell whether both files hold the cluster as it is."""
    own, mine = _named(admin, name, server), _read(path())
    return (home / "admin.conf").exists() and all(
        entry in (mine.get(kind) or ()) for kind in _LISTS for entry in own[kind]
    )


def refuse_foreign(name: str, *, home: Path) -> None:
    """Raise ConfigError when the operator's kubeconfig calls another cluster, not made from here, by this name."""
    if _own_cluster(name, _read(path())) not in (None, _own_cluster(name, _read(home / "admin.conf"))):
        raise ConfigError(
            f"{path()}: '{name}' is another cluster there",
            hint=f"choose another name, or drop it there: kubectl config delete-cluster {name}",
        )


def _own_cluster(name: str, document: Mapping[str, Any]) -> object:
    return next((entry["cluster"] for entry in document.get("clusters") or () if entry.get("name") == name), None)


def remove(name: str, *, home: Path) -> None:
    """Take the cluster's context out of the operator's kubeconfig; a file that holds nothing else goes.

    A context of this name that leads to another cluster stays.
    """
    target = path()
    mine = _read(target)
    if not mine or _own_cluster(name, mine) != _own_cluster(name, _read(home / "admin.conf")):
        return
    for kind in _LISTS:
        mine[kind] = [entry for entry in mine.get(kind) or () if entry.get("name") != name]
    if mine.get("current-context") == name:
        mine["current-context"] = ""
    if any(mine[kind] for kind in _LISTS):
        _write(target, mine)
    else:
        target.unlink()


def _named(admin: Mapping[str, Any], name: str, server: str) -> dict[str, Any]:
    """Give an admin.conf that calls cluster, user and context after the cluster, with an address for the server."""
    cluster = dict(admin["clusters"][0]["cluster"])
    host = f"[{server}]" if ":" in server else server
    cluster["server"] = f"https://{host}:{str(cluster['server']).rpartition(':')[2]}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": admin["users"][0]["user"]}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def _read(target: Path) -> dict[str, Any]:
    if not target.exists():
        return {}
    try:
        found = yaml.safe_load(target.read_text(encoding="utf-8")) or {}
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{target}: no YAML: {error}", hint="mend it, or set KUBECONFIG to another file") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{target}: not a kubeconfig", hint="mend it, or set KUBECONFIG to another file")
    return found


def _write(target: Path, document: Mapping[str, Any]) -> None:
    make_private(target.parent)
    write_whole(target, yaml.safe_dump(dict(document), sort_keys=False))
