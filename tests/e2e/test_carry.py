"""From the author of an image to a site without a way out: signed, saved as what the site lacks, loaded, run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Machine, Sealpy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

BASE, APPLICATION = "kubernetes:v1.34.4", "demo:1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Sealpy:
    """Be sealpy on the laptop that is carried to the site, where nothing is yet."""
    return Sealpy(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def luggage(sealpy: Sealpy, images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Pack what is carried: the base, the application as a delta, and the public key."""
    assert images == APPLICATION
    bag = tmp_path_factory.mktemp("luggage")
    sealpy("keygen", str(bag / "release"))
    sealpy("sign", APPLICATION, "--key", str(bag / "release.key"))
    sealpy("save", BASE, "-o", str(bag / "base.tar"), "--part-size", "200MB")
    sealpy("save", APPLICATION, "--since", BASE, "-o", str(bag / "delta.tar"))
    (bag / "release.key").unlink()
    yield bag
    for path in bag.iterdir():
        path.unlink()


def test_the_delta_holds_only_what_the_site_lacks(luggage: Path) -> None:
    whole = sum(path.stat().st_size for path in luggage.glob("base.tar.*"))
    assert (luggage / "delta.tar").stat().st_size < whole / 100


def test_the_delta_without_its_base_is_refused_and_names_it(site: Sealpy, luggage: Path) -> None:
    done = site("load", "-i", str(luggage / "delta.tar"), check=False)
    (error,) = done.of("error")
    assert done.code == 5
    assert f"a delta to '{BASE}'" in error["message"]


def test_what_was_carried_runs_with_no_route_out(
    site: Sealpy, sealpy: Sealpy, luggage: Path, machines: tuple[Machine, ...]
) -> None:
    site("load", "-i", str(luggage / "base.tar.sha256"))
    site("load", "-i", str(luggage / "delta.tar"))
    machine, worker, _ = machines
    words = ["run", APPLICATION, "-m", machine.address, "-n", worker.address, "--pk", machine.private_key]
    words += ["--verify", "always"]
    refused = site(*words, check=False)
    assert "no key is trusted here" in refused.of("error")[0]["message"]
    site(*words, "--verify-key", str(luggage / "release.pub"))
    sealpy.on(machine.name, "kubectl rollout status deployment/web --timeout=90s")
    pods = json.loads(sealpy.on(machine.name, "kubectl get pods --all-namespaces -o json"))["items"]
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    assert sealpy.on(machine.name, "ping -c 1 -W 1 198.51.100.1 >/dev/null 2>&1; echo $?") != "0"
    site("delete", "--all", "--force")
    assert sealpy.on(machine.name, "ls -A /var/lib/sealpy") == ""
