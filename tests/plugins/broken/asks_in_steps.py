"""A plugin that mixes the two styles."""

from sealpy.sdk import PluginContext, PluginHost, Run, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        context.ask(host.address, ["true"])
        yield Run("never comes to this", "true")
