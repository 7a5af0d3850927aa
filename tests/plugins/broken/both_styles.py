"""A plugin with both steps and run."""

from sealpy.sdk import HookPoint, PluginContext, PluginHost, Run, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        del context, host
        yield Run("one", "true")

    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
