"""Names of the ways to write images into files."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Compression", "Format"]


class Format(StrEnum):
    """Name a way to write images: `docker-archive` is an OCI archive that `docker load` takes as well."""

    OCI_ARCHIVE = "oci-archive"
    OCI_DIR = "oci-dir"
    DOCKER_ARCHIVE = "docker-archive"
    DOCKER_DIR = "docker-dir"


class Compression(StrEnum):
    """Name a way to pack layers, in podman's words."""

    GZIP = "gzip"
