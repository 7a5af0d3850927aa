"""HOSTNAME: give hosts their names before they become nodes."""

import re
from collections.abc import Iterator, Mapping

from sealpy.sdk import Ask, HookPoint, PluginContext, PluginHost, Run, Steps
from sealpy.sdk.data import address_of, is_address, line_problems, numbered_lines

PluginType = "HOSTNAME"

_FORM = "IP name"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST = 64  # bytes of a Linux host name
_NOW = "uname -n; cat /etc/hostname 2>/dev/null"
# hostnamectl tells systemd at once, but needs its bus; the other way works everywhere.
_SET = """hostnamectl set-hostname "$1" 2>/dev/null && [ "$(uname -n)" = "$1" ] && exit 0
printf '%s\\n' "$1" > /etc/hostname && hostname "$1" """


class Plugin:
    """Give hosts their names; data holds one `IP name` a line."""

    phases = (HookPoint.PRE_INIT, HookPoint.PRE_JOIN, HookPoint.PRE_INIT_HOST)
    default = (HookPoint.PRE_INIT, HookPoint.PRE_JOIN)

    def steps(self, context: PluginContext, host: PluginHost) -> Steps:
        """Set the name of this host, unless it has it already or data does not speak of it."""
        name = _names(context.data).get(host.address)
        if name is None:
            return
        now = yield Ask("which name has the host?", "sh", "-c", _NOW)
        if now.lines != (name, name):
            yield Run(f"call the host {name}", "sh", "-c", _SET, "sh", name)

    @staticmethod
    def check(data: str) -> Iterator[str]:
        """Say what is wrong with the data."""
        addresses: set[str] = set()
        names: set[str] = set()

        def problem(words: list[str]) -> str:
            return _problem(words) or _repeated(words, addresses, names)

        yield from line_problems(data, problem, form=_FORM)


def _problem(words: list[str]) -> str:
    match words:
        case [address, name]:
            if not is_address(address):
                return f"'{address}' is no IP address"
            if not _NAME.fullmatch(name) or len(name) > _LONGEST:
                return f"'{name}' is no host name: lower-case letters, digits, '-' and '.'"
            return ""
        case _:
            return f"'{' '.join(words)}' is not '{_FORM}'"


def _repeated(words: list[str], addresses: set[str], names: set[str]) -> str:
    """Say whether a line names a host, or by a name, that one before has; one in order counts for those behind it."""
    address, name = words
    if address_of(address) in addresses:
        return f"host '{address}' has a name already"
    if name in names:
        return f"name '{name}' is given to two hosts"
    addresses.add(address_of(address))
    names.add(name)
    return ""


def _names(data: str) -> Mapping[str, str]:
    return {address_of(words[0]): words[1] for _, words in numbered_lines(data)}
