"""Find out before anything is changed whether every host reaches every port that Kubernetes needs of another.

On each host something listens for the ports that nobody holds yet, every host knocks at those of the others, and what
listens is ended; should we be gone by then, it ends by itself. UDP, which networks of pods may use, gives no answer
that could be waited for, and is not tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sealpy.checks import Found, Needs
from sealpy.context import Context
from sealpy.engine import Executor, Phase, telling
from sealpy.errors import SealpyError
from sealpy.events import PhaseSkipped
from sealpy.inventory import Facts, Inventory
from sealpy.phases.preflight import needs_of, refuse
from sealpy.sdk import Ask, Result, Steps

__all__ = ["WAYS", "WHY_WAYS", "CheckWays", "find_blocked", "ways_between"]

WAYS = "ways"  # the id of this check
WHY_WAYS = "control planes, kubelets and the registry are called there by other hosts"
_API, _KUBELET = 6443, 10250
_KNOCK = 3  # seconds that an answer may take
_LISTEN = 60  # seconds after which what listens ends by itself
_AT_ONCE = 32

# $@ address:port of this host, the address as others call it. Prints what is to be ended, and on how many something
# listens. systemd's own program does: it takes connections without a word, and hands them to a `sleep` at the first.
_OPEN = f"""
command -v systemd-socket-activate >/dev/null || exit 0
for place; do set -- "$@" -l "$place"; shift; done
setsid timeout {_LISTEN} systemd-socket-activate "$@" sleep {_LISTEN} </dev/null >/dev/null 2>&1 &
pid=$!; wanted=$(($# / 2)); i=0
while [ $i -lt 40 ]; do
  up=0
  for word; do
    [ "$word" = -l ] && continue
    port=$(printf %04X "${{word##*:}}")
    grep -q ":$port [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null && up=$((up+1))
  done
  [ $up -ge $wanted ] && break
  kill -0 $pid 2>/dev/null || break
  sleep 0.05; i=$((i+1))
done
echo "$pid $up"
"""
# $1 what `_OPEN` printed first.
_CLOSE = 'kill "$1" 2>/dev/null; true'
# $@ address and port, in turn. Prints `address port reason` for each that does not answer, asked twice: the first time
# a busy machine may be slow.
_CONNECT = f"""
knock() {{ said=$(timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1); }}
tell() {{
  knock "$1" "$2" {_KNOCK} || knock "$1" "$2" {_KNOCK}; case $?,$said in
    0,*) ;;
    124,*) echo "$1 $2 no answer";;
    *refused*) echo "$1 $2 connection refused";;
    *) echo "$1 $2 ${{said##*: }}";;
  esac
}}
while [ $# -gt 1 ]; do tell "$1" "$2" & shift 2; done
wait
"""

Ways = Mapping[str, Sequence[tuple[str, int]]]  # from a host: the others' addresses and ports


class CheckWays(Phase[Context]):
    """Check that the hosts reach each other."""

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Knock at every port that a new host needs or offers; raises PreflightError."""
        ways = ways_between(ctx.inventory, ctx.facts, needs_of(ctx))
        reason = _needless(ctx, ways)
        if reason:
            executor.emit(PhaseSkipped(phase=self.name, title=self.title, reason=reason))
            return
        with telling(executor, self.name, self.title, ways) as told:
            found = find_blocked(self.name, executor, ways, ctx.facts)
            told.failed += [(one.host, one.problem.message) for _, one in found]
        executor.check_interrupted()
        refuse(((_culprit(ctx, one.host, target), one) for target, one in found), executor)


def _culprit(ctx: Context, host: str, target: str) -> str:
    """Lay a way that is closed to the one of both ends that a cluster can do without."""
    return target if host in ctx.inventory.masters else host


def _needless(ctx: Context, ways: Ways) -> str:
    if WAYS in ctx.skip:
        return f"left out by --skip {WAYS}"
    if ctx.rehearsal:
        return "a rehearsal opens no ports"
    return "" if ways else "no new host among others"


def ways_between(inventory: Inventory, facts: Mapping[str, Facts], needs: Needs) -> Ways:
    """Give, for each host, the ports of others that it will need; pairs of hosts that are both nodes are left out."""
    new = {address for address in inventory.addresses if "node" not in facts[address].marks}
    ways: dict[str, list[tuple[str, int]]] = {}
    for source in inventory:
        for target in inventory:
            pair = (source.address, target.address)
            if source is target or not new & set(pair):
                continue
            wanted: list[int] = []
            if target.is_master:
                wanted += [_API, *(needs.etcd if source.is_master else ())]
            if source.is_master:
                wanted.append(_KUBELET)
            if target.address in needs.registry_hosts:
                wanted.append(needs.registry_port)
            if wanted:
                ways.setdefault(source.address, []).extend((target.address, one) for one in wanted)
    return ways


def find_blocked(
    phase: str, executor: Executor, ways: Ways, facts: Mapping[str, Facts]
) -> tuple[tuple[str, Found], ...]:
    """Listen, knock, and end what listens, on all hosts at once; gives the ways that are closed, each by its target."""
    wanted = {target for targets in ways.values() for target in targets}
    idle = {
        address: sorted(port for host, port in wanted if host == address and port not in facts[address].ports)
        for address in dict.fromkeys(address for address, _ in sorted(wanted))
    }
    idle = {address: ports for address, ports in idle.items() if ports}
    opened = executor.fan_out(phase, tuple(idle), lambda host: _open(host, idle[host]), at_once=_AT_ONCE)
    try:
        knocked = executor.fan_out(phase, tuple(ways), lambda host: _knock(ways[host]), at_once=_AT_ONCE)
    finally:
        pids = {host: value[0] for host, value in opened.values.items() if isinstance(value, tuple) and value[0]}
        executor.fan_out(phase, tuple(pids), lambda host: _close(pids[host]), at_once=_AT_ONCE)
    _raise_first(opened.errors, knocked.errors)
    heard = {host for host, value in opened.values.items() if isinstance(value, tuple) and value[1]}
    found = partial(_found, heard=heard, facts=facts)
    return tuple(one for host, said in knocked.values.items() for one in found(host, str(said)))


def _raise_first(*errors: Mapping[str, SealpyError]) -> None:
    for error in (error for some in errors for error in some.values()):
        raise error


def _found(host: str, said: str, *, heard: set[str], facts: Mapping[str, Facts]) -> Sequence[tuple[str, Found]]:
    """Read what a host was answered. Where nobody could be made to listen, a refusal has come through all the same."""
    blocked: dict[tuple[str, str], list[str]] = {}
    for line in said.splitlines():
        target, port, reason = line.split(" ", 2)
        if reason == "connection refused" and target not in heard and int(port) not in facts[target].ports:
            continue
        blocked.setdefault((target, reason.lower()), []).append(port)
    return [(target, _closed(host, target, ", ".join(ports), reason)) for (target, reason), ports in blocked.items()]


def _closed(host: str, target: str, ports: str, reason: str) -> Found:
    return Found(
        host=host,
        check=WAYS,
        severity="error",
        message=f"does not reach {target} at port {ports}: {reason}",
        reason=WHY_WAYS,
        fix=f"let TCP from {host} to {target} through every firewall between, and on it: port {ports}",
    )


def _open(address: str, ports: Sequence[int]) -> Steps:
    places = (f"[{address}]:{port}" if ":" in address else f"{address}:{port}" for port in ports)
    answer: Result = yield Ask("listen for the others", "sh", "-c", _OPEN, "sh", *places)
    pid, _, up = answer.text.partition(" ")
    return pid, up == str(len(ports))


def _knock(targets: Sequence[tuple[str, int]]) -> Steps:
    words = (word for address, port in targets for word in (address, str(port)))
    answer: Result = yield Ask("knock at the others", "sh", "-c", _CONNECT, "sh", *words)
    return answer.text


def _close(pid: str) -> Steps:
    yield Ask("end what listens", "sh", "-c", _CLOSE, "sh", pid)
