"""LABEL: give nodes labels."""

import re
from collections.abc import Iterator

from sealpy.sdk import HookPoint, On, PluginContext, Run, Steps
from sealpy.sdk.data import address_of, is_address, line_problems, numbered_lines
from sealpy.sdk.nodes import KUBECTL, ask_nodes, node_of

PluginType = "LABEL"

_FORM = "IP key=value,key=value"
_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_NAME}")
_VALUE = re.compile(rf"({_NAME})?")


class Plugin:
    """Give nodes labels; data holds one `IP key=value,key=value` a line."""

    phases = (
        HookPoint.PRE_GUEST,
        HookPoint.POST_INSTALL,
        HookPoint.POST_INSTALL_CLUSTER,
        HookPoint.POST_SCALEUP,
        HookPoint.POST_JOIN,
    )
    default = (HookPoint.PRE_GUEST,)

    def run(self, context: PluginContext, phase: HookPoint) -> Steps:
        """Ask once for the nodes and their labels, then set what differs, node by node."""
        wanted = _wanted(context, phase)
        nodes = (yield from ask_nodes(context)) if wanted else {}
        for address, labels in wanted.items():
            node = node_of(nodes, address)
            missing = [f"{key}={value}" for key, value in labels.items() if node.labels.get(key) != value]
            if missing:
                title = f"label node {node.name} {' '.join(missing)}"
                command = (*KUBECTL, "label", "node", node.name, *missing, "--overwrite")
                yield On(context.leader, Run(title, *command, timeout=60.0))

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data."""
        yield from line_problems(data, _problem, form=_FORM)


def _wanted(context: PluginContext, phase: HookPoint) -> dict[str, dict[str, str]]:
    """Give the labels of each host that this call is about; at a hook point of the leader that is every host."""
    concerned = {host.address for host in context.hosts}
    if phase.on_leader:
        concerned |= {*context.masters, *context.workers}
    wanted: dict[str, dict[str, str]] = {}
    for _, (host, labels) in numbered_lines(context.data):
        address = address_of(host)
        if address in concerned:
            pairs = (label.partition("=") for label in labels.split(","))
            wanted.setdefault(address, {}).update((key, value) for key, _, value in pairs)
    return wanted


def _problem(words: list[str]) -> str:
    match words:
        case [address, labels]:
            if not is_address(address):
                return f"'{address}' is no IP address"
            bad = [label for label in labels.split(",") if not _is_label(label)]
            return f"'{bad[0]}' is no label 'key=value'" if bad else ""
        case _:
            return f"'{' '.join(words)}' is not '{_FORM}'"


def _is_label(text: str) -> bool:
    key, sign, value = text.partition("=")
    return bool(sign and _KEY.fullmatch(key) and _VALUE.fullmatch(value))
