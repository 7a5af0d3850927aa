"""What examples/plugins shows in each form a plugin may have: found, fired, and what comes of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipapp
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sealpy.clusterfile import load_plugins
from sealpy.events import PluginFinished
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = CHECKOUT / "examples" / "plugins"


def files(*paths: Path) -> list[tuple[str, bytes]]:
    return [(f"plugins/{path.name}", path.read_bytes()) for path in paths]


# ---- a program


def test_a_program_of_another_language_is_asked_for_each_host(stage: Stage) -> None:
    stage.files = files(*(EXAMPLES / "free_space").iterdir())
    stage.machines["10.0.0.1"].on("df", stdout="Avail\n   12G\n")
    stage.machines["10.0.0.2"].on("df", stdout="Avail\n   7.5G\n")
    stage.fire(*load_plugins(EXAMPLES / "free_space" / "free_space.yaml"), at=HookPoint.ORIGINALLY)
    assert sorted(stage.printed()) == ["10.0.0.1 has 12G", "10.0.0.2 has 7.5G"]
    assert stage.commands()["10.0.0.2"] == [("df", "--output=avail", "-h", "/var/lib")]


# ---- a zipapp


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "certificates.pyz"
    zipapp.create_archive(EXAMPLES / "certificates", path, interpreter="/usr/bin/env python3")
    return path


def told(days: int) -> str:
    moment = datetime.now(UTC) + timedelta(days=days, hours=1)
    later = moment + timedelta(days=300)
    dates = {"apiserver": moment, "etcd-server": later}
    return json.dumps(
        {"certificates": [{"name": name, "expirationDate": at.isoformat()} for name, at in dates.items()]}
    )


def test_a_zipapp_runs_with_the_modules_it_brings(stage: Stage, archive: Path) -> None:
    stage.files = files(archive)
    stage.machines["10.0.0.1"].on("kubeadm", stdout=told(364))
    stage.fire(*load_plugins(EXAMPLES / "certificates" / "certificates.yaml"))
    assert stage.printed() == ["10.0.0.1: apiserver is the first of 2 to run out, in 364 days"]


def test_what_a_zipapp_reports_is_told_and_ignored_as_its_document_says(stage: Stage, archive: Path) -> None:
    stage.files = files(archive)
    stage.machines["10.0.0.1"].on("kubeadm", stdout=told(20))
    stage.fire(*load_plugins(EXAMPLES / "certificates" / "certificates.yaml"))
    (finished,) = stage.of(PluginFinished)
    assert finished.ignored
    assert "failed at PostInstall on 10.0.0.1" in finished.error


# ---- a package


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment in which the wheel of the example is installed beside sealpy."""
    directory = tmp_path_factory.mktemp("wait_for")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-deps", "--no-index")
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", directory, str(EXAMPLES / "wait_for")], check=True
    )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", directory / "venv"], check=True)
    (site,) = (directory / "venv" / "lib").glob("python*/site-packages")
    (wheel,) = directory.glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", site, wheel], check=True)
    own = [path for path in sys.path if path.endswith("site-packages")]
    (site / "beside.pth").write_text("\n".join((str(CHECKOUT), *own)), encoding="utf-8")
    return directory / "venv" / "bin" / "python"


FIRE = """
import sys
from sealpy.sdk import HookPoint
from sealpy.testing.stage import Stage, cluster, document
stage = Stage(inventory=cluster(masters=("10.0.0.1",), nodes=()))
stage.machines["10.0.0.1"].on("kubectl", exit_status=int(sys.argv[1]), stderr="0 of 2 are up")
stage.fire(document(type_="WAIT_FOR", data="default deployment/web", timeout=2.0))
print(*stage.machines["10.0.0.1"].commands[0])
"""


def call(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(python.parent), "SEALPY_HOME": str(python.parent)}
    return subprocess.run([python, *words], capture_output=True, text=True, check=False, env=env, cwd="/")


@pytest.mark.thorough
def test_a_package_that_pip_installed_is_found_by_its_entry_point_and_fired(python: Path) -> None:
    done = call(python, "-c", FIRE, "0")
    assert done.stderr == ""
    assert done.stdout.split()[-6:] == ["-n", "default", "rollout", "status", "deployment/web", "--timeout=5s"]


@pytest.mark.thorough
def test_what_an_installed_plugin_waits_for_in_vain_is_told(python: Path) -> None:
    done = call(python, "-c", FIRE, "1")
    assert "PluginFailedError: Clusterfile:1: plugin 'mine' (WAIT_FOR) failed at PostInstall" in done.stderr
    assert "NotReadyError: deployment/web of default is up: not so after" in done.stderr
    assert "last seen: 0 of 2 are up" in done.stderr


SEALPY = ("-c", "import sys; from sealpy.cli.app import run; sys.exit(run(sys.argv[1:]))")


@pytest.mark.thorough
def test_the_command_line_lists_an_installed_plugin_and_tries_it_out(python: Path) -> None:
    listed = call(python, *SEALPY, "plugin", "list").stdout.splitlines()
    assert ["WAIT_FOR", "sealpy-wait-for", "(sealpy_wait_for:Plugin)", "1.2.0"] in [row.split()[:4] for row in listed]
    tried = call(python, *SEALPY, "plugin", "test", "WAIT_FOR", "--at", "PreGuest", "--data", "default deployment/web")
    assert "10.0.0.1  wait  deployment/web of default is up" in tried.stdout
    assert tried.stdout.endswith("good: 3 trials\n")
