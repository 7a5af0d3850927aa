"""The rootfs of an image as a directory, as a host gets it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from sealpy.errors import ConfigError, ImageError
from sealpy.image.beside import directory_beside, require_parent
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.files import Entry
from sealpy.image.store.blobs import telling_full_disk
from sealpy.image.tarball import Range, read

__all__ = ["export"]


def export(image: ClusterImage, out: Path, *, on_bytes: Callable[[int], None] = lambda _: None) -> int:
    """Write the files of an image into a new or empty directory; gives their number.

    It appears under its name when it is whole. Modes are those of the image; the owner is who asks. Every file is
    verified. Raises ConfigError for a directory that has something in it or lies in none, ImageError for a file that is
    damaged.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out}: there already", hint="name a directory that is new or empty")
    require_parent(out)
    with (
        telling_full_disk(out.parent, hint="write to another disk, or make room there"),
        directory_beside(out) as beside,
    ):
        for entry in image.files.values():
            _write(image, entry, beside / entry.path, on_bytes)
        for entry in [*image.files.values()][::-1]:  # last, from below: one may forbid its owner to write
            if entry.kind == "dir":
                (beside / entry.path).chmod(entry.mode)
        beside.chmod(0o755)
        beside.replace(out)
    return sum(entry.kind != "dir" for entry in image.files.values())


def _write(image: ClusterImage, entry: Entry, path: Path, on_bytes: Callable[[int], None]) -> None:
    """Write one entry; the directories above it are ours, made before it, so nothing leads out of the tree."""
    match entry.kind:
        case "dir":
            path.mkdir(mode=0o700)
        case "symlink":
            path.symlink_to(entry.target)
        case "file":
            seen = hashlib.sha256()
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                for piece in read(Range(image.store.blob_path(entry.layer), entry.offset), entry.size):
                    seen.update(piece)
                    file.write(piece)
                    on_bytes(len(piece))
                os.fchmod(file.fileno(), entry.mode)
            if seen.hexdigest() != entry.sha256:
                hint = "'sealpy store check' tells what to do"
                raise ImageError(f"{entry.path}: damaged in blob {entry.layer} of {image.store.root}", hint=hint)
