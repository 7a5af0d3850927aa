"""The root command: global flags, the table of commands, errors to exit codes."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.main import get_command

from sealpy import __version__
from sealpy.cli.exits import EXITS, SIGPIPE
from sealpy.cli.home import home
from sealpy.cli.lazy import Entry, LazyGroup
from sealpy.cli.mistyped import ours
from sealpy.cli.output import Detail, Output, Settings, Style
from sealpy.cli.shells import VARIABLE

__all__ = ["COMMANDS", "app", "main", "run"]

_CLUSTERS = "Clusters"
_IMAGES = "Cluster images"
_OTHERS = "Others"

COMMANDS = (
    Entry("run", "Make a cluster from an image on machines, or launch an application.", _CLUSTERS),
    Entry("apply", "Make a cluster what its Clusterfile says.", _CLUSTERS),
    Entry("plan", "Show what apply would change, and change nothing.", _CLUSTERS),
    Entry("scale-up", "Add hosts to a cluster that was made from here.", _CLUSTERS),
    Entry("upgrade", "Bring a cluster that was made from here to another image, and to its Kubernetes.", _CLUSTERS),
    Entry("rollback", "Bring a cluster back to an image that it has left.", _CLUSTERS),
    Entry("delete", "Remove a whole cluster from its machines, or some of its hosts.", _CLUSTERS),
    Entry("init", "Look at machines over SSH, and write a Clusterfile with comments.", _CLUSTERS),
    Entry("explain", "Say what a field of a Clusterfile is for.", _CLUSTERS),
    Entry("schema", "Print the JSON Schema of a Clusterfile, for editors that complete and check YAML.", _CLUSTERS),
    Entry("check", "Put machines to every check, and change nothing on them.", _CLUSTERS),
    Entry("build", "Build a cluster image from a Kubefile.", _IMAGES),
    Entry("images", "List the cluster images on this machine.", _IMAGES),
    Entry("inspect", "Show what is inside a cluster image.", _IMAGES),
    Entry("pull", "Bring cluster images from a registry.", _IMAGES),
    Entry("push", "Bring a cluster image to a registry.", _IMAGES),
    Entry("login", "Log in to an image registry.", _IMAGES),
    Entry("logout", "Forget a login.", _IMAGES),
    Entry("search", "List the tags of repositories.", _IMAGES),
    Entry("manifest", "Put images for several platforms under one name.", _IMAGES),
    Entry("history", "Show what made each layer of a cluster image.", _IMAGES),
    Entry("merge", "Make one cluster image of several.", _IMAGES),
    Entry("diff", "Show what one cluster image has that another has not.", _IMAGES),
    Entry("export", "Write the rootfs of a cluster image into a directory.", _IMAGES),
    Entry("tag", "Give a cluster image another name.", _IMAGES),
    Entry("save", "Write a cluster image to a file or directory.", _IMAGES),
    Entry("load", "Read cluster images from a file or directory.", _IMAGES),
    Entry("keygen", "Make a key that signs images.", _IMAGES),
    Entry("sign", "Sign a local cluster image.", _IMAGES),
    Entry("verify", "Verify who signed a local cluster image.", _IMAGES),
    Entry("rmi", "Remove cluster images from this machine.", _IMAGES),
    Entry("prune", "Remove what no local image needs.", _IMAGES),
    Entry("store", "Look after what is kept of images on this machine.", _IMAGES),
    Entry("plugin", "See which plugins there are, what they would do, and try one out.", _OTHERS),
    Entry("lab", "Boot real machines on this computer, to try things on.", _OTHERS),
    Entry("completion", "Print the script that completes commands in your shell.", _OTHERS),
    Entry("version", "Show the version.", _OTHERS),
)


def _quiet(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value:
        ctx.obj.configure(detail=Detail.QUIET)


def _verbose(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value:
        ctx.obj.configure(detail=Detail.VERBOSE)


def _no_color(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value:
        ctx.obj.configure(color=False)


def _version(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value and not ctx.resilient_parsing:
        ctx.obj.text(f"sealpy {__version__}")
        raise typer.Exit


def _help(ctx: typer.Context, value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value and not ctx.resilient_parsing:
        typer.echo(ctx.get_help())
        raise typer.Exit


def _global_flags(  # every command takes them as well as the root, before or after its name
    *,
    output: Annotated[
        Style | None,
        typer.Option("--output", help="Write text, or JSON lines.", is_eager=True, expose_value=False),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Show warnings and errors only.", callback=_quiet, expose_value=False),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show every step.", callback=_verbose, expose_value=False),
    ] = False,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="Do not color, as NO_COLOR=1.", callback=_no_color, expose_value=False),
    ] = False,
    help_: Annotated[  # our own: typer's would load pydantic, 80 ms, to read a flag
        bool,
        typer.Option("--help", "-h", help="Show this and exit.", callback=_help, is_eager=True, expose_value=False),
    ] = False,
) -> None:
    """Carry the declarations; the callbacks do the work."""


def _options() -> list[Any]:
    carrier = typer.Typer(add_completion=False)
    carrier.command()(_global_flags)
    options: list[Any] = get_command(carrier).params
    for option in options:
        if option.name == "output":
            # typer would load pydantic, 80 ms, to tell two words apart
            option.process_value = partial(_read_style, option)
    return options


def _read_style(option: Any, ctx: typer.Context, value: str | None) -> None:
    if value is None:
        return
    if value not in set(Style):
        raise typer.BadParameter(f"'{value}' is neither 'text' nor 'json'", ctx=ctx, param=option)
    ctx.obj.configure(style=Style(value))


class _Root(LazyGroup):
    entries = COMMANDS
    options = staticmethod(_options)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write what each exit code says."""
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), f"{meaning[:1].upper()}{meaning[1:]}.") for code, meaning in EXITS.items()])


