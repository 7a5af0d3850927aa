from __future__ import annotations

import pytest

from sealpy.kubefile.constraint import ConstraintError, allows

FITS = [
    (">= 1.30, < 1.36", "v1.34.4", True),
    (">= 1.30, < 1.36", "v1.36.0", False),
    (">=1.30 <1.36", "1.30.0", True),
    (">=v1.30.2", "1.30.1", False),
    ("=> 1.30.2", "1.30.2", True),
    ("1.30", "1.30.9", True),
    ("1.30", "1.31.0", False),
    ("1.30.4", "1.30.4", True),
    ("1.30.4", "1.30.5", False),
    ("= 1.30.x", "1.30.7", True),
    ("1.*", "1.99.0", True),
    ("*", "0.1.0", True),
    ("!= 1.30.1", "1.30.1", False),
    ("!= 1.30", "1.30.5", False),
    ("!= 1.30", "1.31.0", True),
    ("> 1.30", "1.30.5", False),
    ("> 1.30", "1.31.0", True),
    ("<= 1.30", "1.30.5", True),
    ("=< 1.30.4", "1.30.5", False),
    ("~1.30", "1.30.8", True),
    ("~1.30.2", "1.30.1", False),
    ("~> 1.30.2", "1.31.0", False),
    ("~1", "1.99.0", True),
    ("^1.30", "1.99.0", True),
    ("^1.30", "2.0.0", False),
    ("^0.3.1", "0.4.0", False),
    ("1.30 - 1.32", "1.32.7", True),
    ("1.30 - 1.32", "1.33.0", False),
    ("< 1.20 || >= 1.30", "1.19.1", True),
    ("< 1.20 || >= 1.30", "1.25.0", False),
    (">= 1.x", "1.30.0", True),
    (">= 1.30", "1.30.0-rc.1", False),
    ("< 1.31", "1.30.0-rc.1", True),
    ("1.30.4-alpha.1+k3s1", "1.30.4-alpha.1", True),
]


@pytest.mark.parametrize(("constraint", "version", "fits"), FITS)
def test_a_version_fits_a_constraint_or_not(constraint: str, version: str, *, fits: bool) -> None:
    assert allows(constraint, version) is fits


@pytest.mark.parametrize(
    "constraint",
    ["", "latest", ">= ", ">= 1.30,", "1.30 <", "1.2.3.4", ">> 1", "1.30 || ", "v", ">= x", "~*", "1.30, < X"],
)
def test_a_text_that_is_no_constraint_is_refused(constraint: str) -> None:
    with pytest.raises(ConstraintError):
        allows(constraint, "1.30.0")


@pytest.mark.parametrize("version", ["", "latest", "1.x"])
def test_a_text_that_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ConstraintError, match="is no version"):
        allows(">= 1.0", version)
