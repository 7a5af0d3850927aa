"""A plugin that does nothing, for ever."""

import time

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        time.sleep(3600)
