"""The example of the documentation: a plugin in one file, in the imperative style."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.clusterfile import load_plugins
from sealpy.errors import PluginFailedError
from sealpy.testing.stage import Stage

DIRECTORY = Path(__file__).parents[2] / "examples" / "plugins" / "list_nodes"
EXAMPLE = DIRECTORY / "list_nodes.py"
# As it was written for the ancestor, whose plugins were shared objects of Go.
SEED = """
apiVersion: sealer.aliyun.com/v1alpha1
kind: Plugin
metadata:
  name: list_nodes.so # out of tree plugin name
spec:
  type: LIST_NODE # define your own plugin type.
  action: PostInstall # which stage will this plugin be applied.
"""


def test_it_prints_the_names_of_the_nodes_once(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", stdout="node/one\nnode/two\n")
    stage.fire_file(EXAMPLE)
    assert stage.printed() == ["node/one", "node/two"]
    assert [command[-4:] for command in stage.commands()["10.0.0.1"]] == [("get", "nodes", "-o", "name")]


@pytest.mark.parametrize("text", [SEED, (DIRECTORY / "list_nodes.yaml").read_text(encoding="utf-8")])
@pytest.mark.parametrize("directories", [("plugin",), ("plugins",), ("plugin", "plugins")])
def test_it_is_found_in_an_image_by_its_type_and_called_once(
    stage: Stage, text: str, directories: tuple[str, ...]
) -> None:
    stage.files = [(f"{directory}/list_nodes.py", EXAMPLE.read_bytes()) for directory in directories]
    stage.machines["10.0.0.1"].on("kubectl", stdout="node/one\n")
    stage.fire(image=[plugin for _ in directories for plugin in load_plugins(text, name="list_nodes.yaml")])
    assert stage.printed() == ["node/one"]


def test_it_fails_in_a_sentence_when_the_api_server_does_not_answer(stage: Stage) -> None:
    stage.machines["10.0.0.1"].on("kubectl", exit_status=1, stderr="connection refused")
    with pytest.raises(PluginFailedError) as caught:
        stage.fire_file(EXAMPLE)
    assert [problem.message for problem in caught.value.problems] == [
        "cluster nodes not found at PostInstall: connection refused"
    ]


def test_a_rehearsal_may_come_before_the_cluster(stage: Stage) -> None:
    stage.rehearsal = True
    stage.machines["10.0.0.1"].on("kubectl", exit_status=127)
    stage.fire_file(EXAMPLE)
    assert stage.printed() == []
