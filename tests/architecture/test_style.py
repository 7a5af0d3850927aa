"""What no linter of ours checks: who prints, and how long functions and files are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("sealpy", "builtin_plugins", "examples")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if ".context" not in path.parts)
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
SPEAKERS = ("sealpy/cli/", "sealpy/testing/", "examples/")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef))


def prints(path: Path) -> Iterator[int]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno


@pytest.mark.parametrize("path", [path for path in FILES if not name(path).startswith(SPEAKERS)], ids=name)
def test_only_the_command_line_prints(path: Path) -> None:
    assert list(prints(path)) == []


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions(path)}
    assert {known: length for known, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_a_file_fits_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
