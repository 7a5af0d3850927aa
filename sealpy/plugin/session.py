"""One call of a plugin at a hook point: its code at hand, wherever that is."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import assert_never

from sealpy.plugin.child import Child
from sealpy.plugin.code import BuiltIn, Code, Installed, Program, SourceFile, ZipApp
from sealpy.plugin.conversation import child_steps
from sealpy.plugin.limits import Limits
from sealpy.sdk import PluginContext, Steps

__all__ = ["Session", "Surroundings", "open_session"]


@dataclass(frozen=True, slots=True)
class Session:
    """Hold a plugin that is ready: is it called for each host, or once, and how its work begins."""

    per_host: bool
    begin: Callable[[str], Steps]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Say where a plugin's process may print, what bounds it, and how it learns of a Ctrl-C."""

    limits: Limits
    show: Callable[[str], None]
    log: Callable[[str], None]
    check_interrupted: Callable[[], None]


@contextmanager
def open_session(code: Code, context: PluginContext, around: Surroundings) -> Iterator[Session]:
    """Make a plugin ready to work; out of tree its process lives as long as this context. Raises PluginError."""
    match code:
        case BuiltIn(module=module):
            yield _in_process(module, replace(context, tell=around.show))
        case Installed() | SourceFile() | ZipApp() | Program():
            with Child(
                code,
                limits=around.limits,
                show=around.show,
                log=around.log,
                check_interrupted=around.check_interrupted,
            ) as child:
                style = child.load(context)
                yield Session(style == "steps", lambda host: child_steps(child, host))
        case _:
            assert_never(code)


def _in_process(module: str, context: PluginContext) -> Session:
    plugin = importlib.import_module(module).Plugin()
    if hasattr(plugin, "steps"):
        return Session(per_host=True, begin=lambda host: plugin.steps(context, context.host(host)))

    return Session(per_host=False, begin=lambda _: plugin.run(context, context.hook))
