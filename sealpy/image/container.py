"""Write container images: a tree of files becomes an OCI archive, without a container engine.

Same input, same bytes: layers are sorted tars with times and owners 0, compressed by gzip level 6 with time 0. (The
compressed bytes also depend on the version of zlib; the digests in the configuration, of the plain tars, do not.)
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sealpy.image import tarball
from sealpy.image.reference import Reference
from sealpy.image.tarball import File, Member, Source, Symlink, Tree

__all__ = ["ContainerConfig", "File", "Symlink", "Tree", "write_container_image"]

_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_GZIP_WINDOW = 31  # zlib's way to say: a gzip header, with time 0, and the largest window
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerConfig:
    """Say how containers of an image are started; words, not shell text."""

    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    env: Mapping[str, str] | None = None
    user: str = ""
    workdir: str = ""
    labels: Mapping[str, str] | None = None
    architecture: str = "amd64"


@dataclass(frozen=True, slots=True)
class _Blob:
    digest: str
    size: int
    source: Source
    diff_id: str = ""

    def descriptor(self, media_type: str) -> dict[str, object]:
        return {"mediaType": media_type, "digest": self.digest, "size": self.size}


def write_container_image(
    out: Path, *, reference: str, layers: Sequence[Tree], config: ContainerConfig | None = None
) -> str:
    """Write an OCI archive holding one container image, and give the digest of its manifest.

    `layers` go from bottom to top; each is a directory (its modes and symlinks are kept) or a mapping from path to a
    file or directory on disk, bytes, File (with a mode) or Symlink. Owners become 0. The archive appears under its
    name when it is whole. Raises BadReferenceError, ImageError and OSError.
    """
    config = config or ContainerConfig()
    name = Reference.parse(reference)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        blobs = [_write_layer(Path(scratch) / str(n), tree) for n, tree in enumerate(layers)]
        configuration = _json_blob(_configuration(config, blobs))
        manifest = _json_blob(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": configuration.descriptor(_CONFIG),
                "layers": [blob.descriptor(_LAYER) for blob in blobs],
            }
        )
        whole = Path(scratch) / "archive"
        with whole.open("wb") as file:
            for piece in tarball.write(_archive(name, manifest, [manifest, configuration, *blobs])):
                file.write(piece)
        whole.replace(out)
    return manifest.digest


def _write_layer(path: Path, tree: Tree) -> _Blob:
    plain, packed = hashlib.sha256(), hashlib.sha256()
    gzip = zlib.compressobj(6, zlib.DEFLATED, _GZIP_WINDOW)
    with path.open("wb") as file:
        for piece in tarball.write(tarball.walk(tree)):
            plain.update(piece)
            out = gzip.compress(piece)
            packed.update(out)
            file.write(out)
        out = gzip.flush()
        packed.update(out)
        file.write(out)
    return _Blob(f"sha256:{packed.hexdigest()}", path.stat().st_size, path, f"sha256:{plain.hexdigest()}")


def _configuration(config: ContainerConfig, layers: Sequence[_Blob]) -> dict[str, object]:
    run: dict[str, object] = {
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.cmd),
        "Env": [f"{key}={value}" for key, value in (config.env or {}).items()],
        "User": config.user,
        "WorkingDir": config.workdir,
        "Labels": dict(config.labels or {}),
    }
    return {
        "created": _EPOCH,
        "architecture": config.architecture,
        "os": "linux",
        "config": {key: value for key, value in run.items() if value},
        "rootfs": {"type": "layers", "diff_ids": [blob.diff_id for blob in layers]},
        "history": [{"created": _EPOCH, "created_by": "sealpy"} for _ in layers],
    }


def _json_blob(value: object) -> _Blob:
    data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return _Blob(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), data)


def _archive(name: Reference, manifest: _Blob, blobs: Sequence[_Blob]) -> list[tuple[Member, Source]]:
    annotations = {"io.containerd.image.name": str(name), "org.opencontainers.image.ref.name": str(name)}
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [{**manifest.descriptor(_MANIFEST), "annotations": annotations}],
    }
    listing = _json_blob(index)
    entries: list[tuple[Member, Source]] = [
        (Member("oci-layout", size=len(_LAYOUT)), _LAYOUT),
        (Member("index.json", size=listing.size), listing.source),
    ]
    entries += [(Member(path, "dir", 0o755), b"") for path in ("blobs", "blobs/sha256")]
    unique = {blob.digest.partition(":")[2]: blob for blob in blobs}
    entries += [(Member(f"blobs/sha256/{hex_}", size=b.size), b.source) for hex_, b in sorted(unique.items())]
    return entries
