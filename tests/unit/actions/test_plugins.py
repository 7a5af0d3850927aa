"""Plugins in a run: those of a directory on this machine, and what a plan says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.actions.hooks import Hooks
from sealpy.clusterfile import loads
from sealpy.errors import PluginError
from sealpy.sdk import HookPoint
from sealpy.testing.builders import a_context
from tests.unit.actions.conftest import World, clusterfile

CLUSTERFILE = """\
kind: Cluster
spec: {image: kubernetes:v1.34.4, hosts: [{ips: [10.0.0.1], roles: [master]}]}
---
kind: Plugin
metadata: {name: written}
spec: {type: MINE, action: PreInit}
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text('PluginType = "MINE"\nclass Plugin: ...\n')
    (tmp_path / "mine.yaml").write_text("kind: Plugin\nmetadata: {name: beside}\nspec: {type: MINE, action: PreInit}\n")
    return tmp_path


def test_types_and_documents_of_the_directory_are_bound(directory: Path) -> None:
    ctx, written = a_context(), loads(CLUSTERFILE, name="Clusterfile")
    hooks = Hooks.of(written, ctx.image, ctx.inventory, directories=[directory])
    (hook,) = hooks.at(HookPoint.PRE_INIT)
    assert [plugin.name for plugin in hook.plugins] == ["written", "beside"]


def test_without_the_directory_the_type_is_not_known_and_the_option_is_named() -> None:
    ctx, written = a_context(), loads(CLUSTERFILE, name="Clusterfile")
    with pytest.raises(PluginError) as caught:
        Hooks.of(written, ctx.image, ctx.inventory)
    (problem,) = caught.value.problems
    assert "type 'MINE' is not known" in problem.message
    assert "--plugins-dir" in problem.hint


TERMS = """\
---
kind: Plugin
metadata: {name: careful}
spec: {type: SHELL, action: PreInit, data: date, timeout: 90s, failurePolicy: Ignore}
"""


def test_a_plan_says_which_plugins_would_run_where_and_on_which_terms(world: World) -> None:
    wanted = clusterfile(["10.0.0.1"], ["10.0.0.2"], plugins=TERMS)
    report = world.apply(wanted, rehearsal=True)
    (careful,) = report.plugins
    assert (careful.hook, careful.hosts) == ("PreInit", ("10.0.0.1", "10.0.0.2"))
    assert careful.terms == "timeout 90 s, a failure is ignored"
    assert "run the script of careful" in {step.title for step in report.recorded if step.phase == "PreInit/careful"}
