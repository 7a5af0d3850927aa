"""Let CoreDNS live where no name server is."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError
from sealpy.sdk import Ask, Result, Run, Steps
from sealpy.sdk.nodes import KUBECTL

__all__ = ["AdaptDns", "without_forward"]

_KUBECTL = (*KUBECTL, "--namespace", "kube-system")


class AdaptDns(Phase[Context]):
    """Let CoreDNS do without a name server.

    kubeadm's CoreDNS hands what it does not know to the name servers of its host, and ends itself where there is none:
    the rule on an air-gapped site. There, and only there, it is told to hand nothing on.
    """

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern the leader, which changes the configuration for all."""
        return (ctx.inventory.leader,)

    def skip(self, ctx: Context) -> str:
        """Leave CoreDNS as it is where every host has a name server."""
        return "" if any(not facts.nameservers for facts in ctx.facts.values()) else "every host has a name server"

    def steps(self, ctx: Context, host: str) -> Steps:
        """Take `forward` out of the Corefile where it still stands."""
        answer: Result = yield Ask(
            "read the Corefile", *_KUBECTL, "get", "configmap", "coredns", "--output", "jsonpath={.data.Corefile}"
        )
        if not answer.ok and not ctx.rehearsal:
            raise HostError(host, f"the Corefile cannot be read: {answer.reason}", hint="run the same command again")
        wanted = without_forward(answer.text)
        if not answer.ok or wanted != answer.text:
            patch = json.dumps({"data": {"Corefile": wanted + "\n"}}).encode()
            words = (*_KUBECTL, "patch", "configmap", "coredns", "--type", "merge", "--patch-file", "/dev/stdin")
            yield Run("tell CoreDNS to hand nothing on", *words, stdin=patch)


def without_forward(corefile: str) -> str:
    """Give a Corefile without its `forward` directives, with or without a block."""
    kept: list[str] = []
    inside = False
    for line in corefile.splitlines():
        words = line.split()
        if not inside and words[:1] == ["forward"]:
            inside = words[-1] == "{"
        elif inside:
            inside = words != ["}"]
        else:
            kept.append(line)
    return "\n".join(kept)
