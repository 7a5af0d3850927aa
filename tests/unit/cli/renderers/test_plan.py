from __future__ import annotations

from typing import NamedTuple

from sealpy.cli.renderers.plan import render_plan
from sealpy.engine.executor import Recorded


class Step(NamedTuple):
    phase: str
    host: str
    title: str


def test_a_plan_stands_by_phase_and_host_in_the_order_of_the_rehearsal() -> None:
    steps = [
        Step("Initialize", "10.0.0.1", "init control plane"),
        Step("Initialize", "10.0.0.1", "copy admin.conf"),
        Step("Join workers", "10.0.0.2", "join as worker"),
        Step("Applications", "", "apply flannel"),
    ]
    assert render_plan(steps) == (
        "Initialize\n"
        "  10.0.0.1\n"
        "    + init control plane\n"
        "    + copy admin.conf\n"
        "\n"
        "Join workers\n"
        "  10.0.0.2\n"
        "    + join as worker\n"
        "\n"
        "Applications\n"
        "  this machine\n"
        "    + apply flannel\n"
        "\n"
        "4 changes on 3 hosts"
    )


def test_hosts_that_have_the_same_steps_stand_together() -> None:
    steps = [Step("Join workers", f"10.0.0.{n}", title) for n in range(2, 7) for title in ("send", "join")]
    assert render_plan(steps) == (
        "Join workers\n  10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more\n    + send\n    + join\n\n10 changes on 5 hosts"
    )


def test_what_the_engine_records_is_a_plan() -> None:
    assert "+ join" in render_plan([Recorded(phase="Join", host="10.0.0.2", kind="run", title="join")])


def test_an_empty_plan_says_so() -> None:
    assert render_plan([]) == "nothing to change"


def test_what_a_plugins_document_asks_for_stands_beside_its_phase() -> None:
    steps = [Step("PreInit/swap-off", "10.0.0.1", "run the script"), Step("PreInit/other", "10.0.0.1", "run")]
    text = render_plan(steps, {"PreInit/swap-off": "timeout 90 s, a failure is ignored"})
    assert "PreInit/swap-off (timeout 90 s, a failure is ignored)\n  10.0.0.1\n" in text
    assert "PreInit/other\n" in text
