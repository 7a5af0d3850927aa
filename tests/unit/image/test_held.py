"""Container images that are taken out of a cluster image."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import ImageError
from sealpy.image.held import taken_out
from sealpy.image.manifest import digest_of
from sealpy.image.reference import Reference
from sealpy.image.registry_tree import ROOT, blob_path
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image

LINK = f"{ROOT}/repositories/quay.io/a/b/_manifests/tags/1/current/link"


@pytest.mark.parametrize("manifest", [b"no json", b"[]", b'{"mediaType": []}', b'{"mediaType": "x", "layers": 1}'])
def test_what_is_no_manifest_is_refused_with_its_digest(tmp_path: Path, manifest: bytes) -> None:
    digest = digest_of(manifest)
    files = {LINK: digest.encode(), blob_path(digest): manifest}
    with pytest.raises(ImageError, match=f"container image {digest}: not a valid"):
        taken_out(a_stored_image(Store(tmp_path), files), [Reference.parse("quay.io/a/b:1")])
