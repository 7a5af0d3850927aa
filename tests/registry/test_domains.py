"""What the registry of a cluster serves: two domains with one path are two images, for any client."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sealpy.image.archives import Library
from sealpy.image.assemble import assemble, write_layer
from sealpy.image.container import write_container_image
from sealpy.image.metadata import Metadata
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import layers, short_names
from sealpy.image.store import Store
from tests.registry.servers import serving

NAMES = ("x/y:1", "quay.io/x/y:1", "registry:5000/x/y:1", "quay.io/alone/one:1")


def test_each_domain_is_served_below_its_own_path_and_a_path_alone_only_when_it_means_one(
    tmp_path: Path, crane: str
) -> None:
    digests = {
        name: write_container_image(
            tmp_path / "archives" / f"{number}.tar", reference=name, layers=[{"f": name.encode()}]
        )
        for number, name in enumerate(NAMES)
    }
    _lay_out(tmp_path, tmp_path / "registry" / "data")
    with serving("plain", tmp_path / "registry") as registry:
        for path, name in {
            "docker.io/x/y": "x/y:1",
            "quay.io/x/y": "quay.io/x/y:1",
            "registry_5000/x/y": "registry:5000/x/y:1",
            "quay.io/alone/one": "quay.io/alone/one:1",
            "alone/one": "quay.io/alone/one:1",
        }.items():
            done = subprocess.run(
                [crane, "validate", "--remote", f"{registry.address}/{path}:1", "--insecure"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            told = subprocess.run(
                [crane, "digest", f"{registry.address}/{path}:1", "--insecure"],
                capture_output=True,
                text=True,
                check=True,
            )
            assert told.stdout.strip() == digests[name]
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run(
                [crane, "digest", f"{registry.address}/x/y:1", "--insecure"], capture_output=True, check=True
            )


def _lay_out(work: Path, root: Path) -> None:
    """Write the registry of a cluster image as it stands on a host."""
    library = Library([work / "archives"], architecture="amd64")
    images = {reference: image for reference in map(Reference.parse, NAMES) if (image := library.find(reference))}
    store = Store(work / "images")
    with store.keeping():
        cut = layers(images, short=short_names(images, {}), present=())
        written = [write_layer(store, content) for _, content, _ in cut]
        made = assemble(store, "x:1", base=None, layers=written, metadata=Metadata())
    for path, entry in made.files.items():
        target = root / path.removeprefix("registry/")
        if path.startswith("registry/") and entry.kind == "file":
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(made.read(path))
