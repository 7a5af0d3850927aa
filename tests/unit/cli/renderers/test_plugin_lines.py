from __future__ import annotations

import pytest

from sealpy import events as e
from sealpy.cli.renderers.lines import line
from sealpy.cli.renderers.plain import matters
from sealpy.cli.settings import Detail

HOSTS = ("10.0.0.1", "10.0.0.2")
LINES: list[tuple[e.Event, str]] = [
    (
        e.PluginStarted(plugin="a", type="T", hook="PreInit", hosts=HOSTS, terms="timeout 90 s, 2 at once"),
        "plugin a (T) at PreInit, 2 hosts (timeout 90 s, 2 at once)",
    ),
    (e.PluginStarted(plugin="a", type="T", hook="PreInit", hosts=HOSTS), "plugin a (T) at PreInit, 2 hosts"),
    (
        e.PluginRetrying(plugin="a", hook="PreInit", hosts=HOSTS, attempt=1, attempts=3, pause=5.0, error="no disk"),
        "plugin a: try 1 of 3 failed on 10.0.0.1, 10.0.0.2, next in 5.0 s: no disk",
    ),
    (e.PluginFinished(plugin="a", type="T", hook="PreInit", seconds=2.0, changed=1), "plugin a … 2.0 s"),
    (
        e.PluginFinished(plugin="a", type="T", hook="PreInit", seconds=2.0, changed=1, attempts=3),
        "plugin a … 2.0 s at try 3",
    ),
    (
        e.PluginFinished(plugin="a", type="T", hook="PreInit", seconds=2.0, changed=0, error="no disk", ignored=True),
        "plugin a … failed, which its document ignores: no disk",
    ),
]


@pytest.mark.parametrize(("event", "text"), LINES)
def test_a_plugins_terms_tries_and_ignored_failure_are_told(event: e.Event, text: str) -> None:
    assert line(event) == text


def test_a_try_that_failed_is_shown_without_being_asked_for() -> None:
    retrying = LINES[2][0]
    assert matters(retrying, detail=Detail.NORMAL)
