"""Move the pods off the nodes that leave, as far as disruption budgets allow."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError, KubeError, NotReadyError, PhaseError, SealpyError, counted
from sealpy.events import Warned
from sealpy.kube import Node, Pod
from sealpy.sdk import Call, Steps, Wait

__all__ = ["DrainNodes"]

_PAUSE = 0.5
_AGAIN = 3.0  # seconds until a pod that may not go yet is asked again


class DrainNodes(Phase[Context]):
    """Drain the nodes that leave."""

    at_once = 4

    despite: ClassVar[str] = "it leaves all the same"  # what becomes of a node whose pods do not go, when forced

    def __init__(self, *, timeout: float, force: bool) -> None:
        """Take how long pods may take to go, in seconds, and whether a node leaves with those that do not."""
        self._timeout = timeout
        self._force = force

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the hosts of the operation."""
        return ctx.operation

    def steps(self, ctx: Context, host: str) -> Steps:
        """Cordon the node, then evict its pods until none is left; a host that is no node any more needs nothing."""
        node = next((node for node in ctx.kube.open().nodes() if node.address == host), None)
        if node is None:
            return
        if not node.unschedulable:
            yield Call(f"cordon {node.name}", lambda: ctx.kube.open().cordon(node.name))
        stayed = yield from self._evict(ctx, node)
        if not stayed:
            return
        told = "; ".join(f"{pod}: {reason}" for pod, reason in stayed.items())
        message = f"{counted(len(stayed), 'pod')} of {node.name} did not go within {self._timeout:.0f} s: {told}"
        if not self._force:
            raise HostError(host, message)
        ctx.emit(Warned(message=f"{message}; {self.despite}", host=host))

    def pods(self, ctx: Context, node: Node) -> tuple[Pod, ...]:
        """Give the pods that have to go."""
        return ctx.kube.open().pods_to_move(node.name)

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say how to go on."""
        hint = "nothing was taken off these hosts; run it again when the pods may go, give --drain-timeout, or --force"
        return PhaseError(self.title, errors, hint=hint)

    def _evict(self, ctx: Context, node: Node) -> Steps:
        """Ask the pods to go, again and again; gives those that stayed to the end, and why."""
        deadline = time.monotonic() + self._timeout
        while pods := self.pods(ctx, node):
            title = f"evict {counted(len(pods), 'pod')} of {node.name}"
            answer = yield Call(title, functools.partial(_evict, ctx, pods), sample={})
            if answer.sample:
                return {}
            refused: dict[Pod, str] = answer.value if isinstance(answer.value, dict) else {}
            try:
                yield Wait(
                    f"pods of {node.name} have gone",
                    probe=_probe(ctx, node, set(pods) - set(refused), again=bool(refused)),
                    timeout=max(_AGAIN, deadline - time.monotonic()),
                    pause=_PAUSE,
                )
            except NotReadyError as error:
                return dict.fromkeys(_of(ctx, node, set(pods)), error.last_seen)
            if refused and time.monotonic() >= deadline:
                return refused
        return {}


def _evict(ctx: Context, pods: Sequence[Pod]) -> dict[Pod, str]:
    kube = ctx.kube.open()
    return {pod: reason for pod in pods if (reason := kube.evict(pod))}


def _of(ctx: Context, node: Node, pods: set[Pod]) -> list[Pod]:
    return [pod for pod in ctx.kube.open().pods_to_move(node.name) if pod in pods]


def _probe(ctx: Context, node: Node, pods: set[Pod], *, again: bool) -> Callable[[], str]:
    """Look for pods that are still there; when others are to be asked again, only for so long."""
    begun = time.monotonic()

    def look() -> str:
        if again and time.monotonic() - begun >= _AGAIN:
            return ""
        try:
            left = _of(ctx, node, pods)
        except KubeError as error:
            return error.message
        if left:
            return f"{', '.join(map(str, left))} is ending"
        return "a disruption budget does not allow it yet" if again else ""

    return look
