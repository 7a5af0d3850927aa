"""What all tests share: golden files, compared or, with `--accept`, rewritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[Path, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the golden files; the review is the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare text with a golden file."""
    accept = request.config.getoption("--accept")

    def compare(path: Path, text: str) -> None:
        if accept:
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"{path} is missing; run pytest --accept and look at it"
        assert text == path.read_text(encoding="utf-8")

    return compare
