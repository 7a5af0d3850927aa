"""A registry that misbehaves when it is told to, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.testing.registry import FakeRegistry
from tests.unit.image.remote.client import Client


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry.running() as running:
        yield running


@pytest.fixture
def client(tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Client:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return Client(tmp_path, registry)
