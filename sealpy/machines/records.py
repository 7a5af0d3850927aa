"""What a lab writes down about itself: always before the thing is made, so that it can be removed at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sealpy.disk import write_whole
from sealpy.errors import MachineError

__all__ = ["LabRecord", "MachineRecord"]


@dataclass(frozen=True, slots=True)
class LabRecord:
    """Hold what all machines of a lab share: the network, such as `10.99.0.0/24`."""

    subnet: str

    def save(self, path: Path) -> None:
        """Write the record."""
        write_whole(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> LabRecord | None:
        """Read the record; None when there is none."""
        data = _read(path, "subnet")
        return None if data is None else cls(subnet=str(data["subnet"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRecord:
    """Hold what one machine is: `base` is the name of the root file system it builds on, `memory` is in bytes."""

    name: str
    address: str
    base: str
    cpus: float | None = None
    memory: int | None = None

    def save(self, path: Path) -> None:
        """Write the record."""
        write_whole(path, json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> MachineRecord | None:
        """Read the record; None when there is none."""
        data = _read(path, "name", "address", "base")
        if data is None:
            return None
        return cls(
            name=str(data["name"]),
            address=str(data["address"]),
            base=str(data["base"]),
            cpus=data.get("cpus"),
            memory=data.get("memory"),
        )


def _read(path: Path, *fields: str) -> Mapping[str, Any] | None:
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _damaged(path, f"not JSON: {error}") from error
    if not isinstance(data, dict) or not set(fields) <= data.keys():
        raise _damaged(path, f"not an object with {', '.join(map(repr, fields))}")
    return data


def _damaged(path: Path, reason: str) -> MachineError:
    return MachineError(f"{path}: {reason}", hint="type: sealpy lab down, then up again")
