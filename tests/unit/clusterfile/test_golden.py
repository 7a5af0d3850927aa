"""Whole Clusterfiles, many of them from the field: what is read from each, or all that is said against it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from sealpy.clusterfile import dumps, loads, without_secrets
from sealpy.errors import ClusterfileError

CASES = Path(__file__).parents[2] / "golden" / "clusterfile"
VALID = sorted(case.name for case in CASES.iterdir() if case.name.startswith("valid-"))
INVALID = sorted(case.name for case in CASES.iterdir() if case.name.startswith("invalid-"))


@pytest.mark.parametrize("case", VALID)
def test_a_clusterfile_is_read_into_what_it_means(case: str, golden: Callable[[Path, str], None]) -> None:
    read = loads((CASES / case / "Clusterfile").read_bytes().decode(), name="Clusterfile")
    golden(CASES / case / "result.json", json.dumps(asdict(read), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("case", VALID)
def test_a_clusterfile_is_written_without_secrets_and_reads_back_the_same(
    case: str, golden: Callable[[Path, str], None]
) -> None:
    read = loads((CASES / case / "Clusterfile").read_bytes().decode(), name="Clusterfile")
    text = dumps(read)
    golden(CASES / case / "saved.yaml", text)
    assert loads(text, name="saved") == without_secrets(read)
    assert not {"passwd:", "pkPasswd:", "sudoPasswd:", "password:"} & set(text.split())


@pytest.mark.parametrize("case", INVALID)
def test_a_wrong_clusterfile_is_refused_with_every_problem_and_what_to_write(
    case: str, golden: Callable[[Path, str], None]
) -> None:
    with pytest.raises(ClusterfileError) as caught:
        loads((CASES / case / "Clusterfile").read_bytes().decode(), name="Clusterfile")
    lines = [caught.value.message]
    for problem in caught.value.problems:
        lines += [str(problem), f"    {problem.hint}"]
    golden(CASES / case / "error.txt", "\n".join(lines) + "\n")
    assert "literal-secret" not in "\n".join(lines)
