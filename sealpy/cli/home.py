"""Where sealpy keeps its things on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealpy.image.store import Store

__all__ = ["home", "open_store"]


def home() -> Path:
    """Give the directory of all that sealpy keeps here: `$SEALPY_HOME`, or `~/.sealpy`."""
    return Path(os.environ.get("SEALPY_HOME") or Path.home() / ".sealpy")


def open_store() -> Store:
    """Open the local images; they need not be there yet."""
    from sealpy.image.store import Store

    return Store(home() / "images")
