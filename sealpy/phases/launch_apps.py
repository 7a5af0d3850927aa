"""Launch what the image launches, on the leader."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.context import Context, digest_of
from sealpy.engine import Phase
from sealpy.image.metadata import LaunchCommand
from sealpy.sdk import Run, Steps

__all__ = ["LaunchApps", "launch"]

_KUBECONFIG = "/etc/kubernetes/admin.conf"


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
        commands = _commands(ctx)
        digest = digest_of(commands, ctx.tree(host).digest)
        if ctx.facts[host].marked("apps", digest):
            return
        for command in commands:
            yield launch(ctx, host, command)
        yield ctx.mark("apps", digest)


def _commands(ctx: Context) -> tuple[LaunchCommand, ...]:
    if ctx.launch is not None:
        return tuple(LaunchCommand("", text, "") for text in ctx.launch)
    return ctx.image.metadata.launch_commands(ctx.apps)


def launch(ctx: Context, host: str, command: LaunchCommand) -> Run:
    """Give the step that runs one launch command in its directory of the rootfs, with KUBECONFIG and the host's env."""
    directory = f"{ctx.rootfs}/{command.directory}".rstrip("/")
    title = f"launch {command.app}" if command.app else command.command.strip().splitlines()[0][:60]
    return Run(
        title,
        *("bash", "-c", 'cd "$1" && eval "$2"', "bash", directory, command.command),
        env=(*ctx.env[host].items(), ("KUBECONFIG", _KUBECONFIG)),
        live=True,
    )
