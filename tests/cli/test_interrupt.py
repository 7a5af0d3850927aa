"""Ctrl-C on the program itself, while it waits for a machine, and before it has begun."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image

SEALPY = [sys.executable, "-c", "from sealpy.cli.start import main; main()"]
KUBEADM = b"kind: ClusterConfiguration\nkubernetesVersion: v1.34.4\n"
BOUND = 20.0  # seconds for the slowest machine; the login itself would take five times as long


@pytest.fixture
def home(tmp_path: Path) -> Path:
    a_stored_image(Store(tmp_path / "home" / "images"), {"etc/kubeadm.yml": KUBEADM}, name="kubernetes:v1")
    (tmp_path / "config").write_text(f"Host *\n  ConnectTimeout {5 * BOUND:.0f}\n")
    return tmp_path / "home"


@contextlib.contextmanager
def silent_server() -> Iterator[socket.socket]:
    """Listen on a port, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(BOUND)
        yield server


@contextlib.contextmanager
def started(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run sealpy, and leave nothing of it."""
    environment = {**os.environ, "SEALPY_HOME": str(home), "NO_COLOR": "1"}
    pipe = subprocess.PIPE
    process = subprocess.Popen([*SEALPY, *words], env=environment, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


COMMANDS = {
    "run": ["run", "kubernetes:v1"],
    "plan": ["run", "kubernetes:v1", "--dry-run"],
    "check": ["check", "--pre", "kubernetes:v1"],
    "init": ["init", "kubernetes:v1", "-f", "-"],
}


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-Silent\r\n"], ids=["silent", "greets"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_interrupt_ends_a_login_that_is_not_answered(command: str, greeting: bytes, home: Path) -> None:
    with silent_server() as server:
        port = server.getsockname()[1]
        machine = ["-m", "127.0.0.1", "--port", str(port), "--ssh-config", str(home.parent / "config")]
        with started(home, *COMMANDS[command], *machine) as process:
            connection, _ = server.accept()
            with connection:
                connection.sendall(greeting)
                connection.recv(1)  # it is there, and waits for us
                process.send_signal(signal.SIGINT)
                _, told = process.communicate(timeout=BOUND)
    assert process.returncode == 130
    assert "error: stopped by the operator" in told or "error: interrupted" in told
    assert "Traceback" not in told
    assert "banner" not in told


# Whoever loads the module that is named hears Ctrl-C just then.
LOADING = """
import os, signal, sys
from sealpy.cli.start import main

class Hook:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Hook())
{before}
sys.argv[1:] = ["version"]
main()
"""


def load(module: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    script = LOADING.format(before=before)
    words = [sys.executable, "-c", script.replace("sys.argv[1]", repr(module), 1)]
    return subprocess.run(words, capture_output=True, text=True, timeout=BOUND, check=False)


@pytest.mark.parametrize("module", ["sealpy.cli.app", "typer", "sealpy.cli.output"])
def test_an_interrupt_while_the_program_loads_is_no_traceback(module: str) -> None:
    done = load(module)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_while_a_command_loads_is_told() -> None:
    done = load("sealpy.cli.commands.version")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")


def test_who_is_started_to_ignore_interrupts_does() -> None:
    done = load("typer", before="signal.signal(signal.SIGINT, signal.SIG_IGN)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
