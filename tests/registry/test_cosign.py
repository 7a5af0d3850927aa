"""What sealpy signs, cosign verifies, and the other way round; neither asks anybody else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.registry.conftest import Sealpy
from tests.registry.servers import Distribution, go_tool

ALONE = ("--insecure-ignore-tlog", "--allow-http-registry")


class Cosign:
    """Run cosign with keys in a directory of their own."""

    def __init__(self, directory: Path) -> None:
        self._program = go_tool("cosign")
        self._directory = directory
        self.run("generate-key-pair")

    @property
    def key(self) -> str:
        return str(self._directory / "cosign.key")

    @property
    def pub(self) -> str:
        return str(self._directory / "cosign.pub")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "COSIGN_PASSWORD": "passphrase", "COSIGN_EXPERIMENTAL": "1"}
        command = [self._program, *words]
        done = subprocess.run(command, cwd=self._directory, env=env, capture_output=True, text=True, check=False)
        assert words[0] == "verify" or done.returncode == 0, done.stderr
        return done

    def verifies(self, name: str, *more: str) -> bool:
        return self.run("verify", "--key", self.pub, *ALONE, *more, name).returncode == 0


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cosign:
    monkeypatch.setenv("COSIGN_PASSWORD", "passphrase")
    (tmp_path / "keys").mkdir()
    return Cosign(tmp_path / "keys")


@pytest.mark.parametrize("way", [(), ("--experimental-oci11",)], ids=["tag", "referrers"])
def test_cosign_verifies_what_sealpy_signed(
    plain: Distribution, sealpy: Sealpy, cosign: Cosign, way: tuple[str, ...]
) -> None:
    name = f"{plain.address}/signed/shop{len(way)}:1"
    sealpy.image(name)
    sealpy("push", name)
    assert not cosign.verifies(name, *way)
    sealpy("sign", name, "--key", cosign.key)
    sealpy("push", name)
    assert cosign.verifies(name, *way)


def test_sealpy_verifies_what_cosign_signed(plain: Distribution, sealpy: Sealpy, other: Sealpy, cosign: Cosign) -> None:
    name = f"{plain.address}/signed/by-cosign:1"
    digest = sealpy.image(name)
    sealpy("push", name)
    cosign.run("sign", "--key", cosign.key, "--tlog-upload=false", "--allow-http-registry", "-y", name)
    other("pull", name)
    assert other("verify", name, "--key", cosign.pub)["digest"] == digest


def test_a_signature_by_another_key_is_refused_by_both(
    plain: Distribution, sealpy: Sealpy, cosign: Cosign, tmp_path: Path
) -> None:
    name = f"{plain.address}/signed/by-another:1"
    sealpy.image(name)
    sealpy("keygen", str(tmp_path / "another"), stdin="")
    sealpy("sign", name, "--key", str(tmp_path / "another.key"), stdin="passphrase\n")
    sealpy("push", name)
    assert not cosign.verifies(name)
    assert sealpy.run("verify", name, "--key", cosign.pub).returncode == 5
