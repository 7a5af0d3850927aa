"""Plugins on real machines: the built-in types, those of a directory, and broken ones.

First comes the life of one cluster in which every built-in type acts, then broken copies of `list_nodes` in an image:
each is named, ended, and nobody guesses.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import CHECKOUT, Done, Machine, Sealpy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

Machines = tuple[Machine, ...]
ACTING = """\
apiVersion: sealer.io/v2
kind: Cluster
metadata: {{name: acting}}
spec:
  image: kubernetes:v1.34.4
  ssh: {{pk: {key}}}
  env: [Disk=fast]
  hosts:
    - {{ips: [{master}], roles: [master]}}
    - {{ips: [{nodes}], roles: [node]}}
---
kind: Plugin
metadata: {{name: names}}
spec: {{type: HOSTNAME, data: "{master} acting-master\\n{worker} acting-worker"}}
---
kind: Plugin
metadata: {{name: note}}
spec:
  type: SHELL
  action: PreInit
  'on': node
  parallel: 1
  timeout: 30s
  data: echo "$Disk $PWD" > /var/log/acting
---
kind: Plugin
metadata: {{name: at-the-third-try}}
spec:
  type: SHELL
  action: PreInit
  'on': node
  retry: {{attempts: 3, backoff: 0.1}}
  data: |
    echo try >> /var/log/tries; test "$(wc -l < /var/log/tries)" = 3
---
kind: Plugin
metadata: {{name: hopeless}}
spec: {{type: SHELL, action: PreInit, 'on': master, timeout: 1s, failurePolicy: Ignore, data: sleep 600}}
---
kind: Plugin
metadata: {{name: labels}}
spec: {{type: LABEL, data: "{worker} disk=fast"}}
---
kind: Plugin
metadata: {{name: taints}}
spec:
  type: TAINT
  action: PreGuest
  data: |
    {master}-{worker} acting=yes:PreferNoSchedule
    {worker} gone:NoSchedule
    {worker} gone:NoSchedule-
    {master} node-role.kubernetes.io/control-plane-
