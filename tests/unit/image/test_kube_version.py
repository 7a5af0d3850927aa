from __future__ import annotations

import pytest

from sealpy.errors import ImageError
from sealpy.image.kube_version import CONSTRAINT_LABEL, VERSION_LABEL, check_kubernetes


@pytest.mark.parametrize(
    ("labels", "version"),
    [
        ({}, "v1.34.4"),
        ({CONSTRAINT_LABEL: ">= 1.30"}, ""),
        ({CONSTRAINT_LABEL: ">= 1.30"}, "v1.34.4"),
        ({CONSTRAINT_LABEL: ">= 1.30", VERSION_LABEL: "v1.34.4"}, ""),
    ],
)
def test_an_image_is_for_every_version_that_its_constraint_allows(labels: dict[str, str], version: str) -> None:
    check_kubernetes("shop:1", labels, version=version)


def test_another_version_is_refused_with_both() -> None:
    with pytest.raises(ImageError) as caught:
        check_kubernetes("shop:1", {CONSTRAINT_LABEL: "< 1.30", VERSION_LABEL: "v1.34.4"})
    assert caught.value.message == "shop:1: it is for Kubernetes < 1.30, and this is v1.34.4"
    assert caught.value.hint
    with pytest.raises(ImageError, match=r"and this is v1\.31\.0"):
        check_kubernetes("shop:1", {CONSTRAINT_LABEL: "< 1.30", VERSION_LABEL: "v1.29.0"}, version="v1.31.0")


@pytest.mark.parametrize("labels", [{CONSTRAINT_LABEL: "new"}, {CONSTRAINT_LABEL: ">= 1", VERSION_LABEL: "latest"}])
def test_what_cannot_be_compared_is_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ImageError, match="its version of Kubernetes cannot be told"):
        check_kubernetes("shop:1", {VERSION_LABEL: "v1.34.4", **labels})
