"""LIST_NODE: print the names of the cluster's nodes."""

from sealpy.sdk import HookPoint, PluginContext, PluginFailure

PluginType = "LIST_NODE"


class Plugin:
    """Print the names of the cluster's nodes."""

    timeout = 60

    def run(self, context: PluginContext, phase: HookPoint) -> None:
        """Ask the API server by kubectl on the leader, so that no credential leaves that host."""
        nodes = context.ask(
            context.leader,
            ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "get", "nodes", "-o", "name"],
            title="which nodes are there?",
        )
        if nodes.ok:
            print(nodes.text)
        elif not context.rehearsal:  # a rehearsal may come before the cluster
            raise PluginFailure(f"cluster nodes not found at {phase}: {nodes.reason}")
