"""One connection per host, opened when the first step needs it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from sealpy.connectors import Connector
from sealpy.connectors.interruption import Interruption
from sealpy.errors import SealpyError

__all__ = ["Connections"]


@dataclass(slots=True)
class _Line:
    lock: threading.Lock = field(default_factory=threading.Lock)
    connector: Connector | None = None


class Connections:
    """Hold the connections of a run; safe for use by many threads, one at a time per host.

    `interruption` is the run's: it is to be that of the connectors, so that one wish ends everything.
    """

    def __init__(self, open_: Callable[[str], Connector], interruption: Interruption | None = None) -> None:
        self.interruption = interruption or Interruption()
        self._open = open_
        self._lines: dict[str, _Line] = {}
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def use(self, address: str) -> Generator[Connector]:
        """Lend the connection to a host; opens it at the first use; raises ConnectError and kin."""
        with self._guard:
            line = self._lines.setdefault(address, _Line())
        with line.lock:
            if line.connector is None:
                line.connector = self._open(address)
            yield line.connector

    def round_trips(self) -> dict[str, int]:
        """Count the exchanges with each host so far."""
        return {address: line.connector.round_trips for address, line in self._lines.items() if line.connector}

    def close(self) -> None:
        """End every connection; one that cannot be ended any more is gone already."""
        with self._guard:
            lines, self._lines = self._lines, {}
        for line in lines.values():
            if line.connector is not None:
                with contextlib.suppress(SealpyError, OSError):
                    line.connector.close()
