"""A plugin that says in a sentence why it cannot go on."""

from sealpy.sdk import HookPoint, PluginContext, PluginFailure

PluginType = "BROKEN"


def Plugin(context: PluginContext, phase: HookPoint) -> None:  # noqa: N802 - the name that is looked for
    raise PluginFailure(f"the licence of {context.cluster} has run out at {phase}")
