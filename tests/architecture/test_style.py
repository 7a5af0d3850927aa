"""What no linter of ours checks: who prints, and how long functions and files are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("sealpy", "builtin_plugins", "examples")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if ".context" not in path.parts)
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
SPEAKERS = ("sealpy/cli/", "sealpy/testing/", "examples/")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def prints(source: str) -> list[int]:
    """List the lines that print."""
    if "print" not in source:  # as in most files, which need no parsing
        return []
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]


def functions(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Name every function with its length in lines, those in classes and in other functions as well."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child.name, (child.end_lineno or 0) - child.lineno + 1
        if not isinstance(child, ast.expr):  # an expression holds lambdas at most
            yield from functions(child)


def test_the_rules_see_what_breaks_them() -> None:
    long = "class A:\n    if True:\n        def f(self):\n" + "            x = 1\n" * 99 + "    def f(self): print(1)\n"
    assert prints(long) == [103]
    assert list(functions(ast.parse(long))) == [("f", 100), ("f", 1)]


def test_only_the_command_line_prints() -> None:
    silent = [path for path in FILES if not name(path).startswith(SPEAKERS)]
    assert {name(path): lines for path in silent if (lines := prints(text(path)))} == {}


def test_a_function_fits_on_a_screen() -> None:
    files = [path for path in FILES if text(path).count("\n") >= LONGEST_FUNCTION]
    lengths = [(name(path), *function) for path in files for function in functions(ast.parse(text(path)))]
    assert [one for one in lengths if one[-1] > LONGEST_FUNCTION] == []


def test_a_file_fits_on_a_few_screens() -> None:
    lengths = {name(path): len(text(path).splitlines()) for path in FILES}
    assert {known: length for known, length in lengths.items() if length > LONGEST_FILE} == {}
