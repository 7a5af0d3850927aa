"""Log in to every host."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError, NotBegunError, SealpyError
from sealpy.sdk import Ask, Result, Steps

__all__ = ["LOCK", "Connect"]

LOCK = "/run/sealpy/{}.lock"  # of a cluster, on each of its hosts
_BUSY = 75  # EX_TEMPFAIL
_WAIT = 900.0  # seconds for what a run that was cut had begun

# $1 the lock of the cluster, $2 who asks for it, $3 how long to wait for what a run that was cut had begun. A process
# holds the lock as long as the connection lives, and the shell on it, which outlives a connection until its last
# command has ended. So a run that is killed frees the lock by itself, but not before the host is quiet. The connection
# is the first process above us that is neither a shell nor sudo: its sshd, or sealpy on the machine where it runs. A
# machine that one run reaches by two addresses is locked once: that they are one is for the checks to tell.
_LOG_IN = r"""id -u
command -v flock >/dev/null 2>&1 || exit 0
umask 077
[ -d "${1%/*}" ] || mkdir -p "${1%/*}" && exec 9<>"$1" || exit 0
holder() { { read -r who; read -r connection; } < "$1"; }
flock -n 9 || { holder "$1"; [ "$who" = "$2" ] && exit 0; flock -w 2 9; } || {
  holder "$1"
  [ "$who" = "$2" ] && exit 0
  if kill -0 "$connection" 2>/dev/null || ! flock -w "$3" 9; then echo "$who" >&2; exit 75; fi
}
connection=$PPID
while read -r name < "/proc/$connection/comm"; do
  case $name in sh|dash|bash|ash|busybox|sudo) ;; *) break;; esac
  shell=$connection
  read -r stat < "/proc/$connection/stat"
  stat=${stat##*) ? }  # what follows name and state begins with the parent
  connection=${stat%% *}
done
printf '%s\n' "$2" "$connection" > "$1"
wait_for() { tail -s 0.5 --pid="$1" -f /dev/null || while kill -0 "$1"; do sleep 0.5; done; }
(wait_for "$connection"; wait_for "${shell:-$connection}") </dev/null >/dev/null 2>&1 &
"""


class Connect(Phase[Context]):
    """Connect to the hosts.

    A run that changes things also takes the lock of the cluster on each host, in the same round trip: two operators on
    two machines do not change one cluster at once, and nothing is begun where a run that was cut has not ended yet.
    """

    def __init__(self, *, only: Sequence[str] | None = None) -> None:
        """Take the hosts, when it is not all of them."""
        self._only = only
        self._who = _myself()  # once: by it a machine that has two addresses knows the run that it serves already

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host, unless some are named."""
        return ctx.inventory.addresses if self._only is None else self._only

    def steps(self, ctx: Context, host: str) -> Steps:
        """See that commands run there, as root."""
        lock = ("sh", "-c", _LOG_IN, "sh", LOCK.format(ctx.name), self._who, f"{_WAIT:.0f}")
        command = ("id", "-u") if ctx.rehearsal else lock
        answer: Result = yield Ask("log in", *command, timeout=_WAIT + 30)
        if answer.exit_status == _BUSY:
            raise HostError(
                host,
                f"another run is busy with cluster '{ctx.name}': {answer.reason}",
                hint="wait for it; its lock goes when it ends",
            )
        if answer.text != "0":
            raise HostError(
                host, f"commands run as user {answer.text or '?'}, not as root", hint="log in as root or allow sudo"
            )

    def failed(self, errors: Mapping[str, SealpyError]) -> SealpyError:
        """Say that nothing was changed."""
        return NotBegunError(self.title, errors, hint="nothing was changed on any host; mend this and run it again")


def _myself() -> str:
    """Say who runs this, for whoever finds the lock held."""
    return f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}, since {time.strftime('%H:%M:%S')}"
