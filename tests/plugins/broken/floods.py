"""A plugin whose steps do not end."""

from sealpy.sdk import Ask, PluginContext, PluginHost, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        del context, host
        while True:
            yield Ask("again?", "true")
