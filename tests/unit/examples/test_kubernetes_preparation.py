"""From recipes to a build context, with small made-up programs from a release site on loopback."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.kubernetes.preparation.assembly import Assembly
from examples.kubernetes.preparation.cache import Cache, Entry
from examples.kubernetes.preparation.download import Site
from examples.kubernetes.preparation.origins import Workshop
from examples.kubernetes.preparation.recipes import Recipes, load
from sealpy.errors import ConfigError, SealpyError
from tests.unit.examples.release_site import ReleaseSite, serving

RECIPES = """
rootfs = { "bin/kubelet" = "kubernetes/kubelet", "cri/runc" = "runtime/runc" }

[components.kubernetes]
source = { kind = "go-modules", modules = ["m"], programs = { kubelet = "m/kubelet", proxy = "m/proxy" } }
release = { url = "https://k8s.example/{version}/{program}", checksum = "{url}.sha256" }

[components.runtime]
source = { kind = "go-modules", modules = ["m"], programs = { runc = "m/runc" } }
release = { url = "https://hub.example/runtime.tar.gz", checksum = "https://hub.example/SUMS", member = "./{program}" }

[[container-images]]
reference = "registry.example/proxy:v{kubernetes}"
files = { "usr/local/bin/proxy" = "kubernetes/proxy" }
entrypoint = ["proxy"]
"""


def archive(**files: bytes) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return whole.getvalue()


def published() -> dict[str, bytes]:
    programs = {"/k8s.example/1.0.0/kubelet": b"a kubelet", "/k8s.example/1.0.0/proxy": b"a proxy"}
    sums = {f"{path}.sha256": hashlib.sha256(content).hexdigest().encode() for path, content in programs.items()}
    runtime = archive(runc=b"a runc", other=b"not wanted")
    return {
        **programs,
        **sums,
        "/hub.example/runtime.tar.gz": runtime,
        "/hub.example/SUMS": f"{hashlib.sha256(runtime).hexdigest()}  runtime.tar.gz\n".encode(),
    }


@pytest.fixture
def releases() -> Iterator[ReleaseSite]:
    with serving(ReleaseSite(files=published())) as site:
        yield site


@pytest.fixture
def recipes(tmp_path: Path) -> Recipes:
    (tmp_path / "recipes.toml").write_text(RECIPES)
    (tmp_path / "versions.toml").write_text('kubernetes = "1.0.0"\nruntime = "2.0"\n')
    return load(tmp_path / "recipes.toml", tmp_path / "versions.toml", arch="amd64")


@pytest.fixture
def workshop(tmp_path: Path, releases: ReleaseSite) -> Workshop:
    return Workshop(Cache(tmp_path / "cache"), Site(releases.url), sources=tmp_path, arch="amd64")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    files = {
        "Kubefile": "FROM scratch\n",
        "rootfs/etc/kubeadm.yml.tmpl": "kubernetesVersion: v@kubernetes@\n",
        "rootfs/scripts/init.sh": "#!/bin/sh\n",
    }
    for path, text in files.items():
        (tmp_path / "example" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "example" / path).write_text(text)
    return tmp_path / "example"


def assemble(recipes: Recipes, workshop: Workshop) -> Assembly:
    made: dict[str, Entry] = {
        name: workshop.make(component, "release") for name, component in recipes.components.items()
    }
    assembly = Assembly(recipes, made, workshop.cache, "amd64")
    for image in recipes.container_images:
        assembly.write_archive(image)
    return assembly


def test_the_context_holds_all_an_image_is_built_from(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path
) -> None:
    context = tmp_path / "context"
    assert assemble(recipes, workshop).write_context(context, sources=sources)
    files = {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}
    assert files == {
        ".prepared",
        "Kubefile",
        "bin/kubelet",
        "container-images/proxy-v1.0.0.tar",
        "cri/runc",
        "etc/kubeadm.yml.tmpl",
        "manifests/imageList",
        "scripts/init.sh",
    }
    assert (context / "bin/kubelet").read_bytes() == b"a kubelet"
    assert (context / "cri/runc").read_bytes() == b"a runc"
    assert (context / "cri/runc").stat().st_mode & 0o777 == 0o755
    assert (context / "scripts/init.sh").stat().st_mode & 0o777 == 0o755
    assert (context / "etc/kubeadm.yml.tmpl").read_text() == "kubernetesVersion: v1.0.0\n"
    assert (context / "manifests/imageList").read_text() == "registry.example/proxy:v1.0.0\n"


def test_the_kubefile_of_the_context_is_for_the_version_that_was_prepared(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path
) -> None:
    (sources / "Kubefile").write_text("FROM scratch\nARG KubernetesVersion=v0.9.0\nLABEL v=${KubernetesVersion}\n")
    assemble(recipes, workshop).write_context(tmp_path / "context", sources=sources)
    assert "\nARG KubernetesVersion=v1.0.0\n" in (tmp_path / "context/Kubefile").read_text()


def test_a_second_time_there_is_nothing_to_do(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path, releases: ReleaseSite
) -> None:
    assembly = assemble(recipes, workshop)
    assembly.write_context(tmp_path / "context", sources=sources)
    asked = len(releases.asked)
    assert not assembly.write_context(tmp_path / "context", sources=sources)
    assert all(workshop.entry(component, "release").exists for component in recipes.components.values())
    assert len(releases.asked) == asked


def test_a_changed_file_of_ours_fills_the_context_anew(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path
) -> None:
    assembly = assemble(recipes, workshop)
    assembly.write_context(tmp_path / "context", sources=sources)
    (sources / "rootfs/scripts/init.sh").write_text("#!/bin/sh\nset -e\n")
    assert assembly.write_context(tmp_path / "context", sources=sources)
    assert (tmp_path / "context/scripts/init.sh").read_text() == "#!/bin/sh\nset -e\n"


def test_a_directory_with_other_files_is_not_replaced(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/letter").write_text("dear")
    with pytest.raises(ConfigError, match="holds other files"):
        assemble(recipes, workshop).write_context(tmp_path / "home", sources=sources)
    assert (tmp_path / "home/letter").read_text() == "dear"


def test_a_mark_without_a_version_is_an_error_with_its_place(
    recipes: Recipes, workshop: Workshop, sources: Path, tmp_path: Path
) -> None:
    (sources / "rootfs/etc/kubeadm.yml.tmpl").write_text("a: 1\nb: @kubernets@\n")
    with pytest.raises(ConfigError, match=r"kubeadm\.yml\.tmpl:2: no version of 'kubernets' is known"):
        assemble(recipes, workshop).write_context(tmp_path / "context", sources=sources)
    assert not (tmp_path / "context").exists()


def test_the_same_inputs_give_the_same_archive(recipes: Recipes, workshop: Workshop, tmp_path: Path) -> None:
    elsewhere = Workshop(Cache(tmp_path / "elsewhere"), workshop.site, sources=tmp_path, arch="amd64")
    image = recipes.container_images[0]
    archives = [assemble(recipes, shop).archive(image).directory / "image.tar" for shop in (workshop, elsewhere)]
    assert archives[0] != archives[1]
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_a_program_that_its_archive_does_not_hold_is_named(
    recipes: Recipes, workshop: Workshop, releases: ReleaseSite
) -> None:
    releases.files["/hub.example/runtime.tar.gz"] = content = archive(other=b"not wanted")
    releases.files["/hub.example/SUMS"] = f"{hashlib.sha256(content).hexdigest()}  runtime.tar.gz\n".encode()
    with pytest.raises(SealpyError, match=r"runtime\.tar\.gz: holds no file '\./runc'"):
        workshop.make(recipes.components["runtime"], "release")
    assert not workshop.entry(recipes.components["runtime"], "release").exists


def test_source_and_release_are_kept_apart(recipes: Recipes, workshop: Workshop) -> None:
    component = recipes.components["kubernetes"]
    assert workshop.entry(component, "source") != workshop.entry(component, "release")
