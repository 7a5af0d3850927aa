"""A plugin that yields a function, which cannot leave its process."""

from sealpy.sdk import Call, PluginContext, PluginHost, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        del context
        yield Call("call me", lambda: host.name)
