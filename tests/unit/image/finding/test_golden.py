"""Golden cases: a rootfs, and beside it the images found in it with their places, and what may have been missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.finding import Found, find
from sealpy.image.finding.programs import HELM, KUSTOMIZE, command_of
from sealpy.image.metadata import Metadata
from sealpy.image.tarball import Member, Source

GOLDEN = Path(__file__).parents[3] / "golden" / "images"
CASES = sorted(path.name for path in GOLDEN.iterdir() if (path / "rootfs").is_dir())
PROGRAMS = {"chart": HELM, "kustomization": KUSTOMIZE}


def files_of(root: Path) -> dict[str, tuple[Member, Source]]:
    paths = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {p.relative_to(root).as_posix(): (Member(str(p.relative_to(root)), size=p.stat().st_size), p) for p in paths}


def searched(case: Path) -> Found:
    described = case / "metadata.json"
    metadata = Metadata.model_validate_json(described.read_bytes()) if described.exists() else Metadata()
    return find(files_of(case / "rootfs"), metadata=metadata, context=case)


def written(found: Found) -> str:
    lines = []
    for reference, mentions in sorted(found.mentions.items()):
        lines.append(reference.familiar)
        for mention in mentions:
            spot = mention.spot
            document = f" document {spot.document}" if spot.document else ""
            lines.append(f"  {spot}{document} {spot.path} [{spot.rule}]{' app ' + mention.app if mention.app else ''}")
    for warning in found.warnings():
        lines += [f"warning: {warning}", f"  hint: {warning.hint}"]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize("case", CASES)
def test_a_rootfs_names_these_images(case: str, golden: Callable[[Path, str], None]) -> None:
    if program := PROGRAMS.get(case):
        try:
            command_of(program, needed_for=case)
        except ImageError as error:
            pytest.skip(f"{error}; {error.hint}")
    try:
        text = written(searched(GOLDEN / case))
    except ImageError as error:
        text = "\n".join([str(error), *(f"  {p}\n    hint: {p.hint}" for p in error.problems), ""])
    assert case.startswith("bad-") == (not text or "where container images cannot be told" in text)
    golden(GOLDEN / case / "found.txt", text)
