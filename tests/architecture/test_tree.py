"""The map in README.md cannot lie: its captions are the first docstring lines of the packages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "sealpy"
ENTRY = re.compile(r"^(?P<indent>[│ ]*)[├└]── (?P<name>[\w./]+) +(?P<caption>\S.*)$")


def first_line(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def plain(caption: str) -> str:
    """Give a caption as it is compared: without the list of examples behind it, the case, the full stop."""
    return caption.split("   ", 1)[0].strip().rstrip(".").casefold()


def drawn() -> dict[str, str]:
    """Read the entries below `sealpy/` from the tree in README.md: path → caption."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.split("\nsealpy/\n", 1)[1].split("```", 1)[0]
    entries: dict[str, str] = {}
    parents: list[str] = []
    for line in tree.splitlines():
        if found := ENTRY.match(line):
            depth = len(found["indent"]) // 4
            parents[depth:] = [found["name"].rstrip("/")]
            entries["/".join(parents)] = found["caption"]
    return entries


DRAWN = drawn()


@pytest.mark.parametrize("path", sorted(DRAWN))
def test_a_caption_in_the_tree_is_the_first_docstring_line(path: str) -> None:
    file = PACKAGE / path
    source = file / "__init__.py" if file.is_dir() else file
    assert plain(first_line(source)).startswith(plain(DRAWN[path]))


def test_every_package_and_every_page_at_the_top_is_in_the_tree() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    pages = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert packages | pages == {path for path in DRAWN if "/" not in path}


def test_the_top_level_stays_as_it_is() -> None:
    expected = {
        "CHANGELOG.md", "Kubefile.example", "LICENSE", "Makefile", "README.md", "builtin_plugins", "examples",
        "pyproject.toml", "sealpy", "tests",
    }  # fmt: skip
    ignored = {"build", "dist"}
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - ignored
    assert found == expected
