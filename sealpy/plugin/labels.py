"""Which hosts carry a label as nodes; only the API server knows."""

from __future__ import annotations

from sealpy.engine import Executor
from sealpy.errors import HostError
from sealpy.plugin.operation import Operation
from sealpy.sdk import Ask, HookPoint, Result, Steps
from sealpy.sdk.nodes import KUBECTL

__all__ = ["labelled"]

_ADDRESSES = '-o=jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}'
_LEAVING = frozenset({HookPoint.PRE_CLEAN, HookPoint.PRE_CLEAN_HOST})


def labelled(executor: Executor, operation: Operation, point: HookPoint, label: str) -> tuple[tuple[str, ...], str]:
    """Ask the leader for the nodes with a label; gives those of the operation, and if there are none, why.

    A cluster that is being removed may be unable to answer, and one that is only rehearsed need not exist: then nobody
    is selected. Otherwise no answer is an error.
    """
    ask = Ask(f"which nodes have the label {label}?", *KUBECTL, "get", "nodes", "-l", label, _ADDRESSES)

    def steps(_: str) -> Steps:
        return (yield ask)

    outcomes = executor.fan_out(f"{point}", (operation.leader,), steps)
    for error in outcomes.errors.values():
        raise error
    result = outcomes.values[operation.leader]
    if not isinstance(result, Result):
        raise TypeError("an Ask gives a Result")
    if not result.ok:
        reason = f"the API server was asked which nodes have the label '{label}': {result.reason}"
        if executor.rehearsal or point in _LEAVING:
            return (), reason
        raise HostError(operation.leader, reason, hint=f"try on the leader: {' '.join((*KUBECTL, 'get', 'nodes'))}")
    hosts = tuple(address for address in operation.hosts if address in result.text.split())
    return hosts, "" if hosts else f"no host of this operation is a node with the label '{label}'"
