"""Save what was launched on a cluster, in the cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sealpy.clusterfile.secrets import holds_secret
from sealpy.clusterfile.types import WITHHELD
from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.sdk import Call, On, Steps

__all__ = ["APPLICATIONS", "SETTLED", "SaveApplication"]

APPLICATIONS = ("kube-system", "sealpy-applications")  # the ConfigMap: one entry for each application
SETTLED = "settled"


class SaveApplication(Phase[Context]):
    """Save what was launched.

    The ConfigMap goes first: whoever finds the marks, which keep the next run from firing plugins, finds it, too.
    """

    def __init__(self, name: str, settled: Mapping[str, str]) -> None:
        """Take what the cluster calls the application, and by control plane the digest of what it was launched with."""
        self._name = name
        self._settled = settled

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader."""
        return (ctx.inventory.leader,)

    def steps(self, ctx: Context, host: str) -> Steps:
        """Write the entry where it is another, and the marks where they are not."""
        del host
        entry = json.dumps(_entry(ctx), sort_keys=True)
        there = ctx.kube.open().config_map(*APPLICATIONS) or {}
        if there.get(self._name) != entry:
            yield Call(
                "save in the cluster what was launched",
                lambda: ctx.kube.open().write_config_map(*APPLICATIONS, {**there, self._name: entry}),
            )
        for master in ctx.inventory.masters:
            if not ctx.facts[master].marked(SETTLED, self._settled[master]):
                yield On(master, ctx.mark(SETTLED, self._settled[master]))


def _entry(ctx: Context) -> Mapping[str, object]:
    """Say what was launched: the image, and its apps by name, or else what was asked for in their place."""
    launch = ctx.image.metadata.launch
    apps = launch.app_names if ctx.apps is None else ctx.apps
    commands = launch.cmds if ctx.apps is None else ()
    if ctx.launch is not None:
        apps, commands = (), ctx.launch
    return {
        "image": str(ctx.image.reference),
        "digest": ctx.image.digest,
        "apps": list(apps),
        "commands": [WITHHELD if holds_secret(command) else command for command in commands],
    }
