"""A directory of plugins on this machine: read, or refused when somebody else could change it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealpy.errors import PluginError
from sealpy.plugin import PluginFiles, discover, gather, read_directories

MINE = b'PluginType = "MINE"\nclass Plugin: ...\n'
YAML = b"kind: Plugin\nmetadata: {name: mine}\nspec: {type: MINE, action: PostInstall}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "plugins"
    path.mkdir(mode=0o755)
    (path / "mine.py").write_bytes(MINE)
    return path


def refused(*directories: Path) -> list[str]:
    with pytest.raises(PluginError) as caught:
        read_directories(directories)
    return [f"{problem} ({problem.hint})" for problem in caught.value.problems]


def test_types_and_documents_of_a_directory_are_found_by_name(directory: Path) -> None:
    (directory / "mine.yaml").write_bytes(YAML)
    (directory / "nested").mkdir()
    (directory / ".hidden.py").write_text("nothing")
    files = read_directories([directory])
    assert [Path(path).name for path, _ in files] == ["mine.py", "mine.yaml"]
    assert discover(files).find("MINE").type == "MINE"
    (bound,) = gather((), PluginFiles(here=files), None).bound
    assert str(bound.document.place) == f"{directory}/mine.yaml:1"


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path / "no") == [
        f"{tmp_path}/no: no such file or directory (look at the path after --plugins-dir)"
    ]


def test_what_everybody_can_change_is_refused_all_at_once(directory: Path) -> None:
    (directory / "mine.py").chmod(0o666)
    directory.chmod(0o777)
    everybody = "everybody on this machine can change it"
    assert refused(directory) == [
        f"{directory}: {everybody} (chmod o-w {directory})",
        f"{directory}/mine.py: {everybody} (chmod o-w {directory}/mine.py)",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_somebody_else_is_refused(directory: Path) -> None:
    os.chown(directory / "mine.py", 12345, 12345)
    (problem,) = refused(directory)
    assert "mine.py: belongs to somebody else, who could change it" in problem


def test_a_link_out_of_the_directory_is_refused_and_one_within_is_not(directory: Path, tmp_path: Path) -> None:
    (directory / "again.py").symlink_to("mine.py")
    assert len(read_directories([directory])) == 2
    (tmp_path / "elsewhere.py").write_bytes(MINE)
    (directory / "other.py").symlink_to(tmp_path / "elsewhere.py")
    assert refused(directory) == [f"{directory}/other.py: a link that leads out of the directory (copy the file)"]


def test_every_wrong_document_is_told_at_once() -> None:
    files = [("a.yaml", b"kind: Plugi\n"), ("b.yaml", YAML), ("c.yml", b"kind: Plugin\n")]
    problems = gather((), PluginFiles(image=files), None).problems
    places = {str(problem).partition(": ")[0] for problem in problems}
    assert {"image:a.yaml:1", "image:c.yml:1"} <= places
