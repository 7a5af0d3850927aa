"""The task list, as a phase: `sealpy_tasks.py HOSTS KEY PORT KNOWN_HOSTS`, hosts by commas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from sealpy.connectors import Connector
from sealpy.connectors.reach import Ways
from sealpy.connectors.target import Target
from sealpy.engine import Connections, Executor, Journal, Phase, run_phases
from sealpy.sdk import Ask, Put, Run, Steps

HOSTS, KEY, PORT, KNOWN = sys.argv[1:]


class Tasks(Phase[None]):
    """Do the tasks."""

    at_once = 16

    def hosts(self, ctx: None) -> Sequence[str]:
        """Concern all."""
        del ctx
        return HOSTS.split(",")

    def steps(self, ctx: None, host: str) -> Steps:
        """Do them in order."""
        del ctx, host
        yield Run("make a directory", "mkdir", "-p", "/var/lib/sealpy/tasks")
        for number in range(3):
            yield Put(f"write file {number}", f"/var/lib/sealpy/tasks/{number}", f"content {number}\n".encode() * 50)
        for number in range(3):
            yield Run(f"command {number}", "sh", "-c", f"uname -r > /var/lib/sealpy/tasks/command-{number}")
        answer = yield Ask("is there", "test", "-f", "/var/lib/sealpy/tasks/command-2")
        assert answer.ok


def main() -> None:
    """Run the phase on every host."""

    ways = Ways(known_hosts=Path(KNOWN), emit=lambda _: None)

    def open_(address: str) -> Connector:
        return ways.to(Target(address=address, port=int(PORT), private_key=Path(KEY)))

    connections = Connections(open_)
    executor = Executor(connections, emit=lambda _: None, journal=Journal(None, run="tasks", action="tasks"))
    run_phases([Tasks()], None, executor)
    connections.close()


if __name__ == "__main__":
    main()
