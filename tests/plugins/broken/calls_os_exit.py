"""A plugin that leaves without a word, but for one on standard error."""

import os
import sys

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        print("last words", file=sys.stderr, flush=True)  # noqa: T201 - plugins print
        os._exit(4)
