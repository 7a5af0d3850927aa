"""TAINT: keep pods off nodes, or let them on again."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sealpy.sdk import HookPoint, On, PluginContext, Run, Steps
from sealpy.sdk.data import covers, hosts_problem, line_problems, nearest_word, numbered_lines
from sealpy.sdk.nodes import KUBECTL, Node, Taint, ask_nodes, node_of

PluginType = "TAINT"

_FORM = "IPs key=value:Effect"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PAIR = re.compile(rf"(?P<key>([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME})(=(?P<value>({_NAME})?))?")


@dataclass(frozen=True, slots=True)
class _Order:
    """Be one line of the data: to whom, and what is put on or taken off; an empty effect means all of them."""

    hosts: str
    taint: Taint
    removes: bool


class Plugin:
    """Taint nodes; data holds one `IPs key=value:Effect` a line, with a `-` at its end to take it away.

    IPs are one, `a,b` or `a-b`; `key:Effect` has no value; `key-` takes away every effect of that key. Of two lines
    about the same key and effect the later one counts.
    """

    phases = (
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_INSTALL_CLUSTER,
        HookPoint.POST_SCALEUP,
        HookPoint.POST_JOIN,
    )
    default = (HookPoint.PRE_GUEST,)

    def run(self, context: PluginContext, phase: HookPoint) -> Steps:
        """Ask once for the nodes and their taints, then change what differs, by one command a node."""
        orders = [_order(words) for _, words in numbered_lines(context.data)]
        concerned = [host.address for host in context.hosts]
        if phase.on_leader:
            concerned = [*context.masters, *context.workers]
        named = [address for address in concerned if any(covers(order.hosts, address) for order in orders)]
        nodes = (yield from ask_nodes(context)) if named else {}
        for address in named:
            node = node_of(nodes, address)
            changes = _changes(node, (order for order in orders if covers(order.hosts, address)))
            if changes:
                title = f"taint node {node.name} {' '.join(changes)}"
                command = (*KUBECTL, "taint", "node", node.name, *changes, "--overwrite")
                yield On(context.leader, Run(title, *command, timeout=60.0))

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data."""
        yield from line_problems(data, _problem, form=_FORM)


def _changes(node: Node, orders: Iterable[_Order]) -> list[str]:
    """Give the words for kubectl that make a node's taints what the lines ask for; none when they are so."""
    now = {(taint.key, taint.effect): taint for taint in node.taints}
    wanted = dict(now)
    for order in orders:
        key, effect = order.taint.key, order.taint.effect
        if order.removes:
            for found in [found for found in wanted if found[0] == key and effect in {"", found[1]}]:
                del wanted[found]
        else:
            wanted[key, effect] = order.taint
    added = [str(taint) for identity, taint in wanted.items() if now.get(identity) != taint]
    return added + [f"{key}:{effect}-" for key, effect in now if (key, effect) not in wanted]


def _order(words: list[str]) -> _Order:
    """Read a line that is in order."""
    hosts, text = words
    pair, _, effect = text.removesuffix("-").partition(":")
    key, _, value = pair.partition("=")
    return _Order(hosts, Taint(key, value, effect), removes=text.endswith("-"))


def _problem(words: list[str]) -> str:
    match words:
        case [hosts, text]:
            return hosts_problem(hosts) or _taint_problem(text)
        case _:
            return f"'{' '.join(words)}' is not '{_FORM}'"


def _taint_problem(text: str) -> str:
    pair, colon, effect = text.removesuffix("-").partition(":")
    if not _PAIR.fullmatch(pair):
        return f"'{text}' is no taint 'key=value:Effect'"
    if effect in _EFFECTS or (not colon and text.endswith("-")):
        return ""
    if not effect:
        return f"'{text}' has no effect: write :{' or :'.join(_EFFECTS)}"
    return f"effect '{effect}' is none of {', '.join(_EFFECTS)}{nearest_word(effect, _EFFECTS)}"
