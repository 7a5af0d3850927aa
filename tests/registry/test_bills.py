"""Bills of materials of what other tools really write: RPM's own database, layers that skopeo packs by zstd."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sealpy.image.container import write_container_image
from sealpy.image.registry_tree import blob_path
from tests.registry.conftest import Sealpy
from tests.registry.servers import Distribution

SPEC = """\
Name: tool
Version: 1.2.3
Release: 4
Epoch: 2
Summary: a tool
License: MIT
BuildArch: noarch
%description
A tool.
%files
"""


def run(*words: object, cwd: Path) -> str:
    """Run another tool, which must succeed, and give what it says."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def built(sealpy: Sealpy, directory: Path, web: str) -> dict[str, str]:
    """Build an image with one container image in it; gives the comment of the latter, and the names by their URLs."""
    (directory / "Kubefile").write_text("FROM scratch\nCOPY imageList manifests/imageList\n")
    (directory / "imageList").write_text(f"{web}\n")
    sealpy("build", "-t", "shop:1", str(directory))
    bill = json.loads(sealpy.run("inspect", "shop:1", "--sbom", "spdx").stdout)
    found = {one["name"]: one.get("comment", "") for one in bill["packages"]}
    return found | {ref["referenceLocator"]: "" for one in bill["packages"] for ref in one.get("externalRefs", ())}


@pytest.mark.skipif(not shutil.which("rpmbuild"), reason="RPM is not installed: apt-get install rpm")
def test_a_database_that_rpm_wrote_is_read(plain: Distribution, sealpy: Sealpy, tmp_path: Path) -> None:
    (tmp_path / "tool.spec").write_text(SPEC)
    run("rpmbuild", "--quiet", "--define", f"_topdir {tmp_path}", "-bb", "tool.spec", cwd=tmp_path)
    [packed] = (tmp_path / "RPMS").rglob("*.rpm")
    root = ["--root", tmp_path / "root", "--dbpath", "/var/lib/rpm"]
    run("rpm", *root, "--initdb", cwd=tmp_path)
    run("rpm", *root, "--install", "--nodeps", packed, cwd=tmp_path)
    database = {p.relative_to(tmp_path / "root").as_posix(): p for p in (tmp_path / "root").rglob("rpmdb.sqlite*")}
    files = {"etc/os-release": b"ID=fedora\nVERSION_ID=40\n"} | {at: p.read_bytes() for at, p in database.items()}
    web = f"{plain.address}/bills/rpm:1"
    write_container_image(tmp_path / "web.tar", reference=web, layers=[files])
    sealpy("load", "-i", str(tmp_path / "web.tar"))
    sealpy("push", web)
    said = built(sealpy, tmp_path, web)
    assert "pkg:rpm/fedora/tool@1.2.3-4?arch=noarch&distro=fedora-40&epoch=2" in said
    assert said[web] == ""


def test_layers_packed_by_zstd_are_carried_as_they_are_and_the_bill_says_that_they_were_not_read(
    plain: Distribution, sealpy: Sealpy, other: Sealpy, skopeo: str, crane: str, tmp_path: Path
) -> None:
    web = f"{plain.address}/bills/web:1"
    write_container_image(tmp_path / "web.tar", reference="example.com/web:1", layers=[{"web": os.urandom(500_000)}])
    words = ["--quiet", "--insecure-policy", "--dest-tls-verify=false", "--dest-compress-format=zstd"]
    words += ["--format=oci"]
    run(skopeo, "copy", *words, "oci-archive:web.tar", f"docker://{web}", cwd=tmp_path)
    [layer] = json.loads(run(crane, "manifest", "--insecure", web, cwd=tmp_path))["layers"]
    assert layer["mediaType"].endswith("+zstd")
    said = built(sealpy, tmp_path, web)
    assert said[web] == f"layer {layer['digest']}: not read: packed by zstd"
    inside = sealpy.opened("shop:1")
    assert inside.files[blob_path(layer["digest"])].sha256 == layer["digest"].removeprefix("sha256:")
    name = f"{plain.address}/bills/shop:1"
    sealpy("push", "shop:1", name)
    assert other("pull", name)["digest"] == inside.digest
    assert other.opened(name).files == inside.files
