"""Real registries, one of each kind for all tests, and sealpy as a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sealpy.image.assemble import assemble, write_layer
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import Metadata
from sealpy.image.store import Store
from sealpy.image.tarball import walk
from tests.registry.servers import KINDS, Distribution, go_tool, serving

SEALPY = Path(sys.executable).with_name("sealpy")


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Distribution]]:
    """Run one registry of each kind."""
    if not shutil.which("go") and not Path(Path.home(), ".cache/sealpy/tools").exists():
        pytest.skip("the registry is built by Go, which is not here: https://go.dev/dl")
    with ExitStack() as stack:
        directory = tmp_path_factory.mktemp("registries")
        kinds = [kind for kind in KINDS if kind != "debian" or shutil.which("apt-get")]
        yield {kind: stack.enter_context(serving(kind, directory / kind)) for kind in kinds}


@pytest.fixture(params=KINDS)
def registry(request: pytest.FixtureRequest, registries: dict[str, Distribution]) -> Distribution:
    if request.param not in registries:
        pytest.skip("Debian's registry comes by apt-get, which is not here")
    return registries[request.param]


@pytest.fixture
def plain(registries: dict[str, Distribution]) -> Distribution:
    return registries["plain"]


@pytest.fixture(scope="session")
def crane() -> str:
    return go_tool("crane")


@pytest.fixture
def skopeo() -> str:
    found = shutil.which("skopeo")
    if found is None:
        pytest.skip("skopeo is not installed: apt-get install skopeo")
    return found


@dataclass(frozen=True, slots=True)
class Sealpy:
    """Run sealpy with a home of its own."""

    home: Path
    authfile: Path

    def environment(self) -> dict[str, str]:
        return {**os.environ, "SEALPY_HOME": str(self.home), "REGISTRY_AUTH_FILE": str(self.authfile)}

    def __call__(self, *words: str, stdin: str = "") -> Any:
        """Run a command that must succeed, and give the last of its JSON lines."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(SEALPY), "--output", "json", *words]
        env = self.environment()
        return subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, check=False)

    @property
    def store(self) -> Store:
        return Store(self.home / "images")

    def image(self, name: str, *, architecture: str = "amd64", **files: bytes) -> str:
        """Have an image in the store; gives its digest."""
        layer = write_layer(self.store, walk(files or {"motd": b"hi\n"}))
        return assemble(
            self.store, name, base=None, layers=[layer], metadata=Metadata(), architecture=architecture
        ).digest

    def opened(self, name: str) -> ClusterImage:
        return ClusterImage.open(self.store, name)


@pytest.fixture
def sealpy(tmp_path: Path) -> Sealpy:
    return Sealpy(tmp_path / "home", tmp_path / "auth.json")


@pytest.fixture
def other(tmp_path: Path) -> Sealpy:
    """Be sealpy on another machine, with the same logins."""
    return Sealpy(tmp_path / "other", tmp_path / "auth.json")
