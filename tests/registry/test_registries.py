"""What sealpy does with real registries: plain, with TLS, with a login, with tokens."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sealpy.image.container import write_container_image
from sealpy.image.registry_tree import blob_path
from tests.registry.conftest import Sealpy
from tests.registry.servers import USER, Distribution

PASSWORD = USER.password.reveal()


def ways(registry: Distribution) -> list[str]:
    """Give the options that a registry needs."""
    return ["--ca", str(registry.authority)] if registry.authority else []


@pytest.fixture
def entered(registry: Distribution, sealpy: Sealpy) -> Distribution:
    """Log in where that is needed."""
    if registry.locked:
        words = ["login", registry.address, "-u", USER.user, "--password-stdin"]
        assert sealpy(*words, stdin=PASSWORD)["kept_in"] == str(sealpy.authfile)
    return registry


def test_an_image_travels(entered: Distribution, sealpy: Sealpy, other: Sealpy) -> None:
    name = f"{entered.address}/travels/shop:1"
    digest = sealpy.image(name, big=os.urandom(3_000_000))
    first, second = (sealpy("push", name, *ways(entered)) for _ in range(2))
    assert (first["sent"], first["digest"]) == (3, digest)
    assert (second["present"], second["sent"], second["bytes"]) == (3, 0, 0)
    assert other("pull", name, *ways(entered))["digest"] == digest
    assert other("store", "check")
    listed = sealpy("search", f"{entered.address}/travels/shop", *ways(entered))
    assert [row["tag"] for row in listed] == ["1"]


def test_a_neighbours_blobs_are_mounted(entered: Distribution, sealpy: Sealpy) -> None:
    name = f"{entered.address}/mounts/shop:1"
    sealpy.image(name, big=os.urandom(100_000))
    sealpy("push", name, *ways(entered))
    pushed = sealpy("push", name, f"{entered.address}/mounts/other:1", *ways(entered))
    assert (pushed["mounted"], pushed["sent"], pushed["bytes"]) == (3, 0, 0)


def test_without_a_login_nothing_moves_and_what_to_type_is_told(registry: Distribution, sealpy: Sealpy) -> None:
    name = f"{registry.address}/denied/shop:1"
    sealpy.image(name)
    done = sealpy.run("push", name, *ways(registry))
    if not registry.locked:
        assert done.returncode == 0
        return
    error = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 5
    assert (error["code"], "it wants a login" in error["message"]) == ("image.remote.auth", True)
    assert error["hint"] == f"log in: sealpy login {registry.address}"


def test_a_wrong_login_is_refused_and_not_kept(registry: Distribution, sealpy: Sealpy) -> None:
    if not registry.locked:
        pytest.skip("this registry wants no login")
    words = ["login", registry.address, "-u", USER.user, "--password-stdin"]
    done = sealpy.run(*words, stdin="not my password")
    assert done.returncode == 5
    assert "was refused" in done.stdout
    assert "not my password" not in done.stdout + done.stderr
    assert not sealpy.authfile.exists()


def test_an_authority_that_is_not_named_is_not_trusted(registries: dict[str, Distribution], sealpy: Sealpy) -> None:
    name = f"{registries['tls'].address}/x:1"
    sealpy.image(name)
    done = sealpy.run("push", name)
    assert done.returncode == 5
    assert "certificate verify failed" in done.stdout
    assert sealpy("push", name, "--insecure")["sent"] == 3


# ---- other tools


def tool(*words: str | Path) -> str:
    """Run another tool, which must succeed, and give what it says."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def test_skopeo_reads_what_we_pushed(entered: Distribution, sealpy: Sealpy, skopeo: str, tmp_path: Path) -> None:
    name = f"{entered.address}/skopeo/ours:1"
    digest = sealpy.image(name, big=os.urandom(1_000_000))
    sealpy("push", name, *ways(entered))
    auth = entered.auth_file(tmp_path / "skopeo.json")
    ways_in = ["--preserve-digests", "--src-tls-verify=false", "--authfile", str(auth)]
    tool(skopeo, "copy", *ways_in, f"docker://{name}", f"oci:{tmp_path}/oci:1")
    [entry] = json.loads((tmp_path / "oci" / "index.json").read_text())["manifests"]
    assert entry["digest"] == digest


def test_we_pull_what_skopeo_pushed(
    entered: Distribution, sealpy: Sealpy, other: Sealpy, skopeo: str, tmp_path: Path
) -> None:
    digest = sealpy.image("shop:1", big=os.urandom(1_000_000))
    name = f"{entered.address}/skopeo/theirs:1"
    auth = entered.auth_file(tmp_path / "skopeo.json")
    source = f"oci:{sealpy.store.root}:docker.io/library/shop:1"
    tool(
        skopeo, "copy", "--preserve-digests", "--dest-tls-verify=false", "--authfile", auth, source, f"docker://{name}"
    )
    assert other("pull", name, *ways(entered))["digest"] == digest


def test_crane_reads_what_we_pushed(plain: Distribution, sealpy: Sealpy, crane: str, tmp_path: Path) -> None:
    name = f"{plain.address}/crane/ours:1"
    digest = sealpy.image(name, big=os.urandom(1_000_000))
    sealpy("push", name)
    assert tool(crane, "digest", "--insecure", name).strip() == digest
    tool(crane, "validate", "--remote", name, "--insecure", "--fast")  # it reads no plain layers, see below
    tool(crane, "pull", "--insecure", "--format=oci", name, tmp_path / "oci")  # verifies every blob
    blobs = {f"sha256:{path.name}" for path in (tmp_path / "oci" / "blobs" / "sha256").iterdir()}
    assert blobs >= {digest, *(layer.digest for layer in sealpy.opened(name).manifest.layers)}


