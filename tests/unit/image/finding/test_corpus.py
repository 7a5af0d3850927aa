"""Public manifests and lists that people really wrote: what is found in each equals a list made by hand.

The files stand beside the checkout, in ../shared/corpus/images; the lists are in tests/golden/images/corpus. A line
that begins with `?` is an image that is not taken unless `manifests/imageRules` says so, but told.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.image.finding import IMAGE_LIST, IMAGE_RULES, Found, find
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.tarball import Member, Source

CHECKOUT = Path(__file__).parents[4]
CORPUS = CHECKOUT.parent / "shared" / "corpus" / "images"
LISTS = sorted((CHECKOUT / "tests" / "golden" / "images" / "corpus").glob("*.txt"))

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"the public files are not here: {CORPUS}")


def searched(name: str, *, rules: bytes = b"") -> Found:
    data = (CORPUS / name).read_bytes()
    path = IMAGE_LIST if name.endswith(".imageList") else f"manifests/{name}"
    files: dict[str, tuple[Member, Source]] = {path: (Member(path, size=len(data)), data)}
    if rules:
        files[IMAGE_RULES] = (Member(IMAGE_RULES, size=len(rules)), rules)
    return find(files, metadata=Metadata(), context=CORPUS)


def by_hand(path: Path) -> tuple[set[str], set[str]]:
    lines = path.read_text("utf-8").splitlines()
    doubted = {line.removeprefix("? ") for line in lines if line.startswith("? ")}
    return {line for line in lines if line and not line.startswith("?")}, doubted


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_what_is_found_in_a_public_file_is_what_a_person_finds_in_it(path: Path) -> None:
    found = searched(path.stem)
    doubts = {Reference.parse(doubt.text).familiar for doubt in found.doubts}
    assert ({reference.familiar for reference in found.mentions}, doubts) == by_hand(path)


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_two_words_of_rules_take_the_rest(path: Path) -> None:
    found = searched(path.stem, rules=b"use: [olm, openebs]")
    taken, doubted = by_hand(path)
    assert ({reference.familiar for reference in found.mentions}, list(found.doubts)) == (taken | doubted, [])


def test_values_of_a_chart_and_lists_with_passwords_are_no_manifests() -> None:
    for name in (
        "AliyunContainerService-ackdistro-chart-etcd-backup-values.yaml",
        "sealerio-sealer.cool-docs-imageListWithAuth.yaml",
    ):
        assert searched(name) == Found()


def test_every_file_of_the_corpus_is_looked_at() -> None:
    rest = {path.name for path in CORPUS.iterdir()} - {path.stem for path in LISTS}
    assert sorted(name.rpartition("-")[2] for name in rest) == ["imageListWithAuth.yaml", "values.yaml"]
