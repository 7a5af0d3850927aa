from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.kubernetes.preparation.cli import main, next_command
from tests.unit.examples.release_site import ReleaseSite, serving

EXAMPLE = Path(__file__).parents[3] / "examples/kubernetes"


def places(directory: Path) -> list[str]:
    return ["--cache", str(directory / "cache"), "--context", str(directory / "context")]


def test_the_script_explains_itself_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE / "prepare", "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "prepare --from source" in done.stdout


def test_the_help_tells_of_each_option_what_it_is_and_what_it_is_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = re.split(r"\n  (?=--)", capsys.readouterr().out)[1:]
    assert [option.split()[0] for option in options] == [
        "--from", "--cache", "--context", "--arch", "--versions", "--release-url",
    ]  # fmt: skip
    assert [option for option in options if "default" not in option] == []


def test_the_image_is_built_by_one_line_wherever_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    root = EXAMPLE.parents[1]
    monkeypatch.chdir(root)
    line = next_command("1.34.4", EXAMPLE / ".context")
    assert line == "sealpy build -t kubernetes:v1.34.4 examples/kubernetes/.context"
    for told in (root / "README.md", EXAMPLE / "README.md"):
        assert line in [text.removeprefix("$ ") for text in told.read_text(encoding="utf-8").splitlines()]


def test_a_context_elsewhere_is_named_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(EXAMPLE)
    assert next_command("1.35.1", tmp_path) == f"sealpy build -t kubernetes:v1.35.1 {tmp_path}"


def test_a_missing_file_of_versions_is_an_error_of_the_caller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*places(tmp_path), "--versions", str(tmp_path / "mine.toml")]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path}/mine.toml: no such file\nhint: give the path of a TOML file\n"
    )


def test_every_problem_of_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text('kubernetes = 1.34\netcd = 3\nweb = "1"\n')
    assert main([*places(tmp_path), "--versions", str(tmp_path / "mine.toml")]) == 2
    said = capsys.readouterr().err
    assert "version of 'kubernetes' is 1.34, not text" in said
    assert "version of 'etcd' is 3, not text" in said


def test_a_release_that_is_not_there_is_named_and_nothing_is_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(ReleaseSite()) as site:
        assert main([*places(tmp_path), "--from", "release", "--release-url", site.url]) == 1
    said = capsys.readouterr().err
    assert f"error: {site.url}/dl.k8s.io/v1.34.4/bin/linux/" in said
    assert "404 Not Found" in said
    assert "--from source" in said
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [".lock"]
    assert not (tmp_path / "context").exists()
