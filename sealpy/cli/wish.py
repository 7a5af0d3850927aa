"""From the words of `sealpy run` to a Clusterfile."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from sealpy.cli.home import home
from sealpy.clusterfile import DEFAULT_NAME, Changes, Clusterfile, Ssh, loads, parse_hosts
from sealpy.disk import expanded
from sealpy.errors import ClusterfileError, ConfigError, Place, Problem, counted, did_you_mean
from sealpy.events import Emit

__all__ = ["PROVIDERS", "Wish", "clusterfile_of"]

PROVIDERS = ("local",)
_NAME = "command line"  # what messages call a text that nobody has seen
# Where the reader of Clusterfiles finds something wrong, and by which word of the command line it came there.
_OPTIONS = {
    "metadata.name": "--name",
    "spec.image": "IMAGE",
    "spec.ssh.user": "--user",
    "spec.ssh.port": "--port",
    "spec.ssh.pk": "--pk",
    "spec.ssh.jump": "--jump",
    "spec.hosts[0]": "--masters",
    "spec.hosts[1]": "--nodes",
    "spec.env": "--env",
    "spec.cmd": "--cmds",
    "spec.appNames": "--apps",
}
_LOGINS = {
    "--user": "user",
    "--passwd": "password",
    "--port": "port",
    "--pk": "private_key",
    "--pk-passwd": "key_password",
    "--jump": "jump",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold the words of `sealpy run`; with a provider `masters` and `nodes` are counts."""

    image: str
    masters: str
    nodes: str = ""
    name: str = DEFAULT_NAME
    user: str = ""
    password: str = field(default="", repr=False)
    port: int = 0
    private_key: Path | None = None
    key_password: str = field(default="", repr=False)
    env: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    provider: str = ""
    jump: str = ""


def clusterfile_of(wish: Wish, emit: Emit) -> Clusterfile:
    """Write the wish as a Clusterfile and read it by the one reader there is; raises ConfigError.

    With a provider the machines are booted first.
    """
    wish = _with_machines(wish, emit) if wish.provider else wish
    try:
        changes = Changes(wish.sets)
        found = loads(yaml.safe_dump(_document(wish), sort_keys=False), name=_NAME, changes=changes)
    except ClusterfileError as error:
        problems = [_in_words_of_options(problem) for problem in error.problems]
        message = f"command line: {counted(len(problems), 'problem')}"
        raise ConfigError(message, problems=problems, hint="--help lists the options of the command") from error
    return _with_secrets(found, wish)


def _document(wish: Wish) -> dict[str, Any]:
    ssh = {key: str(value) for key, value in (("user", wish.user), ("port", wish.port)) if value}
    if wish.jump:
        ssh["jump"] = wish.jump
    if wish.private_key:
        ssh["pk"] = str(expanded(wish.private_key).absolute())  # delete may be called from elsewhere
    spec: dict[str, Any] = {"image": wish.image, "ssh": ssh, "hosts": _hosts(wish)}
    for key, values in (("env", wish.env), ("cmd", wish.commands), ("appNames", wish.apps)):
        if values:
            spec[key] = list(values)
    return {"apiVersion": "sealer.io/v2", "kind": "Cluster", "metadata": {"name": wish.name}, "spec": spec}


def _hosts(wish: Wish) -> list[dict[str, list[str]]]:
    masters, nodes = _addresses(wish.masters), _addresses(wish.nodes)
    if twice := [host for host in nodes if host in masters]:
        raise ConfigError(f"host '{twice[0]}' stands in -m and in -n", hint="name every host once")
    if not masters and not wish.image:
        hint = "sealpy run IMAGE -m 10.0.0.1 makes a cluster, sealpy run -f Clusterfile one that a file describes"
        raise ConfigError("what to run is not said", hint=hint)
    if not masters:
        raise ConfigError("no control plane is named", hint="a cluster has one at least: -m 10.0.0.1")
    hosts = [{"ips": masters, "roles": ["master"]}]
    if nodes:
        hosts.append({"ips": nodes, "roles": ["node"]})
    return hosts


def _addresses(text: str) -> list[str]:
    try:
        return list(parse_hosts(text))
    except ConfigError:  # the reader tells it, with what else is wrong
        return [text]


def _in_words_of_options(problem: Problem) -> Problem:
    """Tell a problem without its place, in a text that nobody has seen, and by the option that it came from."""
    if problem.place and problem.place.file != _NAME:
        return problem
    for path, option in _OPTIONS.items():
        if re.match(re.escape(path) + r"[.:\[]", problem.message):
            return Problem(f"{option}: {problem.message.partition(': ')[2]}", hint=problem.hint)
    return Problem(problem.message, hint=problem.hint)


def _with_secrets(clusterfile: Clusterfile, wish: Wish) -> Clusterfile:
    """Let every host log in by the secrets of the wish, which no text of a Clusterfile has held."""
    cluster = clusterfile.cluster

    def with_secrets(ssh: Ssh) -> Ssh:
        return replace(
            ssh,
            password=wish.password or ssh.password,
            private_key_password=wish.key_password or ssh.private_key_password,
            key_place=_told_as("--pk", ssh.key_place) if ssh.key_place else None,
        )

    hosts = tuple(replace(entry, ssh=with_secrets(entry.ssh)) for entry in cluster.hosts)
    env_places = {name: _told_as("--env", place) for name, place in cluster.env_places.items()}
    words = {word: _told_as(_NAME, place) for word, place in cluster.words.items()}
    place = Place(_NAME)
    ssh = with_secrets(cluster.ssh)
    return replace(
        clusterfile, cluster=replace(cluster, ssh=ssh, hosts=hosts, env_places=env_places, words=words, place=place)
    )


def _told_as(option: str, place: Place) -> Place:
    """Tell a line of a text that nobody has seen by the option that it came from."""
    return Place(option) if place.file == _NAME else place


def _with_machines(wish: Wish, emit: Emit) -> Wish:
    """Boot as many machines as are wished; gives a wish for their addresses and with the key that opens them."""
    if wish.provider not in PROVIDERS:
        near = did_you_mean(wish.provider, PROVIDERS)
        raise ConfigError(f"provider '{wish.provider}' is not known", hint=near or "--provider local, or no provider")
    bare = Wish(image=wish.image, masters=wish.masters)
    if given := [option for option, name in _LOGINS.items() if getattr(wish, name) != getattr(bare, name)]:
        raise ConfigError(f"{', '.join(given)}: not with --provider", hint="leave it out: the machines have their key")
    masters = _count("--masters", wish.masters, least=1)
    count = masters + _count("--nodes", wish.nodes or "0", least=0)
    from sealpy.machines.local import Lab

    machines = Lab("lab", home()).up(count, emit=emit)[:count]
    addresses = [machine.address for machine in machines]
    return replace(
        wish,
        masters=",".join(addresses[:masters]),
        nodes=",".join(addresses[masters:]),
        private_key=machines[0].private_key,
    )


def _count(option: str, text: str, *, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        message = f"{option}: '{text}' is no count of machines"
        raise ConfigError(message, hint="with --provider say how many there are to be: -m 1 -n 1")
    return int(text)
