"""A plugin that ends well but leaves programs behind, one of them detached."""

import subprocess
from pathlib import Path

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del phase
        started = subprocess.run(
            ["sh", "-c", "sleep 3600 > /dev/null & echo $!; setsid sleep 3600 > /dev/null & echo $!"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        Path(context.data).write_text(started.stdout, encoding="utf-8")
