"""A plugin that crashes its interpreter."""

import os
import signal

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        os.kill(os.getpid(), signal.SIGSEGV)