app = typer.Typer(
    name="sealpy",
    cls=_Root,
    invoke_without_command=True,  # which shows the help
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": [], "max_content_width": 100},
)


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True, expose_value=False)
    ] = False,
) -> None:
    """Pack a whole Kubernetes distribution into one image, and make clusters from it over SSH, offline.

    'sealpy COMMAND --help' explains a command.

    Examples:
        sealpy load -i kubernetes.tar
        sealpy run kubernetes:v1.34.4 -m 10.0.0.1 -n 10.0.0.2,10.0.0.3
        sealpy delete --all
    """


def main() -> None:
    """Run the command line of this process and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a screen that lacks a sign must not end a run
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; gives the exit code. Every error of every command ends here."""
    output = _output(arguments)
    try:
        _invoke(list(arguments), output)
    except typer.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        _abandon_stdout()
        return SIGPIPE
    except typer.Abort:
        return output.error(KeyboardInterrupt())
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - here whatever happened becomes text and a number
        return output.error(ours(error, arguments, commands=[entry.name for entry in COMMANDS]))
    else:
        return 0
    finally:
        output.close()


def _invoke(arguments: list[str], output: Output) -> None:
    command = get_command(app)
    command.params.extend(_options())
    if VARIABLE in os.environ:  # the shell asks what may stand there
        _complete(command, arguments)
        return
    if arguments[:1] == ["help"]:  # as git and kubectl have it
        arguments = [*arguments[1:], "--help"]
    with command.make_context("sealpy", arguments, obj=output) as context:
        command.invoke(context)


def _complete(root: Any, words: Sequence[str]) -> None:
    """Answer the shell; whatever goes wrong, silently: who types a command did not ask for an error yet."""
    from contextlib import suppress

    from sealpy.cli.completing import answer

    with suppress(Exception):
        typer.echo(answer(root, words))


def _output(arguments: Sequence[str]) -> Output:
    """Make the output from the surroundings; the flags refine it while they are read."""
    terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    settings = Settings(
        # looked for here too, so that a mistake in the words before it is told as JSON as well
        style=Style.JSON if _asks_for_json(arguments) else Style.TEXT,
        color=terminal and not os.environ.get("NO_COLOR"),
        terminal=terminal,
    )
    return Output(settings, crashes=home() / "logs")


def _asks_for_json(arguments: Sequence[str]) -> bool:
    return "--output=json" in arguments or ("--output", "json") in pairwise(arguments)


def _abandon_stdout() -> None:
    """Point stdout at nothing, so that the interpreter does not complain when it flushes at the end."""
    with open(os.devnull, "w", encoding="utf-8") as nothing:  # noqa: PTH123 - a device, not a path of ours
        os.dup2(nothing.fileno(), sys.stdout.fileno())
