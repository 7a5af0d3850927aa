"""What the commands on clusters share: from words to a Clusterfile, from a report to text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import typer
import yaml

from sealpy.actions.apply import apply
from sealpy.actions.delete import delete
from sealpy.actions.session import Report, Surroundings
from sealpy.cli.home import home, open_store
from sealpy.cli.output import Output
from sealpy.cli.renderers.plan import render_plan
from sealpy.clusterfile import Clusterfile, dumps, load, loads, parse_hosts
from sealpy.disk import make_private, write_whole
from sealpy.errors import ConfigError
from sealpy.image.cluster_image import ClusterImage

__all__ = [
    "Wish",
    "apply_and_report",
    "ask_secret",
    "clusterfile_of",
    "confirmed",
    "delete_and_report",
    "kept_clusterfile",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold the words of `sealpy run`."""

    image: str
    masters: str
    nodes: str = ""
    name: str = "my-cluster"
    user: str = "root"
    password: str = field(default="", repr=False)
    port: int = 22
    private_key: Path | None = None
    key_password: str = field(default="", repr=False)
    env: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    provider: str = ""


def ask_secret(given: str, what: str) -> str:
    """Give a secret: the word itself, or for `-` what is typed without an echo, or the first line of standard input."""
    if given != "-":
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def clusterfile_of(wish: Wish, output: Output) -> Clusterfile:
    """Write the wish as a Clusterfile and read it by the one reader there is."""
    masters, nodes = wish.masters, wish.nodes
    ssh: dict[str, Any] = {"user": wish.user, "port": str(wish.port)}
    if wish.provider:
        masters, nodes, key = _machines(wish, output)
        ssh = {"user": "root", "pk": key}
    elif wish.private_key:
        ssh["pk"] = str(wish.private_key)
    hosts = [{"ips": list(parse_hosts(masters)), "roles": ["master"]}]
    if nodes:
        hosts.append({"ips": list(parse_hosts(nodes)), "roles": ["node"]})
    spec: dict[str, Any] = {"image": wish.image, "ssh": ssh, "hosts": hosts}
    for key, values in (("env", wish.env), ("cmd", wish.commands), ("appNames", wish.apps)):
        if values:
            spec[key] = list(values)
    document = {"apiVersion": "sealer.io/v2", "kind": "Cluster", "metadata": {"name": wish.name}, "spec": spec}
    return _with_secrets(loads(yaml.safe_dump(document, sort_keys=False), name="command line"), wish)


def _with_secrets(clusterfile: Clusterfile, wish: Wish) -> Clusterfile:
    """Let every host log in by the secrets of the wish, which no text of a Clusterfile has held."""
    cluster = clusterfile.cluster
    ssh = replace(cluster.ssh, password=wish.password, private_key_password=wish.key_password)
    hosts = tuple(replace(entry, ssh=ssh) for entry in cluster.hosts)
    return replace(clusterfile, cluster=replace(cluster, ssh=ssh, hosts=hosts))


def _machines(wish: Wish, output: Output) -> tuple[str, str, str]:
    """Boot as many machines as are wished; gives the addresses of both roles and the key that opens them."""
    if wish.provider != "local":
        raise ConfigError(f"provider '{wish.provider}' is not known", hint="--provider local, or no provider")
    counts = []
    for option, text in (("--masters", wish.masters), ("--nodes", wish.nodes or "0")):
        if not text.isdecimal():
            raise ConfigError(f"{option} {text!r} is no count", hint="with --provider give how many: -m 1 -n 1")
        counts.append(int(text))
    from sealpy.machines.local import Lab  # noqa: PLC0415 - only for machines of our own

    machines = Lab("lab", home()).up(sum(counts), emit=output.emit)[: sum(counts)]
    addresses = [machine.address for machine in machines]
    masters, nodes = addresses[: counts[0]], addresses[counts[0] :]
    return ",".join(masters), ",".join(nodes), str(machines[0].private_key)


def kept_clusterfile(output: Output, file: Path | None, *, name: str, password: str) -> Clusterfile:
    """Read the file given, or the one that the last run of this cluster kept; log in by the password given."""
    del output
    path = file or home() / "clusters" / name / "Clusterfile"
    if not path.exists():
        hint = "name the file: -f Clusterfile" if file is None else "look at the name"
        raise ConfigError(f"{path}: no such Clusterfile", hint=hint)
    found = load(path)
    return found.with_password(password) if password else found


def confirmed(clusterfile: Clusterfile) -> bool:
    """Ask whether the cluster is to be removed."""
    cluster = clusterfile.cluster
    hosts = [ip for entry in cluster.hosts for ip in entry.ips]
    return bool(typer.confirm(f"remove cluster '{cluster.name}' from {', '.join(hosts)}?", err=True))


def apply_and_report(output: Output, clusterfile: Clusterfile, *, rehearsal: bool) -> None:
    """Apply, or rehearse it, and print what came of it."""
    surroundings = _surroundings(output, clusterfile, "apply", rehearsal=rehearsal)
    with _image(clusterfile) as image:
        if not rehearsal:
            _keep(clusterfile)
        report = apply(clusterfile, image, surroundings)
    name = clusterfile.cluster.name
    if rehearsal:
        _print_plan(output, report)
    elif not report.changed:
        output.text(f"cluster '{name}': nothing to change")
    else:
        output.text(f"cluster '{name}' is ready: kubectl --context {name} get nodes")


def delete_and_report(output: Output, clusterfile: Clusterfile, *, rehearsal: bool) -> None:
    """Delete, or rehearse it, and print what came of it."""
    surroundings = _surroundings(output, clusterfile, "delete", rehearsal=rehearsal)
    with _image(clusterfile) as image:
        report = delete(clusterfile, image, surroundings)
    if rehearsal:
        _print_plan(output, report)
    else:
        output.text(
            f"cluster '{clusterfile.cluster.name}' is removed; nothing of it was found on {len(report.facts)} hosts"
        )


@contextmanager
def _image(clusterfile: Clusterfile) -> Iterator[ClusterImage]:
    """Open the image of a cluster, and keep its blobs from `rmi` in another terminal for as long as it is read."""
    store = open_store()
    with store.keeping():
        yield ClusterImage.open(store, clusterfile.cluster.image)


def _surroundings(output: Output, clusterfile: Clusterfile, action: str, *, rehearsal: bool) -> Surroundings:
    logs = home() / "clusters" / clusterfile.cluster.name / "logs"
    output.open_log(logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{'plan-' if rehearsal else ''}{action}.log")
    return Surroundings(home=home(), emit=output.emit, secret=output.secrets.add, rehearsal=rehearsal)


def _keep(clusterfile: Clusterfile) -> None:
    """Keep the Clusterfile, without secrets, so that even a run that is cut can be deleted by name."""
    directory = home() / "clusters" / clusterfile.cluster.name
    make_private(directory)
    write_whole(directory / "Clusterfile", dumps(clusterfile))


def _print_plan(output: Output, report: Report) -> None:
    if output.is_json:
        output.json({"plan": [asdict(step) for step in report.recorded]})
    else:
        output.text(render_plan(report.recorded))
