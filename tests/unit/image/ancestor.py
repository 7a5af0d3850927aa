"""An image as the ancestor made it, by hand: layers packed by gzip, a whiteout, its annotations, its registry's data.

The shape is that of its builder (buildah) and of the embedded registry it filled: repositories without the domain.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealpy.image.manifest import OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST, digest_of

NAME = "docker.io/sealerio/kubernetes:v1.22.15"
_REGISTRY = "registry/docker/registry/v2"
KUBEADM = "apiVersion: kubeadm.k8s.io/v1beta2\nkind: ClusterConfiguration\nkubernetesVersion: v1.22.15\n"

EXTENSION = {
    "buildClient": {"sealerVersion": "0.9.4", "buildahVersion": "1.27.1"},
    "schemaVersion": "v1alpha1",
    "type": "kube-installer",
    "applications": [
        {"name": "web", "type": "kube", "files": ["web.yaml"], "version": "v1", "env": None, "cmds": None},
        {"name": "tool", "type": "shell", "files": ["a.sh"], "env": {"COLOR": "blue"}},
    ],
    "labels": {"cluster.alpha.sealer.io/container-runtime-type": "containerd"},
    "env": {"PodCIDR": "100.64.0.0/10"},
    "launch": {"cmds": None, "app_names": ["web", "tool"]},
}


def tar(files: Mapping[str, bytes | None]) -> bytes:
    """Pack files as buildah does, with times and the directories above them; None is a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.type, info.mode = (tarfile.DIRTYPE, 0o755) if data is None else (tarfile.REGTYPE, 0o644)
            info.size, info.mtime = len(data or b""), 1_663_000_000
            out.addfile(info, io.BytesIO(data or b""))
    return buffer.getvalue()


def container_image(name: str, tag: str, layer: bytes) -> dict[str, bytes]:
    """Give the files of the registry for one container image; `name` is its path, without the domain."""
    blobs: dict[str, bytes] = {}

    def blob(data: bytes, media_type: str) -> dict[str, Any]:
        blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

    docker = "application/vnd.docker."
    config = blob(b'{"architecture":"amd64","os":"linux"}', f"{docker}container.image.v1+json")
    packed = blob(gzip.compress(layer, mtime=0), f"{docker}image.rootfs.diff.tar.gzip")
    media_type = f"{docker}distribution.manifest.v2+json"
    document = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [packed]}
    manifest = blob(json.dumps(document).encode(), media_type)["digest"]
    at = f"{_REGISTRY}/repositories/{name}"
    hexes = {digest: digest.removeprefix("sha256:") for digest in blobs}
    files = {f"{_REGISTRY}/blobs/sha256/{h[:2]}/{h}/data": blobs[digest] for digest, h in hexes.items()}
    links = [f"{at}/_layers/sha256/{hexes[part['digest']]}/link" for part in (config, packed)]
    files |= {link: f"sha256:{link.split('/')[-2]}".encode() for link in links}
    hex_ = hexes[manifest]
    for place in (
        f"revisions/sha256/{hex_}/link", f"tags/{tag}/current/link", f"tags/{tag}/index/sha256/{hex_}/link",
    ):  # fmt: skip
        files[f"{at}/_manifests/{place}"] = manifest.encode()
    return files


def write_ancestor(
    path: Path, *, architectures: tuple[str, ...] = ("amd64",), extension: Mapping[str, Any] | None = None
) -> Path:
    """Write an OCI layout with such an image; for several architectures, a list of them."""
    (path / "blobs" / "sha256").mkdir(parents=True)
    entries = [_platform(path, architecture, extension or EXTENSION) for architecture in architectures]
    top = entries[0] if len(entries) == 1 else _blob(path, _json({"schemaVersion": 2, "manifests": entries}), OCI_INDEX)
    named = {**top, "annotations": {"org.opencontainers.image.ref.name": NAME}}
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (path / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [named]}))
    return path


def _platform(path: Path, architecture: str, extension: Mapping[str, Any]) -> dict[str, Any]:
    layers = [
        tar({
            "bin": None, "bin/kubeadm": b"#!/bin/sh\n", "etc": None, "etc/kubeadm.yml.tmpl": KUBEADM.encode(),
            "etc/old.conf": b"old", "scripts": None, "scripts/init-kube.sh": b"", "scripts/containerd.sh": b"",
            "scripts/init-registry.sh": b"", "images": None, "images/registry.tar": b"registry",
            "manifests": None, "manifests/imageList": b"nginx:1.21\n", "Metadata": b'{"version":"v1.22.15"}',
        }),
        tar({"etc": None, "etc/.wh.old.conf": b""}),
        tar({
            "application": None, "application/apps": None, "application/apps/web": None,
            "application/apps/web/web.yaml": b"kind: Pod\nspec: {containers: [{image: nginx:1.21}]}\n",
            "application/apps/tool": None, "application/apps/tool/a.sh": b"echo $COLOR\n",
        }),
        tar(container_image("library/nginx", "1.21", tar({"f": b"nginx"}))
            | container_image("calico/node", "v3.24.1", tar({"f": b"calico"}))),
    ]  # fmt: skip
    blobs = [_blob(path, gzip.compress(layer, mtime=0), OCI_LAYER_GZIP) for layer in layers]
    config = {
        "created": "2022-11-25T08:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/bin"],
            "Labels": {"io.sealer.version": "v0.9.4", "cluster.alpha.sealer.io/cluster-runtime-version": "v1.22.15"},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        "history": [{"created_by": f"/bin/sh -c #(nop) COPY {n}", "created": "2022-11-25T08:00:00Z"} for n in range(4)],
    }
    platform = {"architecture": architecture, "os": "linux"}
    uses = [
        {"image": "docker.io/library/nginx:1.21", "appName": "web"},
        {"image": "docker.io/calico/node:v3.24.1", "appName": "", "platform": platform},
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(path, _json(config), OCI_CONFIG),
        "layers": blobs,
        "annotations": {
            "sealer.image.extension": json.dumps(extension),
            "sealer.image.container.images": json.dumps(uses),
            "org.opencontainers.image.base.name": "",
        },
    }
    return {**_blob(path, _json(manifest), OCI_MANIFEST), "platform": platform}


def _blob(path: Path, data: bytes, media_type: str) -> dict[str, Any]:
    (path / "blobs" / "sha256" / digest_of(data).removeprefix("sha256:")).write_bytes(data)
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
