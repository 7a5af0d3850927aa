"""`run`, `apply` and `plan` with the image of an application: which cluster is meant, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.actions.application import Asked
from sealpy.actions.session import Report, Surroundings
from sealpy.cli import application
from sealpy.cli.app import run
from sealpy.engine import Recorded
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image, good_facts

Capture = pytest.CaptureFixture[str]
KEPT = """\
apiVersion: sealer.io/v2
kind: Cluster
metadata: {{name: {name}}}
spec:
  image: kubernetes:v1
  env: [A=cluster, B=cluster]
  cmd: [of the cluster]
  ssh: {{user: admin, pk: /keys/one}}
  hosts:
    - {{ips: [10.0.0.1], roles: [master]}}
    - {{ips: [10.0.0.2], roles: [node], ssh: {{user: other}}}}
---
kind: Plugin
metadata: {{name: of-the-cluster}}
spec: {{type: SHELL, action: PostInstall, data: date}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("SEALPY_HOME", str(home))
    a_stored_image(Store(home / "images"), {"web.yaml": b"kind: x\n"}, name="shop:1", type="app-installer")
    a_stored_image(Store(home / "images"), {"etc/kubeadm.yml": b"kind: x\n"}, name="kubernetes:v1")
    return home


def keep(home: Path, *names: str) -> None:
    for name in names:
        (home / "clusters" / name).mkdir(parents=True)
        (home / "clusters" / name / "Clusterfile").write_text(KEPT.format(name=name))


class Launch:
    """Be the action: keep what it was called with, and give a report."""

    def __init__(self) -> None:
        self.calls: list[tuple[Asked, Surroundings]] = []
        self.changed = 1
        self.recorded: tuple[Recorded, ...] = ()

    def __call__(self, asked: Asked, surroundings: Surroundings) -> Report:
        self.calls.append((asked, surroundings))
        facts = {"10.0.0.1": good_facts()}
        return Report(changed=self.changed, sent=0, recorded=self.recorded, round_trips={}, facts=facts, seconds=1.0)


@pytest.fixture
def launch(monkeypatch: pytest.MonkeyPatch) -> Launch:
    fake = Launch()
    monkeypatch.setattr(application, "launch", fake)
    return fake


# ---- by words


def test_an_application_is_run_on_the_only_cluster_that_is_known(launch: Launch, home: Path, capsys: Capture) -> None:
    keep(home, "site")
    assert run(["run", "shop:1"]) == 0
    launched = "application 'shop:1' on cluster 'site' is launched: kubectl --context site get pods --all-namespaces\n"
    assert capsys.readouterr().out == launched
    launch.changed = 0
    assert run(["run", "shop:1"]) == 0
    assert capsys.readouterr().out == "application 'shop:1' on cluster 'site': nothing to change\n"
    asked, _ = launch.calls[0]
    assert (asked.cluster.cluster.name, asked.cluster.cluster.image) == ("site", "kubernetes:v1")
    assert asked.base is not None
    assert asked.base.reference.familiar == "kubernetes:v1"
    wanted = asked.clusterfile
    assert (wanted.cluster.image, wanted.cluster.cmd, wanted.plugins) == ("shop:1", (), ())


@pytest.mark.parametrize("option", ["--name", "--cluster", "-c"])
def test_of_several_clusters_one_is_named(option: str, launch: Launch, home: Path) -> None:
    keep(home, "blue", "green")
    words = ["run", "shop:1", option, "green", "-e", "A=mine", "--cmds", "sh x.sh", "-u", "root", "-p", "geheim"]
    assert run(words) == 0
    [(asked, _)] = launch.calls
    assert asked.clusterfile.cluster.env == {"A": "mine", "B": "cluster"}
    assert asked.clusterfile.cluster.cmd == ("sh x.sh",)
    assert asked.cluster.cluster.cmd == ("of the cluster",)
    first, second = asked.cluster.cluster.hosts
    assert (first.ssh.user, first.ssh.password, first.ssh.private_key) == ("root", "geheim", "/keys/one")
    assert second.ssh.user == "other"


@pytest.mark.parametrize(
    ("known", "words", "message", "hint"),
    [
        (
            [],
            [],
            "an application needs a cluster, and none is known on this machine",
            "sealpy run IMAGE -m … makes one",
        ),
        (["blue", "green"], [], "there are several clusters: blue, green", "say which one: --name blue"),
        (["blue"], ["-c", "blu"], "cluster 'blu': nothing is known of it on this machine", "did you mean 'blue'?"),
        (
            ["blue"],
            ["-c", "x"],
            "cluster 'x': nothing is known of it on this machine",
            "name one of blue by --cluster, or",
        ),
        (
            ["blue"],
            ["-m", "10.0.0.1", "--provider", "local"],
            "--masters, --provider: 'shop:1' is an application, which goes to a cluster that is there",
            "leave it out",
        ),
    ],
)
def test_where_it_is_not_said_which_cluster_the_way_out_is(
    known: list[str], words: list[str], message: str, hint: str, launch: Launch, home: Path, capsys: Capture
) -> None:
    keep(home, *known)
    assert run(["run", "shop:1", *words]) == 2
    told = capsys.readouterr().err
    assert f"error: {message}\n" in told
    assert f"next: {hint}" in told
    assert not launch.calls


def test_an_application_that_is_not_here_is_told_as_such(capsys: Capture) -> None:
    assert run(["run", "shop:2"]) == 5
    assert "error: image 'shop:2': not among the local images" in capsys.readouterr().err


def test_an_image_of_a_cluster_still_needs_machines(capsys: Capture) -> None:
    assert run(["run", "kubernetes:v1"]) == 2
    assert "no control plane is named" in capsys.readouterr().err


def test_a_rehearsal_prints_the_plan(launch: Launch, home: Path, capsys: Capture) -> None:
    keep(home, "site")
    launch.recorded = (Recorded(host="10.0.0.1", phase="launch_apps", kind="run", title="launch web"),)
    assert run(["run", "shop:1", "--dry-run", "--output", "json"]) == 0
    [planned] = json.loads(capsys.readouterr().out)["plan"]
    assert (planned["host"], planned["title"]) == ("10.0.0.1", "launch web")
    assert launch.calls[0][1].rehearsal


# ---- by a file


FILE = "kind: Cluster\nmetadata: {name: site}\nspec:\n  image: shop:1\n  env: [A=file]\n"
HOSTS = "  hosts: [{ips: [10.0.0.1, 10.0.0.2], roles: [master], ssh: {user: file}}]\n"


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("command", ["apply", "plan", "run"])
def test_a_file_launches_it_on_the_cluster_that_it_names(
    command: str, launch: Launch, home: Path, tmp_path: Path
) -> None:
    keep(home, "blue", "site")
    assert run([command, "-f", write(tmp_path / "app.yaml", FILE)]) == 0
    [(asked, around)] = launch.calls
    assert around.rehearsal == (command == "plan")
    assert asked.clusterfile.cluster.env == {"A": "file"}
    assert [entry.ssh.user for entry in asked.cluster.cluster.hosts] == ["admin", "other"]


def test_hosts_of_the_file_say_how_to_log_in(launch: Launch, home: Path, tmp_path: Path) -> None:
    keep(home, "site")
    assert run(["apply", "-f", write(tmp_path / "app.yaml", FILE + HOSTS)]) == 0
    [(asked, _)] = launch.calls
    assert [(entry.ips, entry.roles, entry.ssh.user) for entry in asked.cluster.cluster.hosts] == [
        (("10.0.0.1",), ("master",), "file"),
        (("10.0.0.2",), ("node",), "file"),
    ]


def test_a_file_with_hosts_is_enough_where_nothing_is_known_of_the_cluster(launch: Launch, tmp_path: Path) -> None:
    assert run(["apply", "-f", write(tmp_path / "app.yaml", FILE + HOSTS)]) == 0
    [(asked, _)] = launch.calls
    assert asked.cluster is asked.clusterfile
    assert asked.base is None


def test_a_file_without_hosts_for_a_cluster_that_nobody_knows_is_refused(
    launch: Launch, tmp_path: Path, capsys: Capture
) -> None:
    assert run(["apply", "-f", write(tmp_path / "app.yaml", FILE)]) == 2
    assert "error: cluster 'site': nothing is known of it on this machine" in capsys.readouterr().err
    assert not launch.calls


def test_a_cluster_is_not_deleted_by_the_file_of_an_application(home: Path, tmp_path: Path, capsys: Capture) -> None:
    keep(home, "site")
    assert run(["delete", "--all", "--force", "-f", write(tmp_path / "app.yaml", FILE + HOSTS)]) == 5
    assert "error: shop:1: type 'app-installer' is not the image of a cluster" in capsys.readouterr().err


def test_inspect_shows_the_type(capsys: Capture) -> None:
    assert run(["inspect", "shop:1"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "app-installer"
