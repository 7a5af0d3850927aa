"""A plugin that prints 10 MB and then goes on with its work."""

from sealpy.sdk import HookPoint, PluginContext

PluginType = "BROKEN"


class Plugin:
    def run(self, context: PluginContext, phase: HookPoint) -> None:
        del phase
        for number in range(100_000):
            print(f"{number:06d}", "x" * 92)  # noqa: T201 - plugins print
        context.run(context.leader, ["true"])
