"""sealpy plugin: which plugins there are, what they would do, and how one does on machines that only pretend."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sealpy.cli.home import open_store
from sealpy.cli.lazy import SealpyCommand, SealpyGroup
from sealpy.cli.plugins import PluginsDirOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sealpy.errors import Problem
    from sealpy.plugin.doctor import Diagnosis, Use
    from sealpy.plugin.registry import PluginType

__all__ = ["app"]


Files = list[tuple[str, bytes]]
ImageName = Annotated[
    str, typer.Argument(metavar="IMAGE", help="The cluster image that brings plugins; default: the Clusterfile's.")
]

app = typer.Typer(
    name="plugin",
    cls=SealpyGroup,
    add_completion=False,
    rich_markup_mode=None,
    help="See which plugins there are, what they would do, and try one out.\n\n"
    "Examples:\n    sealpy plugin list\n    sealpy plugin doctor -f Clusterfile\n"
    "    sealpy plugin test examples/plugins/list_nodes",
)


@app.command("list", cls=SealpyCommand)
def list_types(
    ctx: typer.Context,
    image: Annotated[str, typer.Argument(metavar="IMAGE", help="List those of this cluster image, too.")] = "",
    *,
    plugins_dir: PluginsDirOption = None,
) -> None:
    """List the plugin types: from where, which version, for which hook points.

    Examples:
        sealpy plugin list
        sealpy plugin list kubernetes:v1.34.4
        sealpy plugin list --plugins-dir ./plugins
    """
    from sealpy.plugin import discover, read_directories

    registry = discover((*(_files_of(image) if image else []), *read_directories(plugins_dir or ())))
    if ctx.obj.is_json:
        ctx.obj.json([_described(found) for found in registry])
        return
    columns = ("Type", "Source", "Version", "Hook points")
    ctx.obj.table("", columns, [_row(found) for found in registry])


@app.command("doctor", cls=SealpyCommand)
def doctor(
    ctx: typer.Context,
    image: ImageName = "",
    *,
    file: Annotated[Path, typer.Option("--file", "-f", help="The Clusterfile.")] = Path("Clusterfile"),
    plugins_dir: PluginsDirOption = None,
) -> None:
    """Look at the plugins of a Clusterfile: what is found, what is wrong, what is chosen, when and where it would run.

    Nothing is run and no host is asked. The exit code is 2 when anything is wrong, and 5
    when it is only that the image is not here.

    Examples:
        sealpy plugin doctor -f Clusterfile
        sealpy plugin doctor -f Clusterfile kubernetes:v1.34.4 --plugins-dir ./plugins
    """
    from sealpy.actions.review import look_over
    from sealpy.cli.opening import opened_of
    from sealpy.cli.renderers.doctor import render_diagnosis
    from sealpy.clusterfile import examine
    from sealpy.plugin.doctor import diagnose

    read = examine(file)
    read = read.with_image(image) if image else read
    with opened_of(read) as found:
        seen = look_over(read, found, plugins_dir or ())
    diagnosis = diagnose(seen.gathered, seen.inventory)
    with seen.mistakes.gathering():
        diagnosis.check()
    unchecked = seen.gathered.unchecked
    if ctx.obj.is_json:
        ctx.obj.json(_diagnosed(diagnosis, (*seen.mistakes.problems, *unchecked)))
    else:
        ctx.obj.text(render_diagnosis(diagnosis))
    seen.mistakes.check(unchecked=unchecked)


@app.command("test", cls=SealpyCommand)
def try_out(
    ctx: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="PLUGIN",
            help="The plugin: a .py, a .pyz or the directory that becomes one, a program, a directory of plugins, or "
            "the name of an installed type.",
        ),
    ],
    *,
    at: Annotated[str, typer.Option("--at", metavar="POINT", help="Try it at this hook point alone.")] = "",
    data: Annotated[
        str, typer.Option("--data", metavar="TEXT", help="What its document would hold as data; @FILE reads a file.")
    ] = "",
    answers: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="WORDS=TEXT", help="What commands that begin so print; may repeat."),
    ] = None,
) -> None:
    """Try a plugin out on two machines that only pretend: its steps, how long it takes, and a verdict.

    It is rehearsed, run, and run where every command fails; trials that go alike are told as one. Elsewhere commands
    succeed and print nothing, but for those that --answer names. The exit code is 2 when a trial fails.

    Examples:
        sealpy plugin test examples/plugins/list_nodes --answer kubectl=node/n1
        sealpy plugin test examples/plugins/free_space/free_space.sh --at PreInit --answer df=12G
        sealpy plugin test SHELL --at PostInstall --data "touch /etc/mine"
    """
    from sealpy.cli.renderers.trial import render_trials
    from sealpy.errors import PluginError, counted
    from sealpy.testing.trial import answers_of, try_plugins
    from sealpy.testing.verdict import advice, alike, findings

    holds = _data(data)
    trials = try_plugins(target, at=at, data=holds, answers=answers_of(answers or ()))
    next_time = advice(trials, data=holds)
    if ctx.obj.is_json:
        ctx.obj.json([asdict(trial) for trial in trials])
    else:
        ctx.obj.text(render_trials(alike(trials), advice=next_time))
    failed = [trial for trial in trials if trial.problem]
    if failed:
        message = f"{target}: {len(failed)} of {counted(len(trials), 'trial')} failed"
        raise PluginError(message, problems=findings(failed), hint=next_time)


def _data(typed: str) -> str:
    """Give the data that were typed, or what the file holds that was named; raises ConfigError."""
    from sealpy.errors import ConfigError

    if not typed.startswith("@"):
        return typed
    try:
        return Path(typed[1:]).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigError(f"--data: '{typed[1:]}': {reason}", hint="name a file of text after @") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--data: '{typed[1:]}': the file is no text", hint="save it as UTF-8") from error


def _files_of(name: str) -> Files:
    """Give the plugin files of an image on this machine; raises StoreError."""
    from sealpy.actions.hooks import image_files
    from sealpy.image.cluster_image import ClusterImage

    return image_files(ClusterImage.open(open_store(), name))


def _row(found: PluginType) -> tuple[str, ...]:
    points = ", ".join(found.declaration.phases) or "any"
    return found.type, str(found.code), found.version or "-", points


def _described(found: PluginType) -> dict[str, Any]:
    says = found.declaration
    return {
        "type": found.type,
        "source": str(found.code),
        "version": found.version,
        "digest": found.digest,
        "summary": says.summary,
        "phases": says.phases,
        "default": says.default,
        "timeout": says.timeout,
        "parallel": says.parallel,
    }


def _diagnosed(diagnosis: Diagnosis, problems: Sequence[Problem]) -> dict[str, Any]:
    return {
        "types": [_described(found) for found in diagnosis.types],
        "plugins": [_use(use) for use in diagnosis.uses],
        "notices": [str(notice) for notice in diagnosis.notices],
        "problems": [asdict(problem) for problem in problems],
        "others": diagnosis.others,
    }


def _use(use: Use) -> dict[str, Any]:
    turns = [
        {"hook": turn.point, "operations": turn.moment.operations, "hosts": turn.hosts, "note": turn.note}
        for turn in use.turns
    ]
    bound = use.bound
    chosen = {"type": bound.type.type, "source": str(bound.type.code), "digest": bound.type.digest}
    return {"plugin": bound.name, "place": str(bound.document.place), **chosen, "terms": bound.terms, "turns": turns}
