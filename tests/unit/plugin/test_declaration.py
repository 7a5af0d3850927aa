"""What is read of a plugin's file before it is ever run."""

from __future__ import annotations

import pytest

from sealpy.errors import PluginError
from sealpy.plugin.declaration import read_declaration
from sealpy.sdk import HookPoint

CLASS = b'''
"""The module."""
from sealpy.sdk import HookPoint
PluginType = "MINE"
class Plugin:
    """Do my work."""
    phases = ("PreInit", HookPoint.PRE_JOIN)
    default: tuple[str, ...] = ("PreInit",)
    timeout = 90
'''


def test_a_class_declares_type_summary_phases_default_and_timeout() -> None:
    declared = read_declaration("mine.py", CLASS)
    assert (declared.type, declared.summary, declared.timeout) == ("MINE", "Do my work", 90.0)
    assert declared.phases == (HookPoint.PRE_INIT, HookPoint.PRE_JOIN)
    assert declared.default == (HookPoint.PRE_INIT,)


@pytest.mark.parametrize(
    "plugin",
    ["def Plugin(context, phase): ...", "Plugin = object()", "Plugin: object = 1", "from other import Thing as Plugin"],
)
def test_a_function_an_instance_and_an_imported_name_are_plugins_too(plugin: str) -> None:
    assert read_declaration("mine.py", f'PluginType = "MINE"\n{plugin}\n'.encode()).type == "MINE"


def test_reading_runs_nothing() -> None:
    assert read_declaration("mine.py", b'PluginType = "MINE"\nPlugin = 1 / 0\n').type == "MINE"


# source → place and message, hint
REFUSED = {
    "def Plugin(": ("mine.py:1: not Python: '(' was never closed", "mend the file"),
    "x = 'a\0b'": ("mine.py", ""),
    'PluginType = "A"': ("mine.py: no 'Plugin' at the top level of the file", "a plugin has two"),
    "class Plugin: ...": ("mine.py: no 'PluginType' at the top level of the file", "a plugin has two"),
    "\nPluginType = make()\nPlugin = 1": ("mine.py:2: PluginType must be a text", 'PluginType = "MY_TYPE"'),
    'PluginType = " "\nPlugin = 1': ("mine.py:1: PluginType must be a text", ""),
    'PluginType = "A"\nclass Plugin:\n    phases = ("PreInt",)': (
        "mine.py:3: 'PreInt' is no hook point",
        "did you mean 'PreInit'?",
    ),
    'PluginType = "A"\nclass Plugin:\n    phases = (HookPoint.PRE_INT,)': ("'PRE_INT' is no hook point", ""),
    'PluginType = "A"\nclass Plugin:\n    phases = points()': ("mine.py:3: 'points()' is no hook point", ""),
    'PluginType = "A"\nclass Plugin:\n    timeout = "1 h"': ("mine.py:3: timeout must be a number", "timeout = 60"),
    'PluginType = "A"\nclass Plugin:\n    timeout = True': ("mine.py:3: timeout must be a number", ""),
    'PluginType = "A"\nclass Plugin:\n    timeout = 0': ("mine.py:3: timeout must be a number", ""),
}


@pytest.mark.parametrize("source", REFUSED)
def test_what_is_no_plugin_is_refused_with_its_place(source: str) -> None:
    message, hint = REFUSED[source]
    with pytest.raises(PluginError) as caught:
        read_declaration("mine.py", source.encode())
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("source", "once"),
    [
        ("def Plugin(context, phase): ...", True),
        ("class Plugin:\n    def run(self, context, phase): ...", True),
        ("class Plugin:\n    def Run(self, context, phase): ...", True),
        ("class Plugin:\n    def steps(self, context, host): ...", False),
        ("from elsewhere import Plugin", False),
    ],
)
def test_whether_a_plugin_is_called_once_is_read_too(source: str, once: bool) -> None:  # noqa: FBT001 - the expectation
    assert read_declaration("a.py", f'PluginType = "A"\n{source}\n'.encode()).once is once


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("parallel = 0", "a.py:3: parallel must be a number of hosts, written out"),
        ("parallel = many", "a.py:3: parallel must be a number of hosts, written out"),
        ("selects = 1", "a.py:3: selects must be True or False, written out"),
    ],
)
def test_what_is_not_written_out_is_refused_with_its_line(line: str, problem: str) -> None:
    with pytest.raises(PluginError) as caught:
        read_declaration("a.py", f'PluginType = "A"\nclass Plugin:\n    {line}\n'.encode())
    assert caught.value.message == problem
