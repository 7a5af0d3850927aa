"""A plugin that takes a command for a step."""

from sealpy.sdk import PluginContext, PluginHost, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        del context, host
        yield "systemctl restart kubelet"  # type: ignore[misc] # this is the mistake
