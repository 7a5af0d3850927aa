"""The documents of the OCI image specification, as far as we read and write them.

Source: https://github.com/opencontainers/image-spec. Fields that we do not know are passed over when reading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from sealpy.errors import ImageError

__all__ = [
    "DOCKER_LIST",
    "DOCKER_MANIFEST",
    "INDEX_TYPES",
    "LAYOUT",
    "MANIFEST_TYPES",
    "MOST_DOCUMENT",
    "OCI_CONFIG",
    "OCI_INDEX",
    "OCI_LAYER",
    "OCI_LAYER_GZIP",
    "OCI_MANIFEST",
    "REF_NAME",
    "Descriptor",
    "HistoryEntry",
    "ImageConfig",
    "Index",
    "Manifest",
    "Platform",
    "RootFS",
    "RunConfig",
    "digest_of",
    "encode",
    "parse",
]

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = OCI_LAYER + "+gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})

MOST_DOCUMENT = 16 << 20
"""Documents are held in memory: one of more bytes is refused. Registries take 4 MiB."""

LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
REF_NAME = "org.opencontainers.image.ref.name"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]


class _Model(BaseModel):
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="ignore"
    )


class Platform(_Model):
    """Name a processor and a system, in Go's words."""

    architecture: str
    os: str = "linux"
    variant: str | None = None


class Descriptor(_Model):
    """Point at a blob: its type, its digest and its size in bytes."""

    media_type: str
    digest: Digest
    size: Size
    annotations: Mapping[str, str] | None = None
    platform: Platform | None = None
    artifact_type: str | None = None


class Manifest(_Model):
    """List the parts of an image for one platform."""

    schema_version: int = 2
    media_type: str = OCI_MANIFEST
    config: Descriptor
    layers: tuple[Descriptor, ...] = ()
    annotations: Mapping[str, str] | None = None
    artifact_type: str | None = None
    subject: Descriptor | None = None


class Index(_Model):
    """List manifests."""

    schema_version: int = 2
    media_type: str = OCI_INDEX
    manifests: tuple[Descriptor, ...] = ()
    annotations: Mapping[str, str] | None = None


class RootFS(_Model):
    """List the digests of the plain (not compressed) layers, from bottom to top."""

    model_config = ConfigDict(alias_generator=None)

    type: str = "layers"
    diff_ids: tuple[Digest, ...] = ()


class RunConfig(BaseModel):
    """Hold what containers of the image would be started with; keys have capitals in the specification."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    env: tuple[str, ...] | None = Field(default=None, alias="Env")
    labels: Mapping[str, str] | None = Field(default=None, alias="Labels")


class HistoryEntry(BaseModel):
    """Say what made a layer, or what was said without making one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    created: str | None = None
    created_by: str | None = None
    empty_layer: bool | None = None


class ImageConfig(BaseModel):
    """Hold the configuration of an image."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    created: str | None = None
    architecture: str = "amd64"
    os: str = "linux"
    variant: str | None = None
    config: RunConfig | None = None
    rootfs: RootFS = RootFS()
    history: tuple[HistoryEntry, ...] | None = None


M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], data: bytes, *, what: str) -> M:
    """Read a document; raises ImageError that names `what` it is and the first field that is wrong."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = f"{field}: {first['msg']}" if field else first["msg"]
        raise ImageError(
            f"{what}: not a valid {model.__name__}: {reason.lower()}", hint="get the image again"
        ) from error


def encode(model: BaseModel) -> bytes:
    """Write a document, always in the same bytes: keys sorted, no blanks, nothing empty."""
    value = model.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of(data: bytes) -> str:
    """Give the digest of some bytes, such as `sha256:2c26…`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