def test_crane_validates_every_byte_of_what_we_packed(
    plain: Distribution, sealpy: Sealpy, crane: str, skopeo: str, tmp_path: Path
) -> None:
    name = f"{plain.address}/crane/gzip:1"
    stored = sealpy.image(name, big=os.urandom(1_000_000), motd=b"hi\n")
    digest = sealpy("push", name, "--compression-format", "gzip")["digest"]
    tool(crane, "validate", "--remote", name, "--insecure")
    assert tool(crane, "digest", "--insecure", name).strip() == digest != stored
    tool(skopeo, "copy", "--preserve-digests", "--src-tls-verify=false", f"docker://{name}", f"oci:{tmp_path}/oci:1")
    words = ("--compression-format", "gzip", "--format", "docker-archive")
    sealpy("save", name, "-o", str(tmp_path / "k.tar"), *words)
    tool(crane, "validate", "--tarball", tmp_path / "k.tar")


def test_crane_validates_every_byte_of_a_packed_index(
    plain: Distribution, sealpy: Sealpy, other: Sealpy, crane: str
) -> None:
    name = f"{plain.address}/crane/packed-index:all"
    parts = [f"{plain.address}/crane/packed-index:{architecture}" for architecture in ("amd64", "arm64")]
    for part in parts:
        sealpy.image(part, architecture=part[-5:], arch=part[-5:].encode())
    sealpy("manifest", "create", name, *parts)
    digest = sealpy("push", name, "--compression-format", "gzip")["digest"]
    tool(crane, "validate", "--remote", name, "--insecure")
    assert other("pull", name, "--platform", "all")["digest"] == digest
    assert other.opened(name).files == sealpy.opened(name).files


def test_crane_validates_every_byte_of_an_image_with_packed_layers(
    plain: Distribution, sealpy: Sealpy, other: Sealpy, crane: str, tmp_path: Path
) -> None:
    name = f"{plain.address}/crane/packed:1"
    layers = [{"motd": b"hi\n", "big": os.urandom(1_000_000)}, {"other": b"x"}]
    write_container_image(tmp_path / "packed.tar", reference=name, layers=layers)
    sealpy("load", "-i", str(tmp_path / "packed.tar"))
    sealpy("push", name)
    tool(crane, "validate", "--remote", name, "--insecure")
    again = f"{plain.address}/crane/packed-again:1"
    other("pull", name)
    other("push", name, again)
    tool(crane, "validate", "--remote", again, "--insecure")


def test_crane_validates_an_index_of_ours_and_we_pull_it_by_platform(
    plain: Distribution, sealpy: Sealpy, other: Sealpy, crane: str
) -> None:
    one, two = f"{plain.address}/crane/index:amd64", f"{plain.address}/crane/index:arm64"
    sealpy.image(one, arch=b"amd64")
    sealpy.image(two, architecture="arm64", arch=b"arm64")
    name = f"{plain.address}/crane/index:all"
    sealpy("manifest", "create", name)
    sealpy("manifest", "add", name, one)
    sealpy("manifest", "add", name, two)
    digest = sealpy("manifest", "push", name)["digest"]
    tool(crane, "validate", "--remote", name, "--insecure", "--fast")
    listed = tool(crane, "manifest", "--insecure", name)
    assert [m["platform"]["architecture"] for m in json.loads(listed)["manifests"]] == ["amd64", "arm64"]
    assert other("pull", name, "--platform", "all")["digest"] == digest
    arm64 = json.loads(listed)["manifests"][1]["digest"]
    assert other("pull", name, "--platform", "linux/arm64")["digest"] == arm64


def test_crane_reads_a_pulled_image_as_a_layout(plain: Distribution, sealpy: Sealpy, other: Sealpy, crane: str) -> None:
    name = f"{plain.address}/crane/layout:1"
    sealpy.image(name, big=os.urandom(200_000))
    sealpy("push", name)
    other("pull", name)
    other("save", name, "-o", str(other.home / "x.tar"))
    copied = f"{plain.address}/crane/copied:1"
    tool(
        "skopeo",
        "copy",
        "--preserve-digests",
        "--dest-tls-verify=false",
        f"oci-archive:{other.home}/x.tar",
        f"docker://{copied}",
    )
    tool(crane, "validate", "--remote", copied, "--insecure", "--fast")


def test_a_build_takes_its_base_and_container_images_from_registries(
    entered: Distribution, sealpy: Sealpy, other: Sealpy, tmp_path: Path
) -> None:
    base, web = f"{entered.address}/build/base:1", f"{entered.address}/build/web:1"
    sealpy.image(base, motd=b"hi\n")
    write_container_image(tmp_path / "web.tar", reference=web, layers=[{"web": os.urandom(500_000)}])
    sealpy("load", "-i", str(tmp_path / "web.tar"))
    sealpy("push", base, *ways(entered))
    sealpy("push", web, *ways(entered))
    (tmp_path / "Kubefile").write_text(f"FROM {base}\nCOPY imageList manifests/imageList\n")
    (tmp_path / "imageList").write_text(f"{web}\n")
    other("build", "-t", "shop:1", *ways(entered), str(tmp_path))
    layers = sealpy.opened(web).manifest.layers
    assert all(blob_path(layer.digest) in other.opened("shop:1").files for layer in layers)
    assert other.run("build", "-t", "shop:2", "--pull", "never", str(tmp_path)).returncode == 5
