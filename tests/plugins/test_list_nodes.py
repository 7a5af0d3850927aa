"""The example of the documentation: a plugin in one file, in the imperative style."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import PluginError
from sealpy.testing.stage import Stage

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugins" / "list_nodes" / "list_nodes.py"


def test_it_prints_the_names_of_the_nodes_once(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", stdout="node/one\nnode/two\n")
    stage.fire_file(EXAMPLE)
    assert stage.printed() == ["node/one", "node/two"]
    assert [command[-4:] for command in stage.commands()["10.0.0.1"]] == [("get", "nodes", "-o", "name")]


def test_it_fails_in_a_sentence_when_the_api_server_does_not_answer(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    with pytest.raises(PluginError) as caught:
        stage.fire_file(EXAMPLE)
    assert [problem.message for problem in caught.value.problems] == [
        "cluster nodes not found at PostInstall: connection refused"
    ]


def test_a_rehearsal_may_come_before_the_cluster(stage: Stage) -> None:
    stage.rehearsal = True
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127)
    stage.fire_file(EXAMPLE)
    assert stage.printed() == []
