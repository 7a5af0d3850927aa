"""sealpy build, as one types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sealpy.cli.app import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Kubefile").write_text("FROM scratch\nCOPY motd etc\nCMD kubectl get nodes\n")
    (context / "motd").write_text("hi\n")
    return context


def built(capsys: Capture, *words: str) -> Any:
    """Build, and give what was told as JSON."""
    assert run(["build", "--output", "json", "-t", "x:1", *words]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def refused(capsys: Capture, *words: str) -> str:
    assert run(["build", "-t", "x:1", *words]) in {2, 5}
    return capsys.readouterr().err


def inspected(capsys: Capture, name: str = "x:1") -> Any:
    assert run(["inspect", name]) == 0
    return json.loads(capsys.readouterr().out)


def manifest(home: Path, digest: str) -> Any:
    return json.loads((home / "images" / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes())


def test_labels_and_annotations_are_those_of_the_image(capsys: Capture, context: Path, home: Path) -> None:
    words = ["--label", "team=web", "--label", "team=shop", "--annotation", "org.example.commit=abc"]
    told = built(capsys, *words, str(context))
    assert inspected(capsys)["labels"] == {"team": "shop"}
    assert manifest(home, told["digest"])["annotations"]["org.example.commit"] == "abc"


def test_several_platforms_are_one_index(capsys: Capture, context: Path, home: Path) -> None:
    (context / "Kubefile").write_text("FROM scratch\nARG TARGETARCH\nCOPY motd ${ARCH}/\nLABEL arch=$TARGETARCH\n")
    told = built(capsys, "--platform", "linux/amd64,linux/arm64", "--platform", "linux/amd64", str(context))
    index = manifest(home, told["digest"])
    assert [entry["platform"] for entry in index["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]
    for entry, arch in zip(index["manifests"], ("amd64", "arm64"), strict=True):
        config = manifest(home, manifest(home, entry["digest"])["config"]["digest"])
        assert (config["architecture"], config["config"]["Labels"]) == (arch, {"arch": arch})


def test_the_image_is_written_to_files_as_well(capsys: Capture, context: Path, tmp_path: Path) -> None:
    archive, layout = tmp_path / "x.tar", tmp_path / "layout"
    told = built(capsys, "-o", f"oci-archive:{archive}", "--output", f"oci-dir:{layout}", str(context))
    name = f"blobs/sha256/{told['digest'].removeprefix('sha256:')}"
    with tarfile.open(archive) as tar:
        assert name in tar.getnames()
    assert (layout / name).is_file()
    assert json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"] == told["digest"]


def test_a_dry_run_tells_what_would_go_in_and_writes_nothing(capsys: Capture, context: Path, home: Path) -> None:
    (context / "pod.yaml").write_text("kind: Pod\napiVersion: v1\nspec: {containers: [{name: c, image: 'web:1'}]}\n")
    (context / "Kubefile").write_text(
        "FROM scratch\nCOPY motd pod.yaml manifests/\nRUN make everything\n"
        "ADD https://198.51.100.1/tool bin/\nCMD kubectl get nodes\n"
    )
    told = built(capsys, "--dry-run", str(context))
    assert told["layers"] == [
        {"title": "COPY motd pod.yaml manifests/", "files": 2, "size": 76},
        {"title": "RUN make everything", "files": None, "size": 0},
        {"title": "ADD https://198.51.100.1/tool bin/", "files": 1, "size": 0},
    ]
    assert told["fetched"] == ["https://198.51.100.1/tool"]
    assert told["launch"] == {"apps": [], "cmds": ["kubectl get nodes"]}
    [image] = told["containerImages"]
    assert (image["image"], image["comes"]) == ("docker.io/library/web:1", "missing")
    assert image["named"][0]["place"] == "pod.yaml:3"
    assert not home.exists()
    assert run(["build", "-t", "x:1", "--dry-run", str(context)]) == 0
    text = capsys.readouterr().out
    assert "known when it is run" in text
    assert "not here yet" in text


def test_more_container_images_can_be_listed_and_left_out(capsys: Capture, context: Path, tmp_path: Path) -> None:
    (tmp_path / "more").write_text("# more\nquay.io/one:1\n\ntwo:2 # comment\n")
    (tmp_path / "less").write_text("two:2\n")
    told = built(capsys, "--dry-run", "--image-list", str(tmp_path / "more"), str(context))
    assert [image["image"] for image in told["containerImages"]] == ["docker.io/library/two:2", "quay.io/one:1"]
    words = ["--image-list", str(tmp_path / "more"), "--ignored-image-list", str(tmp_path / "less")]
    told = built(capsys, "--dry-run", *words, str(context))
    assert [image["image"] for image in told["containerImages"]] == ["quay.io/one:1"]
    error = refused(capsys, "--image-list", str(tmp_path / "more"), str(context))
    assert f"{tmp_path / 'more'}:2" in error, "an image that is nowhere is told with the line that wants it"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--platform", "amd64"], "--platform 'amd64': not a platform"),
        (["--label", "x"], "--label 'x': not NAME=VALUE"),
        (["--annotation", "=x"], "--annotation '=x': not NAME=VALUE"),
        (["--pull", "allways"], "did you mean 'always'?"),
        (["--output", "docker"], "is not oci-archive:FILE, oci-dir:DIR, text or json"),
        (["--output", "oci-archive:"], "is not oci-archive:FILE, oci-dir:DIR, text or json"),
        (["--image-list", "nowhere"], "nowhere: no such file or directory"),
        (["--ignored-image-list", "nowhere"], "nowhere: no such file or directory"),
        (["--image-list", "{0}/motd", "--ignored-image-list", "{0}/bad"], "{0}/bad:1: image name 'Not One'"),
        (["--image-list", "{0}/bad"], "{0}/bad:1: image name 'Not One'"),
        (["--container-images", "nowhere"], "nowhere: no such archive or directory"),
        (["--network", "bridge"], "'bridge' is not one of"),
    ],
)
def test_a_wrong_option_is_told_with_what_it_should_be(
    capsys: Capture, context: Path, words: list[str], text: str
) -> None:
    (context / "bad").write_text("Not One\n")
    error = refused(capsys, *(word.format(context) for word in words), str(context))
    assert text.format(context) in error


def test_a_context_that_is_not_there_is_told(capsys: Capture, context: Path) -> None:
    assert "no such directory" in refused(capsys, "-f", str(context / "Kubefile"), str(context / "gone"))
    assert "not a directory" in refused(capsys, "-f", str(context / "Kubefile"), str(context / "motd"))


def test_a_base_is_not_asked_for_elsewhere_when_nobody_may(capsys: Capture, context: Path) -> None:
    (context / "Kubefile").write_text("FROM base:1\n")
    error = refused(capsys, "--pull", "never", str(context))
    assert f"{context}/Kubefile:1: image 'base:1': not among the local images" in error


def test_what_a_killed_build_left_is_pruned(capsys: Capture, context: Path, home: Path) -> None:
    built(capsys, str(context))
    work = home / "images" / "work" / "left"
    work.mkdir()
    (work / "file").write_text("four")
    for words in (["--dry-run"], [], []):
        assert run(["prune", *words]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "0 blobs and 1 unfinished file, 4 B, would go",
        "0 blobs and 1 unfinished file, 4 B, removed",
        "nothing to remove",
    ]
    assert not work.exists()


def test_words_of_the_first_generation_are_understood(capsys: Capture, context: Path) -> None:
    words = ["build", "--kubefile", str(context / "Kubefile"), "--imageName", "old:1", "-m", "container", str(context)]
    assert run(words) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("old:1  sha256:")
    assert "--mode container: container images are found by reading files, as with lite" in captured.err


def test_the_digest_depends_on_the_input_alone(tmp_path: Path) -> None:
    """Two processes: other directories, times, order of files, umask, time zone, language, hash seed."""
    digests = set()
    for number, names in enumerate((["a", "b", "c"], ["c", "b", "a"])):
        site = tmp_path / f"site{'x' * 50 * number}"
        before = os.umask(0o077 if number else 0o002)
        try:
            for name in names:
                path = site / "context" / "etc" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(name)
                os.utime(path, (10**9 * number, 10**9 * number))
            (site / "context" / "Kubefile").write_text(
                "FROM scratch\nLABEL b=1 a=2\nENV B=1 A=2\nCOPY etc <<made etc/\ntext\nmade\nAPP shop local://etc/a\n"
                'APPCMDS shop ["true"]\nLAUNCH ["shop"]\n'
            )
            env = {
                "PATH": os.environ["PATH"],
                "HOME": str(site),
                "SEALPY_HOME": str(site / "home"),
                "TZ": "Asia/Tokyo" if number else "UTC",
                "LANG": "C" if number else "C.UTF-8",
                "PYTHONHASHSEED": str(number + 1),
            }
            command = [sys.executable, "-c", "from sealpy.cli.app import main; main()", "--output", "json", "build"]
            words = ["-t", "x:1", "--annotation", "b=1", "--annotation", "a=2", str(site / "context")]
            done = subprocess.run([*command, *words], env=env, capture_output=True, text=True, check=True)
        finally:
            os.umask(before)
        digests.add(json.loads(done.stdout.splitlines()[-1])["digest"])
    assert len(digests) == 1


def test_a_base_that_is_left_out_makes_an_application(capsys: Capture, context: Path) -> None:
    (context / "bin").mkdir()
    (context / "bin" / "kubeadm").write_text("x")
    (context / "Base").write_text("FROM scratch\nCOPY bin bin\n")
    assert run(["build", "-t", "base:1", "-f", str(context / "Base"), str(context)]) == 0
    (context / "Kubefile").write_text("FROM base:1\nCOPY motd etc\n")
    assert run(["build", "-t", "x:1", "--base=false", "--dry-run", str(context)]) == 0
    assert ", which is left out" in capsys.readouterr().out
    built(capsys, "--base=false", str(context))
    assert inspected(capsys)["type"] == "app-installer"
    built(capsys, "--base=true", str(context))
    assert inspected(capsys)["type"] == "kube-installer"
    assert "'maybe' is not one of 'true', 'false'" in refused(capsys, "--base", "maybe", str(context))


def test_a_private_list_is_read_with_its_passwords_hidden(capsys: Capture, context: Path) -> None:
    listed = context / "auth.yaml"
    listed.write_text("- {registry: hub.site, username: u, password: geheim, images: [team/web:1]}\n")
    words = ["--image-list-with-auth", str(listed)]
    assert run(["build", "-t", "x:1", "--dry-run", *words, str(context)]) == 0
    told = capsys.readouterr()
    assert "hub.site/team/web:1" in told.out
    assert f"chmod 600 {listed}" in told.err
    listed.write_text("- {registry: hub.site, username: u, images: [team/web:1]}\n")
    assert f"{listed}:1: there is no password" in refused(capsys, *words, str(context))
    assert "geheim" not in told.out + told.err
