"""A plugin that thinks it is a program."""

import sys

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        sys.exit(3)
