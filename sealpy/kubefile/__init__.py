"""Kubefile text → instructions (parse, instructions).

One grammar for the Kubefiles of all generations. `parse` cuts the text into nodes, `grammar` makes instructions of
them with the help of `reader` (lists, pairs, flags), `words` knows quotes and variables, `rules` looks at the file as
a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sealpy.errors import KubefileError, Place
from sealpy.kubefile.instructions import (
    Add,
    App,
    AppCmds,
    AppEnv,
    Arg,
    Cmd,
    Cmds,
    Cni,
    Copy,
    Csi,
    Document,
    Env,
    From,
    Instruction,
    Kubefile,
    KubeVersion,
    Label,
    Launch,
    Maintainer,
    Network,
    Run,
)
from sealpy.kubefile.read import Draft, draft, read
from sealpy.kubefile.words import PROXIES

__all__ = [
    "PROXIES",
    "Add",
    "App",
    "AppCmds",
    "AppEnv",
    "Arg",
    "Cmd",
    "Cmds",
    "Cni",
    "Copy",
    "Csi",
    "Document",
    "Draft",
    "Env",
    "From",
    "Instruction",
    "KubeVersion",
    "Kubefile",
    "Label",
    "Launch",
    "Maintainer",
    "Network",
    "Run",
    "load",
    "load_draft",
    "loads",
]

_NO_ARGUMENTS: Mapping[str, str] = MappingProxyType({})


def load(path: Path, *, build_args: Mapping[str, str] = _NO_ARGUMENTS, arch: str = "amd64") -> Kubefile:
    """Read a Kubefile, with arguments and variables put in; raises one KubefileError that holds every problem.

    `arch` is what `$ARCH` stands for. In the words of instructions every variable must be known; in commands declared
    arguments are put in, and all else is left to the shell that will run them.
    """
    return loads(_text(path), name=str(path), build_args=build_args, arch=arch)


def load_draft(path: Path, *, build_args: Mapping[str, str] = _NO_ARGUMENTS, arch: str = "amd64") -> Draft:
    """Read a Kubefile as `load` does, as far as that goes; raises KubefileError for a file that cannot be read."""
    return draft(_text(path), name=str(path), build_args=build_args, arch=arch)


def loads(
    text: str, *, name: str = "Kubefile", build_args: Mapping[str, str] = _NO_ARGUMENTS, arch: str = "amd64"
) -> Kubefile:
    """Read the text of a Kubefile, as `load` does; `name` is what messages call the file."""
    return read(text, name=name, build_args=build_args, arch=arch)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise KubefileError("the file is no text", place=Place(path), hint="save it as UTF-8") from error
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise KubefileError(f"'{path}': {reason}", hint="name the Kubefile: -f Kubefile") from error
