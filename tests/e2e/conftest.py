"""Real machines and a real Kubernetes: root on Linux, or these tests are reported as skipped, with the reason.

`SEALPY_E2E_PROGRAM` names the program under test (default: the one beside this Python), so that an installed wheel can
be put through the same. `SEALPY_E2E_HOME` is where images, machines and their state live; it is kept between runs,
since the base of the machines and the images are the same each time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
LAB = "e2e"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    code: int
    results: list[Any]  # one for each line of standard output: events, and what was asked for
    stderr: str
    seconds: float

    def of(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("event") == name]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [line for line in self.results if isinstance(line, dict)]

    @property
    def finished(self) -> dict[str, Any]:
        return self.of("run.finished")[-1]

    @property
    def text(self) -> str:
        return "\n".join(str(event["text"]) for event in self.events if "text" in event)


@dataclass(frozen=True)
class Sealpy:
    """The program under test, in a home of its own."""

    home: Path

    @property
    def program(self) -> str:
        return os.environ.get("SEALPY_E2E_PROGRAM") or str(Path(sys.executable).with_name("sealpy"))

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "SEALPY_HOME": str(self.home), "KUBECONFIG": str(self.home / "kubeconfig")}

    def __call__(self, *words: str, check: bool = True, timeout: float = 900, stdin: str = "") -> Done:
        begun = time.monotonic()
        done = subprocess.run(
            [self.program, "--output", "json", *words],
            env=self.env,
            capture_output=True,
            text=True,
            input=stdin,
            timeout=timeout,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        result = Done(done.returncode, lines, done.stderr, time.monotonic() - begun)
        if check:
            errors = result.of("error")
            assert done.returncode == 0, f"sealpy {' '.join(words)}: {errors or done.stderr}"
        return result

    def kill_when(self, title: str, *words: str, timeout: float = 300) -> None:
        """Run a command, and kill -9 it as soon as a step of this title has begun."""
        with subprocess.Popen(
            (self.program, "--output", "json", *words),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            watchdog = threading.Timer(timeout, process.kill)
            watchdog.start()
            assert process.stdout is not None
            event: dict[str, Any] = {}
            try:
                for line in process.stdout:
                    event = json.loads(line)
                    if event.get("event") == "step.started" and event["title"].startswith(title):
                        return
                pytest.fail(f"no step '{title}' was seen before {event}")
            finally:
                watchdog.cancel()
                process.send_signal(signal.SIGKILL)

    def on(self, machine: str, command: str, *, check: bool = True) -> str:
        """Run a shell command on a machine of the lab, past everything under test."""
        done = subprocess.run(
            [self.program, "lab", "ssh", machine, command], env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 or not check, f"{machine}: {command}: {done.stderr or done.stdout}"
        return done.stdout.strip()


@dataclass(frozen=True)
class Machine:
    name: str
    address: str
    private_key: str


@contextmanager
def booted(sealpy: Sealpy, lab: str, *, nodes: int) -> Iterator[tuple[Machine, ...]]:
    """Boot machines of a lab of their own, which goes again."""
    sealpy("lab", "down", "--name", lab)
    sealpy("lab", "up", "--name", lab, "--nodes", str(nodes))
    (found,) = [line for line in sealpy("lab", "list").results if isinstance(line, list)]
    yield tuple(
        Machine(entry["name"], entry["address"], entry["private_key"]) for entry in found if entry["lab"] == lab
    )
    sealpy("lab", "down", "--name", lab)


@pytest.fixture(scope="session")
def sealpy() -> Sealpy:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("real machines need root on Linux")
    home = Path(os.environ.get("SEALPY_E2E_HOME") or Path.home() / ".cache" / "sealpy" / "e2e")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    # what earlier tests left of clusters whose machines are gone: only images and the base of the machines are kept
    shutil.rmtree(home / "clusters", ignore_errors=True)
    (home / "kubeconfig").unlink(missing_ok=True)
    return Sealpy(home)


@pytest.fixture(scope="session")
def images(sealpy: Sealpy) -> str:
    """Prepare and build the Kubernetes base image and the image of the demo on top of it."""
    base = CHECKOUT / "examples" / "kubernetes"
    context = sealpy.home / "context"
    subprocess.run([base / "prepare", "--context", context], check=True, env=sealpy.env)
    sealpy("build", "-t", "kubernetes:v1.34.4", "-f", str(base / "Kubefile"), str(context))
    demo = CHECKOUT / "examples" / "demo" / "Kubefile"
    sealpy("build", "-m", "lite", "-t", "demo:1", "-f", str(demo), str(CHECKOUT / "examples"))
    return "demo:1"


@pytest.fixture(scope="session")
def machines(sealpy: Sealpy) -> Iterator[tuple[Machine, ...]]:
    """Boot three machines; they go when the tests are over."""
    with booted(sealpy, LAB, nodes=3) as found:
        yield found
