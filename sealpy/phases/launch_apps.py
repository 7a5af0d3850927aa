"""Launch what the image launches, on the leader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.image.building.recipe import CNI_LABEL
from sealpy.image.metadata import LaunchCommand
from sealpy.sdk import On, Run, Steps
from sealpy.sdk.nodes import ADMIN_CONF

__all__ = ["LaunchApps", "launch_once", "network_apps"]

_NETWORK = f"{CNI_LABEL}-"


class LaunchApps(Phase[Context]):
    """Launch the applications."""

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Say so when there is none."""
        return "" if _commands(ctx) else "the image launches nothing"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Run the launch commands in order, once for each image and choice of apps."""
        yield from launch_once(ctx, host, _commands(ctx))


def _commands(ctx: Context) -> tuple[LaunchCommand, ...]:
    """Give what is to be launched; `--cmds ""` and `--apps ""` launch nothing, as the ancestor's did."""
    if ctx.launch is not None:
        return tuple(LaunchCommand("", text, "") for text in ctx.launch if text.strip())
    apps = None if ctx.apps is None else tuple(name for name in ctx.apps if name.strip())
    network = network_apps(ctx)  # runs already
    return tuple(command for command in ctx.image.metadata.launch_commands(apps) if command.app not in network)


def launch_once(ctx: Context, host: str, commands: Sequence[LaunchCommand]) -> Steps:
    """Run launch commands in order, each unless its own mark says that it ran with these files and this environment.

    Every control plane gets the mark, each for its own files: when the leader leaves, another one takes over.
    """
    times: Counter[LaunchCommand] = Counter()
    for command in commands:
        times[command] += 1
        mark = f"launch-{digest_of(command, times[command])[:16]}"
        launch = _launch(ctx, host, command)
        ran = not ctx.facts[host].marked(mark, _input(ctx, host))
        if ran:
            yield launch
        for master in ctx.inventory.masters:
            if ran or not ctx.facts[master].marked(mark, _input(ctx, master)):
                yield On(master, ctx.mark(mark, _input(ctx, master), title=launch.title))


def _input(ctx: Context, host: str) -> str:
    """Give the digest of what a command is launched with on a host."""
    return digest_of(ctx.tree(host).digest, sorted(ctx.env[host].items()))


def _launch(ctx: Context, host: str, command: LaunchCommand) -> Run:
    """Give the step that runs one launch command in its directory of the rootfs, with KUBECONFIG and the host's env."""
    directory = f"{ctx.rootfs}/{command.directory}".rstrip("/")
    title = f"launch {command.app}" if command.app else command.command.strip().splitlines()[0][:60]
    return Run(
        title,
        *("bash", "-c", 'cd "$1" && eval "$2"', "bash", directory, command.command),
        env={**ctx.env[host], **dict(command.env), "KUBECONFIG": ADMIN_CONF}.items(),
        live=True,
    )


def network_apps(ctx: Context) -> tuple[str, ...]:
    """Give the names of the apps that the image labels as pod networks."""
    metadata = ctx.image.metadata
    labelled = {
        label.removeprefix(_NETWORK)
        for label, value in metadata.labels.items()
        if label.startswith(_NETWORK) and value == "true"
    }
    return tuple(app.name for app in metadata.applications if app.name in labelled)
