"""A plugin with a mistake in it."""

from sealpy.sdk import PluginContext, PluginHost, Run, Steps

PluginType = "BROKEN"


class Plugin:
    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        yield Run("the step before the mistake", "true")
        self.helper({"name": host.name})
        del context

    def helper(self, names: dict[str, str]) -> str:
        return names["title"]
