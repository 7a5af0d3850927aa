from __future__ import annotations

from pathlib import Path

import pytest

from examples.kubernetes.preparation.recipes import GoModules, Recipes, load
from sealpy.errors import ConfigError
from sealpy.image.reference import Reference

EXAMPLE = Path(__file__).parents[3] / "examples/kubernetes"

RECIPES = """
rootfs = { "bin/tool" = "tool/tool" }

[components.tool.source]
kind = "go-modules"
modules = ["example.com/tool"]
programs = { tool = "example.com/tool" }
ldflags = ["-X main.version=v{version}"]
[components.tool.release]
url = "https://releases.example/{version}/{arch}/{program}"
checksum = "{url}.sha256"

[[container-images]]
reference = "docker.io/example/tool:v{tool}"
files = { tool = "tool/tool" }
"""


def read(directory: Path, *, recipes: str = RECIPES, versions: str = 'tool = "1.2.3"') -> Recipes:
    (directory / "recipes.toml").write_text(recipes)
    (directory / "versions.toml").write_text(versions)
    return load(directory / "recipes.toml", directory / "versions.toml", arch="amd64")


def test_versions_are_filled_in(tmp_path: Path) -> None:
    recipes = read(tmp_path)
    tool = recipes.components["tool"]
    assert isinstance(tool.source, GoModules)
    assert tool.source.ldflags == ("-X main.version=v1.2.3",)
    assert tool.release is not None
    assert tool.release.url == "https://releases.example/1.2.3/amd64/{program}"
    assert tool.release.checksum == "{url}.sha256"
    assert recipes.container_images[0].reference == "docker.io/example/tool:v1.2.3"


@pytest.mark.parametrize(
    ("recipes", "versions", "problem"),
    [
        (RECIPES, "", "version of 'tool' is missing"),
        (RECIPES, "tool = 1.2", "version of 'tool' is 1.2, not text"),
        (RECIPES, "tool =", "not TOML"),
        (RECIPES.replace("v{version}", "v{versoin}"), 'tool = "1"', "cannot be filled: 'versoin'"),
        (RECIPES.replace('"tool/tool" }\n\n', '"tool/tol" }\n\n'), 'tool = "1"', "'tool/tol' is made by no component"),
        (RECIPES.replace("modules =", "moduls ="), 'tool = "1"', "components.tool.source.go-modules.moduls: extra"),
        (RECIPES.replace('"go-modules"', '"rust"'), 'tool = "1"', "components.tool.source: input tag 'rust'"),
        (f'{RECIPES}base = "alpine"', 'tool = "1"', "base 'alpine' of docker.io/example/tool:v1 is no component"),
    ],
)
def test_mistakes_are_named_with_their_file(tmp_path: Path, recipes: str, versions: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, recipes=recipes, versions=versions)
    said = "\n".join([str(caught.value), *map(str, caught.value.problems)])
    assert problem in said
    assert str(tmp_path) in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: no such file"):
        load(EXAMPLE / "recipes.toml", tmp_path / "nowhere.toml", arch="amd64")


@pytest.fixture(scope="module", params=["amd64", "arm64"])
def ours(request: pytest.FixtureRequest) -> Recipes:
    return load(EXAMPLE / "recipes.toml", EXAMPLE / "versions.toml", arch=request.param)


def test_the_kubefile_names_the_version_that_is_prepared(ours: Recipes) -> None:
    assert f"ARG KubernetesVersion=v{ours.versions['kubernetes']}\n" in (EXAMPLE / "Kubefile").read_text()


def test_every_version_is_used(ours: Recipes) -> None:
    assert set(ours.versions) == set(ours.components)


def test_container_images_have_whole_names(ours: Recipes) -> None:
    references = [image.reference for image in ours.container_images]
    assert references == [str(Reference.parse(reference)) for reference in references]
    assert len(set(references)) == len(references)


def test_releases_are_checked_by_a_published_sum(ours: Recipes) -> None:
    releases = [component.release for component in ours.components.values() if component.release]
    assert releases
    assert all(release.checksum.startswith(("https://", "{url}")) or release.sha256 for release in releases)
    assert all(release.url.startswith("https://") for release in releases)
