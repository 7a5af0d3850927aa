"""Where the code of a plugin type is, and in which form."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

__all__ = ["Artefact", "BuiltIn", "Code", "Installed", "Program", "SourceFile", "ZipApp"]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """Name a module of ours; its code runs in this process."""

    module: str

    def __str__(self) -> str:
        return "built in"


@dataclass(frozen=True, slots=True)
class Installed:
    """Name what another distribution registered; its code runs in a process of its own."""

    module: str
    attribute: str
    distribution: str

    def __str__(self) -> str:
        return f"{self.distribution} ({self.module}:{self.attribute})"


@dataclass(frozen=True, slots=True)
class _File:
    """Hold a file that is run in a process of its own."""

    path: str
    content: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """Give the file's name without its directory."""
        return PurePosixPath(self.path).name

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class SourceFile(_File):
    """Hold a Python file."""


@dataclass(frozen=True, slots=True)
class ZipApp(_File):
    """Hold Python code in a zip archive; its `__main__.py` has the two names of a plugin."""


@dataclass(frozen=True, slots=True)
class Program(_File):
    """Hold an executable of any language that speaks the protocol of `sealpy.sdk.child` on descriptors 3 and 4."""


Artefact = SourceFile | ZipApp | Program
Code = BuiltIn | Installed | Artefact
