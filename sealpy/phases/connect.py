"""Log in to every host."""

from __future__ import annotations

import getpass
import os
import socket
import time
from collections.abc import Mapping, Sequence

from sealpy.context import Context
from sealpy.engine import Phase
from sealpy.errors import HostError, PhaseError, SealpyError
from sealpy.sdk import Ask, Result, Steps

__all__ = ["LOCK", "Connect"]

LOCK = "/run/sealpy/{}.lock"  # of a cluster, on its control planes
_BUSY = 75  # EX_TEMPFAIL

# $1 the lock of the cluster, $2 who asks for it. The lock is held by a process that ends with the connection: it looks
# for the first process above us that is neither a shell nor sudo, which is the sshd of this connection, or, on the
# machine where sealpy runs, sealpy. So a run that is killed frees it, and nobody has to clear it by hand.
_LOG_IN = r"""id -u
command -v flock >/dev/null 2>&1 || exit 0
umask 077
mkdir -p "${1%/*}" && exec 9<>"$1" || exit 0
flock -w 2 9 || { cat "$1" >&2; exit 75; }
printf '%s\n' "$2" > "$1"
pid=$PPID
while read -r name < "/proc/$pid/comm"; do
  case $name in sh|dash|bash|ash|busybox|sudo) pid=$(cut -d' ' -f4 "/proc/$pid/stat");; *) break;; esac
done
(while kill -0 "$pid" 2>/dev/null; do sleep 0.5; done) </dev/null >/dev/null 2>&1 &
"""


class Connect(Phase[Context]):
    """Connect to the hosts.

    On the control planes a run that changes things also takes the lock of the cluster, in the same round trip: two
    operators on two machines do not change one cluster at once.
    """

    def __init__(self, *, only: Sequence[str] | None = None) -> None:
        """Take the hosts, when it is not all of them."""
        self._only = only

    def hosts(self, ctx: Context) -> Sequence[str]:
        """Concern every host, unless some are named."""
        return ctx.inventory.addresses if self._only is None else self._only

    def steps(self, ctx: Context, host: str) -> Steps:
        """See that commands run there, as root."""
        command: tuple[str, ...] = ("id", "-u")
        if host in ctx.inventory.masters and self._only is None and not ctx.rehearsal:
            command = ("sh", "-c", _LOG_IN, "sh", LOCK.format(ctx.name), _myself())
        answer: Result = yield Ask("log in", *command)
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
        return PhaseError(self.title, errors, hint="nothing was changed on any host; mend this and run it again")


def _myself() -> str:
    """Say who runs this, for whoever finds the lock held."""
    return f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}, since {time.strftime('%H:%M:%S')}"
