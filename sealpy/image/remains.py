"""What is kept of an image behind a cluster, so that the cluster can be removed when the image is gone."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from sealpy.errors import ImageError
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.manifest import Descriptor, ImageConfig, Manifest
from sealpy.image.metadata import PLUGIN_DIRECTORIES, Metadata, read_metadata, to_annotations
from sealpy.image.payload import Item
from sealpy.image.reference import Reference
from sealpy.image.store import Store
from sealpy.image.tarball import Member

__all__ = ["Remains", "kept_remains", "nothing_of", "read_remains", "remains_of"]

_CONFIGURATION = ("etc/kubeadm.yml", "etc/kubeadm.yml.tmpl")  # without one of them it is no cluster image


@dataclass(frozen=True, slots=True)
class Remains(ClusterImage):
    """Be an image of which only the metadata and a few small files are left."""

    contents: Mapping[str, bytes] = field(default_factory=dict)

    def read(self, path: str) -> bytes:
        """Read a whole file; raises ImageError for one that was not kept."""
        try:
            return self.contents[path]
        except KeyError as error:
            raise ImageError(f"{path}: not kept of image {self.reference.familiar!r}") from error

    def item(self, entry: Entry) -> Item:
        """Make an entry an item of a TreePayload."""
        data = self.read(entry.path)
        return Item(Member(entry.path, entry.kind, entry.mode, len(data), entry.target), data)


def remains_of(image: ClusterImage) -> str:
    """Write the metadata of an image and its plugins as JSON; equal images give equal texts.

    What its apps are launched with is left out: it may be the user's, with secrets, and nobody launches what is left.
    """
    apps = tuple(app.model_copy(update={"env": {}, "cmds": ()}) for app in image.metadata.applications)
    wanted = {
        path: image.read(path)
        for path, entry in image.files.items()
        if entry.kind == "file" and (path in _CONFIGURATION or str(PurePosixPath(path).parent) in PLUGIN_DIRECTORIES)
    }
    return json.dumps(
        {
            "image": str(image.reference),
            "digest": image.digest,
            "architecture": image.config.architecture,
            "annotations": to_annotations(
                image.metadata.model_copy(update={"container_images": (), "applications": apps})
            ),
            "kubelet": image.files["bin/kubelet"].sha256 if "bin/kubelet" in image.files else "",
            "files": {path: base64.b64encode(data).decode() for path, data in sorted(wanted.items())},
        },
        sort_keys=True,
    )


def read_remains(text: str) -> Remains:
    """Read what `remains_of` wrote; raises ImageError for anything else."""
    try:
        found = json.loads(text)
        files = {path: base64.b64decode(data) for path, data in found["files"].items()}
        image = Reference.parse(found["image"])
        manifest = Manifest(config=_blob(found["digest"]), layers=(), annotations=found["annotations"])
        config = ImageConfig(architecture=found["architecture"], os="linux")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(f"what was kept of an image cannot be read: {error}") from error
    remains = _remains(image, found["digest"], config, read_metadata(manifest, config), files)
    if kubelet := found.get("kubelet"):  # by it another Kubernetes is told from another application
        return replace(remains, files={**remains.files, "bin/kubelet": Entry("bin/kubelet", sha256=kubelet)})
    return remains


def kept_remains(path: Path) -> Remains | None:
    """Read what a run kept in a file; None where there is none."""
    return read_remains(path.read_text(encoding="utf-8")) if path.is_file() else None


def nothing_of(reference: Reference) -> Remains:
    """Give an image of which nothing is known but its name."""
    config = ImageConfig(architecture="", os="linux")
    return _remains(reference, "sha256:" + "0" * 64, config, Metadata(), {_CONFIGURATION[0]: b""})


def _remains(
    reference: Reference, digest: str, config: ImageConfig, metadata: Metadata, files: Mapping[str, bytes]
) -> Remains:
    blob = _blob(digest)
    entries = {
        path: Entry(path, "file", 0o644, len(data), sha256=hashlib.sha256(data).hexdigest())
        for path, data in files.items()
    }
    return Remains(
        store=Store(Path("/nonexistent")),
        reference=reference,
        descriptor=blob,
        manifest=Manifest(config=blob, layers=()),
        config=config,
        metadata=metadata,
        layers={},
        files=entries,
        contents=files,
    )


def _blob(digest: str) -> Descriptor:
    return Descriptor(media_type="application/octet-stream", digest=digest, size=0)
