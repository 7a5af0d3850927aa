from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.kubernetes.preparation.download import Site
from sealpy.errors import DigestMismatchError, SealpyError
from tests.unit.examples.release_site import ReleaseSite, serving

URL = "https://releases.example/v1/tool"
PATH = "/releases.example/v1/tool"
CONTENT = bytes(range(256)) * 20
SUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def releases() -> Iterator[ReleaseSite]:
    with serving(ReleaseSite(files={PATH: CONTENT})) as site:
        yield site


def fetch(releases: ReleaseSite, into: Path, *, sha256: str = SUM) -> Path:
    return Site(releases.url).fetch(URL, sha256=sha256, into=into)


def test_a_mirror_holds_each_site_below_its_host_name() -> None:
    assert Site("http://mirror.example/k/").address(URL) == f"http://mirror.example/k{PATH}"
    assert Site().address(URL) == URL


def test_a_file_is_fetched_once_and_kept(releases: ReleaseSite, tmp_path: Path) -> None:
    first, second = fetch(releases, tmp_path), fetch(releases, tmp_path)
    assert first == second
    assert first.name == "tool"
    assert first.read_bytes() == CONTENT
    assert len(releases.asked) == 1


def test_a_file_with_another_sum_is_refused_and_not_kept(releases: ReleaseSite, tmp_path: Path) -> None:
    with pytest.raises(DigestMismatchError, match=f"its SHA-256 is {SUM}, not {'0' * 64}"):
        fetch(releases, tmp_path, sha256="0" * 64)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_cut_connection_is_resumed_where_it_ended(releases: ReleaseSite, tmp_path: Path) -> None:
    releases.cut_after[PATH] = 1000
    assert fetch(releases, tmp_path).read_bytes() == CONTENT
    assert releases.asked == [(PATH, ""), (PATH, "bytes=1000-")]


def test_what_an_earlier_run_left_is_resumed(releases: ReleaseSite, tmp_path: Path) -> None:
    (tmp_path / SUM).mkdir()
    (tmp_path / SUM / "tool.part").write_bytes(CONTENT[:300])
    assert fetch(releases, tmp_path).read_bytes() == CONTENT
    assert releases.asked == [(PATH, "bytes=300-")]


def test_a_site_that_cannot_resume_sends_it_again(releases: ReleaseSite, tmp_path: Path) -> None:
    releases.ignores_ranges = True
    releases.cut_after[PATH] = 1000
    assert fetch(releases, tmp_path).read_bytes() == CONTENT


def test_a_leftover_longer_than_the_file_is_thrown_away(releases: ReleaseSite, tmp_path: Path) -> None:
    (tmp_path / SUM).mkdir()
    (tmp_path / SUM / "tool.part").write_bytes(CONTENT + b"more")
    assert fetch(releases, tmp_path).read_bytes() == CONTENT


def test_a_leftover_that_is_wrong_is_noticed(releases: ReleaseSite, tmp_path: Path) -> None:
    (tmp_path / SUM).mkdir()
    (tmp_path / SUM / "tool.part").write_bytes(b"x" * 300)
    with pytest.raises(DigestMismatchError):
        fetch(releases, tmp_path)
    assert fetch(releases, tmp_path).read_bytes() == CONTENT


def test_a_missing_file_names_its_address(releases: ReleaseSite, tmp_path: Path) -> None:
    del releases.files[PATH]
    with pytest.raises(SealpyError, match=f"{PATH}: 404 Not Found"):
        fetch(releases, tmp_path)


def test_a_site_that_is_not_there_is_not_reachable() -> None:
    with serving(ReleaseSite()) as site:
        url = site.url
    assert not Site(url).reachable(URL)


def test_other_schemes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SealpyError, match="not an http address"):
        Site("file:///etc").fetch(URL, sha256=SUM, into=tmp_path)


@pytest.mark.parametrize(
    "sums",
    [SUM, f"{SUM}\n", f"{SUM}  tool\n", f"{'1' * 64}  other\n{SUM} *tool\n", f"{SUM}  ./bin/tool", SUM.upper()],
    ids=["bare", "bare line", "one name", "many names", "with a folder", "capitals"],
)
def test_published_sums_come_in_several_shapes(releases: ReleaseSite, sums: str) -> None:
    releases.files[f"{PATH}.sha256"] = sums.encode()
    assert Site(releases.url).published_sum(f"{URL}.sha256", name="tool") == SUM


@pytest.mark.parametrize("sums", ["", "<html>", f"{SUM}  other\n", f"{SUM}\n{'1' * 64}\n"])
def test_a_sum_that_is_not_clearly_that_of_the_file_is_refused(releases: ReleaseSite, sums: str) -> None:
    releases.files[f"{PATH}.sha256"] = sums.encode()
    with pytest.raises(SealpyError, match="holds no SHA-256 of 'tool'"):
        Site(releases.url).published_sum(f"{URL}.sha256", name="tool")
