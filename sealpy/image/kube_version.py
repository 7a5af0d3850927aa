"""Whether an image is for a version of Kubernetes, as KUBEVERSION of its Kubefile says."""

from __future__ import annotations

from collections.abc import Mapping

from sealpy.errors import ImageError

__all__ = ["CONSTRAINT_LABEL", "VERSION_LABEL", "check_kubernetes"]

CONSTRAINT_LABEL = "app.alpha.sealer.io/supported-kube-version"
VERSION_LABEL = "cluster.alpha.sealer.io/cluster-runtime-version"


def check_kubernetes(name: str, labels: Mapping[str, str], *, version: str = "") -> None:
    """Check the constraint of an image against a version, or else against the one that the image installs.

    An image without a constraint is for every version, and one that does not say what it installs cannot be checked
    against itself. Raises ImageError, which calls the image `name`.
    """
    constraint, version = labels.get(CONSTRAINT_LABEL, ""), version or labels.get(VERSION_LABEL, "")
    if not constraint or not version:
        return
    from sealpy.kubefile.constraint import ConstraintError, allows  # noqa: PLC0415 - few images have one

    try:
        fits = allows(constraint, version)
    except ConstraintError as error:
        hint = "build an image upon it that says KUBEVERSION or LABEL anew"
        raise ImageError(f"{name}: its version of Kubernetes cannot be told: {error}", hint=hint) from error
    if not fits:
        hint = "take an image for this version, or a base of a version that it is for"
        raise ImageError(f"{name}: it is for Kubernetes {constraint}, and this is {version}", hint=hint)
