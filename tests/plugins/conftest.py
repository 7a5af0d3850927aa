"""The public door: a plugin type is found in the registry, bound, and fired by a hook."""

from __future__ import annotations

import pytest

from sealpy.testing.stage import Stage, cluster


@pytest.fixture
def stage() -> Stage:
    """Give a stage with one master and one worker."""
    return Stage(inventory=cluster(masters=("10.0.0.1",), nodes=("10.0.0.2",)))
