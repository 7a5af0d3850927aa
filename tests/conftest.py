"""What all tests share: golden files, compared or, with `--accept`, rewritten; the table of faults."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import faults
from tests.faults import fault, pytest_terminal_summary

__all__ = ["Golden", "fault", "golden", "pytest_terminal_summary"]

Golden = Callable[[Path, str], None]

# A shell that starts us in the background without job control lets us, and all that we start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
# Which tests have a marker by the place of their files: all of them are for `make test`; `make check` is to be quick.
PLACES = {
    "e2e": ("e2e/",),
    "registry": ("registry/",),
    "ssh": ("ssh/",),
    # What starts processes and servers by the dozen, leads simulated clusters through their lives, or tries many cases.
    "thorough": (
        "cli/test_interrupt.py",
        "contract/test_shell.py",
        "plugins/test_etcd.py",
        "plugins/test_examples.py",
        "unit/actions/test_application.py",
        "unit/actions/test_application_cuts.py",
        "unit/actions/test_change.py",
        "unit/actions/test_cuts.py",
        "unit/actions/test_delete.py",
        "unit/actions/test_references.py",
        "unit/actions/test_remove.py",
        "unit/actions/test_upgrade.py",
        "unit/cli/commands/test_build.py",
        "unit/cli/commands/test_manifest.py",
        "unit/cli/commands/test_plugin.py",
        "unit/cli/commands/test_remote_commands.py",
        "unit/clusterfile/test_dump.py",
        "unit/distributors/test_stream.py",
        "unit/image/archive/test_load.py",
        "unit/image/archive/test_save.py",
        "unit/image/building/test_build_faults.py",
        "unit/image/building/test_run.py",
        "unit/image/finding/test_charts.py",
        "unit/image/finding/test_likeness.py",
        "unit/image/remote/",
        "unit/image/store/test_several_at_once.py",
        "unit/image/test_hostile_images.py",
        "unit/image/trust/test_bills.py",
        "unit/image/trust/test_carry.py",
        "unit/plugin/test_artefacts.py",
        "unit/plugin/test_child.py",
        "unit/plugin/test_hook.py",
        "unit/plugin/test_terms.py",
    ),
}


@cache
def markers(path: Path) -> frozenset[str]:
    """Name the markers that a file or folder has by its place."""
    if not path.is_relative_to(TESTS):
        return frozenset()
    place = f"{path.relative_to(TESTS).as_posix()}/"
    return frozenset(marker for marker, places in PLACES.items() if place.startswith(places))


# Hypothesis: the same examples everywhere, on the slowest machine as well; others by --hypothesis-profile=search.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", settings.get_profile("same"), derandomize=False, max_examples=2000)
settings.load_profile("same")


def pytest_configure() -> None:
    """Let the tests find the same in every session: a usual umask, and no proxy between them and their own servers."""
    gc.disable()  # until all is collected
    os.umask(0o022)
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = f"127.0.0.1,localhost,::1,{os.environ.get(name, '')}".rstrip(",")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files unread that `-m` leaves out as a whole: every process that tests would read them all."""
    wanted = config.getoption("markexpr")
    if not re.fullmatch(r"(not )?\w+( and (not )?\w+)*", wanted):
        return None
    left_out = {term.removeprefix("not ") for term in wanted.split(" and ") if term.startswith("not ")}
    return True if markers(collection_path) & left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in markers(item.path):
            item.add_marker(marker)


def pytest_collection_finish() -> None:
    """Spare the collector of memory what stays to the end: thousands of tests, and the modules they use."""
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite the golden files; the review is the diff")
    faults.pytest_addoption(parser)


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
