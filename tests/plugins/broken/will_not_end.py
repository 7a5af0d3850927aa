"""A plugin that does nothing, for ever, and does not listen either."""

import contextlib
import signal
import subprocess
import time
from pathlib import Path

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del phase
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        helper = subprocess.Popen(["sleep", "3600"])
        detached = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        Path(context.data).write_text(f"{helper.pid} {detached.pid}", encoding="utf-8")
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                time.sleep(3600)
