"""A plugin that writes into every descriptor it has."""

import os
from pathlib import Path

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del context, phase
        for descriptor in list(Path("/proc/self/fd").iterdir()):  # however high: a busy sealpy has many open
            try:
                os.write(int(descriptor.name), b"hello there\n")
            except OSError:
                continue
