"""the host side of plugins: find, check, bind, call.

`discover` finds the types: built in, installed, in an image's `plugin/` and `plugins/`, in directories of this machine.
`check` binds the documents of kind Plugin to them, or says all that is wrong, before any host is touched; `gather` does
so with everything that a run has, and `diagnose` tells what would come of it. `Hook` is a phase that fires what is
bound to one hook point, each by a `Firing`. A built-in runs in this process; everything else in a process of its own,
from which its steps come as data, so that foreign code is rehearsed, timed and ended like ours and never holds a
connection or a credential. That limits accidents; it is no sandbox against an author who means harm.
"""

from sealpy.plugin.bind import check
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.directory import read_directories
from sealpy.plugin.discovery import discover
from sealpy.plugin.gather import Gathered, PluginFiles, gather
from sealpy.plugin.hook import Hook
from sealpy.plugin.limits import Limits
from sealpy.plugin.operation import Operation
from sealpy.plugin.registry import PluginType, Registry

__all__ = [
    "BoundPlugin",
    "Gathered",
    "Hook",
    "Limits",
    "Operation",
    "PluginFiles",
    "PluginType",
    "Registry",
    "check",
    "discover",
    "gather",
    "read_directories",
]
