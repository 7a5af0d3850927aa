"""Broken copies of `list_nodes` in an image, on a real machine: each is named, ended, and nobody guesses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import CHECKOUT, Machine, Sealpy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

GOOD = (CHECKOUT / "examples" / "plugins" / "list_nodes" / "list_nodes.py").read_text()
ASKS = "        nodes = context.ask("
BREAKS = {
    "raises": ('        raise ZeroDivisionError("a mistake")\n', ["ZeroDivisionError: a mistake", "list_nodes.py"]),
    "never returns": ("        import time; time.sleep(3600)\n", ["was ended: it used up its 3 s"]),
    "calls exit": ("        import os; os._exit(7)\n", ["7"]),
    "prints 10 MB": ('        print(("x" * 99 + "\\n") * 100_000)\n        raise KeyError("late")\n', ["KeyError"]),
}
YAML = "apiVersion: sealer.aliyun.com/v1alpha1\nkind: Plugin\nmetadata: {name: broken}\n"
YAML += "spec: {type: LIST_NODE, action: Originally}\n"
KUBEFILE = "FROM kubernetes:v1.34.4\nCOPY list_nodes.py plugin\nCOPY list_nodes.yaml plugin\n"


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_plugin_is_named_with_hook_point_and_cause_and_nothing_is_left_running(
    sealpy: Sealpy, images: str, machines: tuple[Machine, ...], tmp_path: Path, how: str
) -> None:
    assert images
    line, words = BREAKS[how]
    assert ASKS in GOOD
    broken = GOOD.replace(ASKS, line + ASKS).replace("timeout = 60", "timeout = 3")
    (tmp_path / "list_nodes.py").write_text(broken)
    (tmp_path / "list_nodes.yaml").write_text(YAML)
    (tmp_path / "Kubefile").write_text(KUBEFILE)
    sealpy("build", "-m", "lite", "-t", "broken:1", "-f", str(tmp_path / "Kubefile"), str(tmp_path))
    machine = machines[2]
    key = machine.private_key
    done = sealpy("run", "broken:1", "-m", machine.address, "--pk", key, "--name", "broken", check=False)
    (error,) = done.of("error")
    text = " ".join(str(value) for value in error.values())
    for word in ("broken", "Originally", *words):
        assert word in text
    assert error["exit_code"] == done.code
    assert done.code not in {0, 70}
    assert done.seconds < 60
    (ended,) = done.of("plugin.finished")
    assert ended["error"]
    assert sum(len(event["line"]) for event in done.of("plugin.output")) < 2_000_000, "what it prints is bounded"
    assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [("action: PostInstal", "PostInstall"), ("type: LIST_NODES", "LIST_NODE")],
)
def test_an_unknown_phase_or_type_stops_before_any_host_is_touched(
    sealpy: Sealpy, images: str, machines: tuple[Machine, ...], tmp_path: Path, change: str, message: str
) -> None:
    assert images
    key = change.partition(":")[0]
    text = "\n".join(f"  {change}" if line.strip().startswith(key) else line for line in _spelled().splitlines())
    master = machines[2]
    cluster = (
        f"kind: Cluster\nmetadata: {{name: broken}}\nspec:\n  image: demo:1\n  ssh: {{pk: {master.private_key}}}\n"
    )
    cluster += f"  hosts:\n    - {{ips: [{master.address}], roles: [master]}}\n---\n"
    path = tmp_path / "Clusterfile"
    path.write_text(cluster + text)
    done = sealpy("apply", "-f", str(path), check=False)
    (error,) = done.of("error")
    assert done.code == 2
    assert done.of("phase.started") == []
    assert message in " ".join(str(problem) for problem in error["problems"])
    assert "Clusterfile" in str(error["problems"])


def _spelled() -> str:
    return "kind: Plugin\nmetadata:\n  name: wrong\nspec:\n  type: LIST_NODE\n  action: PostInstall\n"
