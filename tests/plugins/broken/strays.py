"""A plugin that works on a host which is none of its business."""

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del phase
        context.run("10.9.9.9", ["reboot"])
