"""Put what was made together: container images as archives, and the build context."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sealpy.errors import ConfigError, Place, SealpyError

from .cache import Cache, Entry
from .recipes import ContainerImage, Recipes

__all__ = ["Assembly", "with_versions"]

_MARK = re.compile(r"@([a-z][a-z-]*)@")  # @kubernetes@ in a file of rootfs/ is that version
_DEFAULT = re.compile(r"^ARG KubernetesVersion=.*$", re.MULTILINE)
_SEARCHED = "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # kubeadm starts programs of images by name
_STAMP = ".prepared"  # in a context: the digest of all it was made of


@dataclass(frozen=True, slots=True)
class Assembly:
    """Assemble for one architecture, from components that are all in the cache."""

    recipes: Recipes
    made: Mapping[str, Entry]  # component → what it is
    cache: Cache
    arch: str

    def archive(self, image: ContainerImage) -> Entry:
        """Name the archive of a container image; it may not be there yet."""
        name, _, tag = image.reference.rpartition("/")[2].partition(":")
        inputs = {use: self._program(use).parent.name for use in image.files.values()}
        base = self.made[image.base].directory.name if image.base else ""
        return self.cache.entry(f"image-{name}", tag, recipe=[self.arch, image.model_dump(), inputs, base])

    def write_archive(self, image: ContainerImage) -> Entry:
        """Write the archive of a container image into the cache: the filesystem below, one layer of programs above."""
        from sealpy.image.container import ContainerConfig, File, Tree, write_container_image  # noqa: PLC0415 - only when one is missing

        layers: list[Tree] = [self.made[image.base].directory] if image.base else []
        layers.append({path: File(self._program(use), 0o755) for path, use in image.files.items()})
        config = ContainerConfig(
            entrypoint=image.entrypoint, env={"PATH": _SEARCHED}, user=image.user, architecture=self.arch
        )

        def write(out: Path) -> None:
            write_container_image(out / "image.tar", reference=image.reference, layers=layers, config=config)

        entry = self.archive(image)
        entry.make(write)
        return entry

    def write_context(self, context: Path, *, sources: Path) -> bool:
        """Fill the build context anew if anything it is made of changed, and tell whether it did.

        `sources` holds `Kubefile` and `rootfs/`. Programs and archives are hard links into the cache where the
        filesystem allows. Raises ConfigError rather than replace a directory that is no context of ours.
        """
        texts = dict(self._texts(sources))
        links = dict(self._links())
        stamp = _digest(texts, links)
        if (context / _STAMP).is_file() and (context / _STAMP).read_text(encoding="utf-8") == stamp:
            return False
        if context.exists() and any(context.iterdir()) and not (context / _STAMP).is_file():
            raise ConfigError(f"{context}: holds other files", hint="give an empty directory: --context DIR")
        context.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=context.parent, prefix=f".{context.name}-") as scratch:
            fresh = Path(scratch) / "new"
            for path, (text, mode) in texts.items():
                _write(fresh / path, text, mode)
            for path, source in links.items():
                _link(source, fresh / path)
            _write(fresh / _STAMP, stamp.encode(), 0o644)
            if context.exists():
                context.rename(Path(scratch) / "old")
            fresh.rename(context)
        return True

    def _links(self) -> Iterator[tuple[str, Path]]:
        for path, use in self.recipes.rootfs.items():
            yield path, self._program(use)
        for image in self.recipes.container_images:
            name = image.reference.rpartition("/")[2].replace(":", "-")
            yield f"container-images/{name}.tar", self.archive(image).directory / "image.tar"

    def _texts(self, sources: Path) -> Iterator[tuple[str, tuple[bytes, int]]]:
        """Yield the small files, versions filled in, and their modes."""
        rootfs = sources / "rootfs"
        for file in sorted(path for path in rootfs.rglob("*") if path.is_file()):
            mode = 0o755 if file.suffix == ".sh" else 0o644
            yield str(file.relative_to(rootfs)), (with_versions(file, self.recipes.versions), mode)
        yield "Kubefile", (_default_version(sources / "Kubefile", self.recipes.versions["kubernetes"]), 0o644)
        references = "".join(f"{image.reference}\n" for image in self.recipes.container_images)
        yield "manifests/imageList", (references.encode(), 0o644)

    def _program(self, use: str) -> Path:
        component, _, program = use.partition("/")
        return self.made[component].directory / program


def with_versions(file: Path, versions: Mapping[str, str]) -> bytes:
    """Read a file of rootfs/ and fill in the versions it names; raises ConfigError with the place of an unknown one."""

    def version(mark: re.Match[str]) -> str:
        try:
            return versions[mark[1]]
        except KeyError:
            line = mark.string.count("\n", 0, mark.start()) + 1
            raise ConfigError(f"no version of {mark[1]!r} is known", place=Place(file, line)) from None

    return _MARK.sub(version, file.read_text(encoding="utf-8")).encode()


def _default_version(kubefile: Path, version: str) -> bytes:
    """Read the Kubefile with the version that was prepared as its default, so that one command builds any of them."""
    return _DEFAULT.sub(f"ARG KubernetesVersion=v{version}", kubefile.read_text(encoding="utf-8")).encode()


def _digest(texts: Mapping[str, tuple[bytes, int]], links: Mapping[str, Path]) -> str:
    whole = hashlib.sha256()
    for path, (text, mode) in sorted(texts.items()):
        whole.update(f"{path} {mode} {hashlib.sha256(text).hexdigest()}\n".encode())
    for path, source in sorted(links.items()):
        whole.update(f"{path} {source.parent.name}\n".encode())  # an entry's name holds its recipe's digest
    return whole.hexdigest()


def _write(path: Path, text: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    path.chmod(mode)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not source.is_file():
        raise SealpyError(f"{source}: is missing in the cache", hint="remove its directory and run prepare again")
    try:
        os.link(source, target)
    except OSError:  # another filesystem
        shutil.copy2(source, target)
