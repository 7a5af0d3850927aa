"""How fast a connector is: the figures that budgets and benchmarks are about."""

from __future__ import annotations

import statistics
import time

from sealpy.connectors import Connector

__all__ = ["megabytes_per_second", "milliseconds_per_command"]

_PIECE = 64 * 1024


def milliseconds_per_command(connector: Connector, *, count: int = 200) -> float:
    """Measure the median time of a command that does nothing."""
    connector.run(("true",))  # connects
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        connector.run(("true",))
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def megabytes_per_second(connector: Connector, *, size: int = 600_000_000) -> float:
    """Measure one stream of `size` zero bytes into a command that drops them, in 10⁶ bytes per second."""
    connector.run(("true",))
    piece = bytes(_PIECE)
    whole, rest = divmod(size, _PIECE)
    begun = time.perf_counter()
    connector.stream(("sh", "-c", "cat >/dev/null"), (piece[: _PIECE if n < whole else rest] for n in range(whole + 1)))
    return size / (time.perf_counter() - begun) / 1e6
