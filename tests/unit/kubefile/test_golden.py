"""Whole Kubefiles, many of them from the field: what is read from each, or all that is said against it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from sealpy.errors import KubefileError
from sealpy.kubefile import Instruction, loads

CASES = Path(__file__).parents[2] / "golden" / "kubefile"
GOOD = sorted(case.name for case in CASES.iterdir() if not case.name.startswith("bad-"))
BAD = sorted(case.name for case in CASES.iterdir() if case.name.startswith("bad-"))


def written(instruction: Instruction) -> dict[str, object]:
    """Give what the file says, without what it left out."""
    return {name: value for name, value in asdict(instruction).items() if value is not None and value not in ("", ())}


@pytest.mark.parametrize("case", GOOD)
def test_a_kubefile_is_read_into_the_instructions_that_it_means(case: str, golden: Callable[[Path, str], None]) -> None:
    read = loads((CASES / case / "Kubefile").read_bytes().decode())
    result = {
        "instructions": [{type(found).__name__: written(found)} for found in read.instructions],
        "notices": [str(notice) for notice in read.notices],
    }
    golden(CASES / case / "result.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_kubefile_is_refused_with_every_problem_and_what_to_write(
    case: str, golden: Callable[[Path, str], None]
) -> None:
    with pytest.raises(KubefileError) as caught:
        loads((CASES / case / "Kubefile").read_bytes().decode())
    lines = [caught.value.message]
    for problem in caught.value.problems:
        lines += [str(problem), f"    {problem.hint}"]
    golden(CASES / case / "error.txt", "\n".join(lines) + "\n")
