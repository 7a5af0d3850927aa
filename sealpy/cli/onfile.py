"""What the words of `sealpy run` ask for, with a Clusterfile that they change (sealer.md §1.2), or without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sealpy.cli.wish import Wish, clusterfile_of
from sealpy.clusterfile import DEFAULT_NAME, Changes, Clusterfile, HostEntry, Readable, Ssh, examine, parse_hosts
from sealpy.disk import expanded
from sealpy.errors import ConfigError, Place
from sealpy.events import Emit

__all__ = ["clusterfile_on", "clusterfile_wanted"]


def clusterfile_wanted(wish: Wish, emit: Emit, *, file: Path | None, rehearsal: bool) -> Readable:
    """Give the Clusterfile of a run; with a provider its machines are booted, which no rehearsal does.

    A file may have mistakes; those of words are raised as ConfigError.
    """
    if wish.provider and rehearsal:
        hint = "sealpy lab up --nodes 2, then run with their addresses"
        raise ConfigError("--dry-run boots no machines", hint=hint)
    if file:
        return _examined(file, wish)
    return Readable.of(clusterfile_of(replace(wish, name=wish.name or DEFAULT_NAME), emit))


def clusterfile_on(file: Path, wish: Wish) -> Clusterfile:
    """Read a file and make what the words say of it; raises ConfigError."""
    return _examined(file, wish).clusterfile()


def _examined(file: Path, wish: Wish) -> Readable:
    """Read it with its mistakes.

    Hosts are added, with the login that was typed; without hosts the login is that of the whole cluster. Environment is
    added, commands and apps take the place of those in the file.
    """
    if wish.provider:
        raise ConfigError("--provider: not with --file", hint="the file lists its machines")
    changes = Changes((*_changes(wish), *wish.sets), wish.env)
    read = examine(file, changes=changes)
    read = read.with_image(wish.image) if wish.image else read  # it stands in no file
    return read.changed(lambda found: _logged_in(found, wish))


def _logged_in(found: Clusterfile, wish: Wish) -> Clusterfile:
    added = set(parse_hosts(",".join(filter(None, (wish.masters, wish.nodes)))))
    entries = found.cluster.hosts
    hosts = tuple(
        _with_secrets(entry, wish) if set(entry.ips) <= (added or set(entry.ips)) else entry for entry in entries
    )
    login = found.cluster.ssh if added else _login_with_secrets(found.cluster.ssh, wish)
    return replace(found, cluster=replace(found.cluster, hosts=hosts, ssh=login))


def _changes(wish: Wish) -> Iterator[str]:
    if wish.image:
        yield f"image={wish.image}"
    if wish.name:
        yield f"metadata.name={wish.name}"
    login = _login(wish)
    hosts = [(role, parse_hosts(text)) for role, text in (("master", wish.masters), ("node", wish.nodes)) if text]
    for role, ips in hosts:
        entry = {"ips": list(ips), "roles": [role], **({"ssh": login} if login else {})}
        yield f"hosts[+]={json.dumps(entry)}"
    for key, value in login.items() if not hosts else ():
        yield f"ssh.{key}={value}"
    for key, values in (("cmd", wish.commands), ("appNames", wish.apps)):
        if values:
            yield f"{key}={json.dumps(list(values))}"


def _login(wish: Wish) -> dict[str, Any]:
    key = str(expanded(wish.private_key).absolute()) if wish.private_key else ""
    given = {"user": wish.user, "port": str(wish.port or ""), "pk": key, "jump": wish.jump}
    return {name: value for name, value in given.items() if value}


def _with_secrets(entry: HostEntry, wish: Wish) -> HostEntry:
    return replace(entry, ssh=_login_with_secrets(entry.ssh, wish))


def _login_with_secrets(ssh: Ssh, wish: Wish) -> Ssh:
    if ssh.private_key and ssh.private_key == _login(wish).get("pk"):
        ssh = replace(ssh, key_place=Place("--pk"))
    ssh = ssh.with_password(wish.password) if wish.password else ssh
    if not wish.key_password:
        return ssh
    return replace(ssh, private_key_password=wish.key_password, private_key_password_from=None)
