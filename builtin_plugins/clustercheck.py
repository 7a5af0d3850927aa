"""CLUSTERCHECK: let the run go on only when the cluster is healthy."""

import time
from collections.abc import Generator, Iterator

from sealpy.sdk import Ask, HookPoint, On, PluginContext, PluginFailure, Result, Step, Steps
from sealpy.sdk.data import address_of
from sealpy.sdk.nodes import KUBECTL

PluginType = "CLUSTERCHECK"

_PATIENCE = 900.0  # seconds, as the ancestor has it, for a document that says nothing
_PAUSE = 3.0
_ASK = (*KUBECTL, "--request-timeout=20s")
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")
_NODES = (
    '-o=go-template={{range .items}}{{.metadata.name}}{{"\\t"}}{{range .status.addresses}}{{.address}} {{end}}'
    '{{range .status.conditions}}{{"\\t"}}{{.type}}|{{.status}}|{{.reason}}{{end}}{{"\\n"}}{{end}}'
)
_PODS = (
    '-o=go-template={{range .items}}{{.metadata.name}}{{"\\t"}}{{.status.phase}}{{"\\t"}}{{.status.reason}}'
    '{{"\\t"}}{{range .status.conditions}}{{if eq .type "PodScheduled"}}{{with .reason}}{{.}}{{end}}{{end}}{{end}}'
    '{{range .status.containerStatuses}}{{"\\t"}}{{.name}}|{{.ready}}|'
    '{{with .state.waiting}}{{.reason}}{{end}}{{with .state.terminated}}{{.reason}}{{end}}{{end}}{{"\\n"}}{{end}}'
)
# Here the hosts of the operation are nodes already.
_JOINED = frozenset(
    {
        HookPoint.POST_INSTALL_CLUSTER,
        HookPoint.POST_SCALEUP,
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_JOIN,
    }
)
Looking = Generator[Step, Result, list[str]]


class Plugin:
    """Wait until the cluster is healthy, and refuse to go on when it does not become so.

    Healthy is: the API server says it is ready, every node is ready and under no pressure, the hosts of the operation
    are nodes, and every pod of kube-system is ready or has done its work. It waits 15 minutes, or the `timeout` of the
    document.
    """

    phases = (
        HookPoint.PRE_SCALEUP,
        HookPoint.PRE_JOIN,
        HookPoint.POST_INSTALL_CLUSTER,
        HookPoint.POST_SCALEUP,
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_JOIN,
        HookPoint.UPGRADE,
    )
    default = (HookPoint.PRE_GUEST,)

    def run(self, context: PluginContext, phase: HookPoint) -> Steps:
        """Look again and again, and tell what is missing whenever that changes."""
        patience = (context.timeout or _PATIENCE) * 0.95  # so that what was seen is told before the time is up
        begun = time.monotonic()
        told: list[str] = []
        for _ in range(int(patience / _PAUSE) + 1):
            seen = yield from _look(context, phase)
            if not seen or context.rehearsal:
                return
            if seen != told:
                context.tell(f"not yet healthy: {'; '.join(seen)}")
                told = seen
            if time.monotonic() - begun + _PAUSE > patience:
                break
            yield On(context.leader, Ask("give it a moment", "sleep", f"{_PAUSE:g}"))
        waited = time.monotonic() - begun
        raise PluginFailure("\n  ".join((f"the cluster is not healthy after {waited:.0f} s:", *told)))

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data."""
        if data.strip():
            yield "it takes no data"


def _look(context: PluginContext, phase: HookPoint) -> Looking:
    """Give what is not as it should be."""
    ready = yield On(context.leader, Ask("is the API server ready?", *_ASK, "get", "--raw", "/readyz?verbose"))
    if not ready.ok:
        failing = [line for line in ready.text.splitlines() if line.startswith("[-]")]
        return [f"API server: {line}" for line in failing] or [f"the API server does not answer: {ready.reason}"]
    expected = [host.address for host in context.hosts] if phase in _JOINED else []
    nodes = yield On(context.leader, Ask("are the nodes ready?", *_ASK, "get", "nodes", _NODES))
    pods = yield On(context.leader, Ask("is the system ready?", *_ASK, "-n", "kube-system", "get", "pods", _PODS))
    for answer in (nodes, pods):
        if not answer.ok:
            return [f"the API server does not answer: {answer.reason}"]
    return [*_nodes(nodes, expected), *_pods(pods)]


def _nodes(answer: Result, expected: list[str]) -> Iterator[str]:
    there: set[str] = set()
    for line in answer.stdout.decode().splitlines():
        name, addresses, *conditions = line.split("\t")
        there.update(map(address_of, addresses.split()))
        by_type = {kind: (status, reason) for kind, status, reason in (text.split("|") for text in conditions)}
        status, reason = by_type.get("Ready", ("Unknown", "it has never reported"))
        if status != "True":
            yield f"node {name} is not ready: {reason}"
        yield from (f"node {name}: {kind}" for kind in _PRESSURES if by_type.get(kind, ("", ""))[0] == "True")
    yield from (f"host {address} is no node" for address in expected if address not in there)


def _pods(answer: Result) -> Iterator[str]:
    for line in answer.stdout.decode().splitlines():
        name, phase, reason, unscheduled, *containers = line.split("\t")
        if phase == "Succeeded" or (phase == "Failed" and reason == "Evicted"):  # its successor is looked at instead
            continue
        states = [container.split("|") for container in containers]
        waiting = [f"{container} {why or 'not ready'}" for container, is_ready, why in states if is_ready != "true"]
        if phase != "Running" or waiting:
            why = ", ".join(waiting) or unscheduled
            yield f"pod {name}: {phase}{f' ({why})' if why else ''}"
