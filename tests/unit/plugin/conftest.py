"""What the tests of plugins share."""

from __future__ import annotations

import pytest

from sealpy.testing.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """Give a stage with two masters and a worker, and short deadlines."""
    return Stage()
