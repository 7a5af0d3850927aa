"""What all tests share: golden files, compared or, with `--accept`, rewritten."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[Path, str], None]

TESTS = Path(__file__).parent
# What starts processes and servers by the dozen: run by `make test`, left out of `make check`, which is to be quick.
THOROUGH = (
    "contract/test_shell.py",
    "plugins/test_examples.py",
    "plugins/test_etcd.py",
    "unit/actions/test_cuts.py",
    "unit/cli/commands/test_manifest.py",
    "unit/cli/commands/test_plugin.py",
    "unit/cli/commands/test_remote_commands.py",
    "unit/image/remote/",
    "unit/image/test_build_faults.py",
    "unit/image/test_hostile_images.py",
    "unit/image/test_run.py",
    "unit/image/test_several_at_once.py",
    "unit/image/trust/test_carry.py",
    "unit/plugin/test_artefacts.py",
    "unit/plugin/test_child.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(TESTS) and str(item.path.relative_to(TESTS)).startswith(THOROUGH):
            item.add_marker("thorough")


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