---
kind: Plugin
metadata: {{name: healthy}}
spec: {{type: CLUSTERCHECK, action: PostInstall|PreJoin, timeout: 60s}}
---
kind: Plugin
metadata: {{name: backup}}
spec: {{type: ETCD, action: PostInstall, order: 9, 'on': {snapshot}}}
---
kind: Plugin
metadata: {{name: list_nodes.so}}
spec: {{type: LIST_NODE, action: PostInstall}}
---
kind: Plugin
metadata: {{name: room}}
spec: {{type: FREE_SPACE, action: Originally}}
"""


@pytest.fixture(scope="module")
def acting(machines: Machines, images: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert images
    directory = tmp_path_factory.mktemp("acting")
    (directory / "plugins").mkdir(mode=0o755)
    for name in ("list_nodes/list_nodes.py", "free_space/free_space.sh", "free_space/free_space.sh.manifest.yaml"):
        shutil.copy(CHECKOUT / "examples" / "plugins" / name, directory / "plugins")
    write(directory, machines, nodes=machines[1].address)
    return directory


def write(directory: Path, machines: Machines, *, nodes: str) -> None:
    words = {"master": machines[0].address, "worker": machines[1].address, "key": machines[0].private_key}
    text = ACTING.format(nodes=nodes, snapshot=directory / "etcd.db", **words)
    (directory / "Clusterfile").write_text(text)


def words_for(directory: Path) -> tuple[str, ...]:
    return "-f", str(directory / "Clusterfile"), "--plugins-dir", str(directory / "plugins")


@pytest.fixture(scope="module")
def made(sealpy: Sealpy, acting: Path) -> Done:
    assert sealpy("plugin", "doctor", *words_for(acting)).code == 0
    return sealpy("apply", *words_for(acting))


def nodes(sealpy: Sealpy, machines: Machines) -> dict[str, Any]:
    found = json.loads(sealpy.on(machines[0].name, "kubectl get nodes -o json"))
    return {node["metadata"]["name"]: node for node in found["items"]}


def test_s1_the_plugin_of_a_directory_prints_the_nodes_of_the_cluster_once(made: Done) -> None:
    lines = [event["line"] for event in made.of("plugin.output") if event["plugin"] == "list_nodes.so"]
    assert lines == ["node/acting-master", "node/acting-worker"]


def test_s7_what_built_in_types_did_is_read_back_from_hosts_and_api(
    sealpy: Sealpy, made: Done, machines: Machines
) -> None:
    assert made.finished["ok"]
    found = nodes(sealpy, machines)
    assert set(found) == {"acting-master", "acting-worker"}
    assert found["acting-worker"]["metadata"]["labels"]["disk"] == "fast"
    for node in found.values():
        taints = [f"{taint['key']}={taint.get('value', '')}:{taint['effect']}" for taint in node["spec"]["taints"]]
        assert taints == ["acting=yes:PreferNoSchedule"]
    assert sealpy.on(machines[1].name, "cat /var/log/acting") == "fast /var/lib/sealpy/data/acting/rootfs"
    assert sealpy.on(machines[0].name, "ls /var/log/acting 2>/dev/null; true") == ""


def test_the_terms_of_documents_are_kept(sealpy: Sealpy, made: Done, machines: Machines) -> None:
    finished = {event["plugin"]: event for event in made.of("plugin.finished")}
    assert (finished["at-the-third-try"]["attempts"], finished["at-the-third-try"]["error"]) == (3, "")
    assert sealpy.on(machines[1].name, "wc -l < /var/log/tries") == "3"
    assert finished["hopeless"]["ignored"]
    assert finished["hopeless"]["seconds"] < 10
    assert sealpy.on(machines[0].name, "pgrep -x sleep; true") == "", "what was ended runs no more"
    assert finished["healthy"]["error"] == ""


def test_a_program_of_another_language_ran_on_every_host(made: Done, machines: Machines) -> None:
    told = [event["line"].split()[0] for event in made.of("plugin.output") if event["plugin"] == "room"]
    assert sorted(told) == sorted(machine.address for machine in machines[:2])


def test_the_snapshot_of_etcd_is_here_and_can_be_restored(made: Done, acting: Path, tmp_path: Path) -> None:
    assert made.code == 0
    snapshot = acting / "etcd.db"
    assert snapshot.stat().st_mode & 0o777 == 0o600
    tool = max(Path.home().glob(".cache/sealpy/kubernetes/etcd-*/etcdutl"))  # what went into the image
    subprocess.run([tool, "snapshot", "restore", snapshot, "--data-dir", tmp_path / "restored"], check=True)
    database = (tmp_path / "restored" / "member" / "snap" / "db").read_bytes()
    for key in (b"/registry/minions/acting-master", b"/registry/minions/acting-worker"):
        assert key in database


def test_a_second_apply_fires_nothing(sealpy: Sealpy, made: Done, acting: Path) -> None:
    assert made.code == 0
    again = sealpy("apply", *words_for(acting))
    assert again.of("plugin.started") == []
    assert again.finished["changed"] == 0


def test_a_sick_cluster_takes_no_new_host_and_the_error_says_what_is_sick(
    sealpy: Sealpy, made: Done, acting: Path, machines: Machines
) -> None:
    assert made.code == 0
    kubectl = "kubectl -n kube-system"
    sealpy.on(machines[0].name, f"{kubectl} run sick --image=nowhere.invalid/sick:1")
    write(acting, machines, nodes=f"{machines[1].address}, {machines[2].address}")
    path = acting / "Clusterfile"
    path.write_text(path.read_text().replace("timeout: 60s", "timeout: 6s"))
    done = sealpy("apply", *words_for(acting), check=False)
    sealpy.on(machines[0].name, f"{kubectl} delete pod sick --force --grace-period=0")
    (error,) = done.of("error")
    assert done.code == 4
    assert "plugin 'healthy' (CLUSTERCHECK) failed at PreJoin" in error["message"]
    assert "pod sick: Pending (sick " in str(error["problems"])
    assert set(nodes(sealpy, machines)) == {"acting-master", "acting-worker"}


def test_the_cluster_goes_with_its_plugins(sealpy: Sealpy, made: Done, acting: Path, machines: Machines) -> None:
    assert made.code == 0
    sealpy("delete", "--all", "--force", *words_for(acting))
    for machine in machines:
        assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""
        sealpy.on(
            machine.name, f"rm -f /var/log/acting /var/log/tries; hostname {machine.name}; hostname > /etc/hostname"
        )


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
