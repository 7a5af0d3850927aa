"""A home for sealpy in each test, so that none can touch the real one."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
