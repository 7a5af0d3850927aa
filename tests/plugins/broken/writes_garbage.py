"""A plugin that writes into every descriptor it finds."""

import os

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        for descriptor in range(3, 32):
            try:
                os.write(descriptor, b"hello there\n")
            except OSError:
                continue
