"""What the things of a lab are called, so that they can be found again by name alone."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sealpy.errors import ConfigError

__all__ = ["Names"]

_LAB = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
_SHORT = 8  # a link's name has at most 15 characters: three of ours, eight, a dash, three digits


@dataclass(frozen=True, slots=True)
class Names:
    """Name everything of one lab; raises ConfigError when `lab` is no name for one."""

    lab: str

    def __post_init__(self) -> None:
        if not _LAB.fullmatch(self.lab) or self.lab.startswith("base-"):
            raise ConfigError(
                f"lab '{self.lab}': not a name for a lab",
                hint="take at most 40 lower-case letters, digits and dashes; begin with a letter, but not with 'base-'",
            )

    def machine(self, index: int) -> str:
        """Name a machine, counted from 1; this is its host name."""
        return f"{self.lab}-{index}"

    def index(self, machine: str) -> int | None:
        """Give the index of a machine of this lab by its name; None when it is none."""
        match = re.fullmatch(rf"{re.escape(self.lab)}-([1-9]\d{{0,2}})", machine)
        return int(match[1]) if match else None

    def unit(self, machine: str) -> str:
        """Name the control groups of a machine, and the machine as systemd-nspawn sees it."""
        return f"sealpy-{machine}"

    def machine_of_unit(self, unit: str) -> str | None:
        """Give the machine of this lab whose unit has this name; None when it is none."""
        machine = unit.removeprefix("sealpy-")
        return machine if machine != unit and self.index(machine) else None

    @property
    def bridge(self) -> str:
        """Name the bridge that the machines are plugged into."""
        return f"sb-{self._token}"

    def link(self, machine: str) -> str:
        """Name the end of a machine's cable that is plugged into the bridge."""
        return f"sv-{self._token}-{self.index(machine)}"

    def machine_of_link(self, link: str) -> str | None:
        """Give the machine of this lab whose link has this name; None when it is none."""
        match = re.fullmatch(rf"sv-{re.escape(self._token)}-([1-9]\d{{0,2}})", link)
        return self.machine(int(match[1])) if match else None

    @property
    def table(self) -> str:
        """Name the nftables table that keeps the lab to itself."""
        return f"sealpy-{self.lab}"

    @property
    def _token(self) -> str:
        return self.lab if len(self.lab) <= _SHORT else hashlib.sha256(self.lab.encode()).hexdigest()[:_SHORT]
