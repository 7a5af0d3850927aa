"""What the commands on clusters share: secrets, the Clusterfile that is kept, the run itself, from a report to text."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import typer

from sealpy.actions.apply import apply, rollback
from sealpy.actions.delete import delete
from sealpy.actions.remove import remove
from sealpy.actions.session import Report, Surroundings
from sealpy.cli.application import cluster_of, launched
from sealpy.cli.asking import can_ask, is_wanted
from sealpy.cli.home import home
from sealpy.cli.kept import kept_file
from sealpy.cli.opening import opened, required
from sealpy.cli.output import Output
from sealpy.cli.renderers.plan import render_plan
from sealpy.cli.signatures import Verifying, admitted
from sealpy.cli.terms import Terms
from sealpy.clusterfile import Clusterfile, Readable, load
from sealpy.errors import ConfigError, ImageError, InterruptedRunError, StoreError, counted
from sealpy.events import Warned
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import APP_INSTALLER
from sealpy.inventory import Logins

__all__ = [
    "Given",
    "apply_and_report",
    "ask_secrets",
    "confirm",
    "delete_and_report",
    "kept_clusterfile",
    "remove_and_report",
    "rollback_and_report",
]

_OTHERWISE = "give its file, --file Clusterfile"
_ASK = "-"  # behind an option: ask for the secret, or read it from standard input


@dataclass(frozen=True, slots=True)
class Given:
    """Hold the word behind an option for a secret, and how to ask for what it stands for when it is `-`."""

    option: str
    word: str = field(repr=False)
    question: str


def ask_secrets(output: Output, *given: Given) -> list[str]:
    """Give each secret: the word itself, or for `-` what is typed without an echo, or a line of standard input.

    None of them is shown from now on. That others can see a word in the list of processes is a warning, told once.
    """
    visible = [one.option for one in given if one.word not in {"", _ASK}]
    if visible:
        message = f"{', '.join(visible)}: whoever lists the processes of this machine reads it"
        output.emit(Warned(message=message, hint=f"write {visible[0]} - and type it, or give it as standard input"))
    secrets = [_typed(one.question) if one.word == _ASK else one.word for one in given]
    for secret in secrets:
        output.secrets.add(secret)
    return secrets


def _typed(question: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True, err=True))
    return sys.stdin.readline().rstrip("\n")


def kept_clusterfile(file: Path | None, *, name: str, password: str, otherwise: str = _OTHERWISE) -> Clusterfile:
    """Read the file given, or the one that the last run of this cluster kept; log in by the password given.

    Raises ConfigError where there is none, which says what to do `otherwise`.
    """
    found = load(file or kept_file(name, otherwise=otherwise))
    return found.with_password(password) if password else found


def confirm(clusterfile: Clusterfile, hosts: Sequence[str] = ()) -> None:
    """Ask whether the cluster is to be removed, or these hosts from it.

    Raises InterruptedRunError for a no, ConfigError where nobody can be asked.
    """
    cluster = clusterfile.cluster
    every = ", ".join(ip for entry in cluster.hosts for ip in entry.ips)
    what = f"remove {', '.join(hosts)} from cluster '{cluster.name}'"
    if not hosts:
        what = f"remove cluster '{cluster.name}' from {every}"
    if not can_ask():
        hint = "give --force to do it without a question; --dry-run shows what would be removed"
        raise ConfigError(f"{what}: there is no terminal to ask on", hint=hint)
    if not is_wanted(f"{what}?"):
        raise InterruptedRunError("nothing was changed", hint="--dry-run shows what would be removed")


def apply_and_report(
    output: Output,
    asked: Clusterfile | Readable,
    *,
    rehearsal: bool,
    logins: Logins,
    verifying: Verifying,
    plugins: Sequence[Path] = (),
    terms: Terms | None = None,
    cluster: Clusterfile | None = None,
) -> None:
    """Apply, or rehearse it, when the image is admitted, and print what came of it.

    An application is launched on `cluster`, or else on the one that the Clusterfile names. Raises one error with
    everything that is wrong, also when the Clusterfile cannot be read or the image is not here.
    """
    with required(output, asked, logins=logins, plugins=plugins) as (clusterfile, image):
        surroundings = _surroundings(
            output, clusterfile, "apply", rehearsal=rehearsal, logins=logins, plugins=plugins, terms=terms
        )
        name = clusterfile.cluster.name
        admitted(output, clusterfile.cluster.image, verifying)
        if image.metadata.type == APP_INSTALLER:
            report = launched(clusterfile, image, surroundings, cluster or cluster_of(clusterfile))
            what = f"application '{image.reference.familiar}' on cluster '{name}'"
            done = f"{what} is launched: kubectl --context {name} get pods --all-namespaces"
        else:
            report = apply(clusterfile, image, surroundings)
            what = f"cluster '{name}'"
            done = f"{what} is ready: kubectl --context {name} get nodes"
    if rehearsal:
        _print_plan(output, report)
    else:
        output.text(done if report.changed else f"{what}: nothing to change")


def rollback_and_report(
    output: Output,
    clusterfile: Clusterfile,
    *,
    rehearsal: bool,
    logins: Logins,
    verifying: Verifying,
    terms: Terms,
    plugins: Sequence[Path] = (),
) -> None:
    """Go back to an image, or rehearse it, when it is admitted, and print what came of it."""
    with required(output, clusterfile, logins=logins, plugins=plugins) as (_, image):
        surroundings = _surroundings(
            output, clusterfile, "rollback", rehearsal=rehearsal, logins=logins, plugins=plugins, terms=terms
        )
        admitted(output, clusterfile.cluster.image, verifying)
        report = rollback(clusterfile, image, surroundings)
    name = clusterfile.cluster.name
    if rehearsal:
        _print_plan(output, report)
    elif not report.changed:
        output.text(f"cluster '{name}': nothing to change")
    else:
        output.text(f"cluster '{name}' is back at {clusterfile.cluster.image}")


def delete_and_report(
    output: Output, clusterfile: Clusterfile, *, rehearsal: bool, logins: Logins, plugins: Sequence[Path] = ()
) -> None:
    """Delete, or rehearse it, and print what came of it; the image may be gone."""
    surroundings = _surroundings(output, clusterfile, "delete", rehearsal=rehearsal, logins=logins, plugins=plugins)
    with _image_or_none(clusterfile) as image:
        report = delete(clusterfile, image, surroundings)
    if rehearsal:
        _print_plan(output, report)
    else:
        count = counted(len(report.facts), "host")
        output.text(f"cluster '{clusterfile.cluster.name}' is removed; nothing of it was found on {count}")


def remove_and_report(
    output: Output,
    clusterfile: Clusterfile,
    hosts: Sequence[str],
    *,
    rehearsal: bool,
    logins: Logins,
    terms: Terms,
    plugins: Sequence[Path] = (),
) -> None:
    """Take hosts out of a living cluster, or rehearse it, and print what came of it; the image may be gone."""
    surroundings = _surroundings(
        output, clusterfile, "remove", rehearsal=rehearsal, logins=logins, plugins=plugins, terms=terms
    )
    surroundings = replace(surroundings, confirm=lambda _question: True)  # asked already
    with _image_or_none(clusterfile) as image:
        report = remove(clusterfile, hosts, image, surroundings)
    if rehearsal:
        _print_plan(output, report)
    else:
        output.text(f"cluster '{clusterfile.cluster.name}' goes on without {', '.join(hosts)}")


@contextmanager
def _image_or_none(clusterfile: Clusterfile) -> Iterator[ClusterImage | None]:
    """Open the image of a cluster where it is still among the local ones."""
    with opened(clusterfile.cluster.image) as image:
        if isinstance(image, ImageError) and not isinstance(image, StoreError):
            raise image
        yield image if isinstance(image, ClusterImage) else None


def _surroundings(
    output: Output,
    clusterfile: Clusterfile,
    action: str,
    *,
    rehearsal: bool,
    logins: Logins,
    plugins: Sequence[Path],
    terms: Terms | None = None,
) -> Surroundings:
    terms = terms or Terms()
    logs = home() / "clusters" / clusterfile.cluster.name / "logs"
    output.open_log(logs / f"{time.strftime('%Y%m%d-%H%M%S')}-{'plan-' if rehearsal else ''}{action}.log")
    return Surroundings(
        home=home(),
        emit=output.emit,
        secret=output.secrets.add,
        rehearsal=rehearsal,
        logins=logins,
        plugins=tuple(plugins),
        confirm=_asked,
        max_fail=terms.max_fail,
        drain=terms.drain,
        force=terms.force,
        drastic=terms.drastic,
        skip=terms.skip,
    )


def _asked(question: str) -> bool:
    """Ask who sits at the terminal; a script has said what it wants by its file."""
    return is_wanted(question) if can_ask() else True


def _print_plan(output: Output, report: Report) -> None:
    if output.is_json:
        plugins = [asdict(plugin) for plugin in report.plugins]
        output.json({"plan": [asdict(step) for step in report.recorded], "plugins": plugins})
    else:
        terms = {f"{plugin.hook}/{plugin.plugin}": plugin.terms for plugin in report.plugins if plugin.terms}
        output.text(render_plan(report.recorded, terms))
