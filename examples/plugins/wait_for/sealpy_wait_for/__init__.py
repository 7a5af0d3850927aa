"""WAIT_FOR: go on only when the applications that the document names are up."""

from sealpy.sdk import HookPoint, On, PluginContext, Steps, Wait
from sealpy.sdk.data import numbered_lines
from sealpy.sdk.nodes import KUBECTL

_PATIENCE = 300.0  # seconds, for a document that says nothing


class Plugin:
    """Wait for applications; data holds one `namespace kind/name` a line, such as `default deployment/web`."""

    phases = (HookPoint.PRE_GUEST, HookPoint.POST_INSTALL, HookPoint.POST_JOIN)

    def run(self, context: PluginContext, phase: HookPoint) -> Steps:
        """Ask for one after the other until it is up; what is not up in time ends the run, with the reason."""
        del phase
        for _, (namespace, name) in numbered_lines(context.data):
            command = (*KUBECTL, "-n", namespace, "rollout", "status", name, "--timeout=5s")
            yield On(
                context.leader,
                Wait(f"{name} of {namespace} is up", *command, timeout=context.timeout or _PATIENCE),
            )
