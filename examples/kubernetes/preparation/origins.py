"""Make one component: from source, or from its release."""

from __future__ import annotations

import hashlib
import platform
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal, assert_never
from urllib.parse import urlsplit

from sealpy.errors import SealpyError

from . import debian, golang
from .cache import Cache, Entry
from .commands import run
from .download import Site
from .recipes import Component, CProgram, DebianPrograms, GoModules, GoProgram, Release

__all__ = ["Origin", "Workshop"]

Origin = Literal["release", "source"]

_METHOD = 1  # one more when programs come out differently by the same recipe, so that none of before is taken
_C_HINT = "apt-get install gcc libc6-dev"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Workshop:
    """Make components for one architecture, into a cache."""

    cache: Cache
    site: Site
    sources: Path  # our own programs
    arch: str

    def entry(self, component: Component, origin: Origin) -> Entry:
        """Name what this origin makes of a component; it may not be there yet."""
        made_of: object
        if origin == "release" and component.release:
            made_of = component.release.model_dump()
        else:
            made_of = {"source": component.source.model_dump(mode="json"), "files": self._own_files(component)}
        return self.cache.entry(component.name, component.version, recipe=[_METHOD, self.arch, made_of])

    def make(self, component: Component, origin: Origin) -> Entry:
        """Make a component; one that is published nowhere is built here whatever the origin."""
        entry = self.entry(component, origin)
        if origin == "release" and component.release:
            release = component.release
            entry.make(lambda out: self._fetch(component, release, out))
        else:
            entry.make(lambda out: self._build(component, out))
        return entry

    def _build(self, component: Component, out: Path) -> None:
        with self.cache.scratch() as work:
            match component.source:
                case GoModules() as recipe:
                    self._refuse_crossing(component, recipe)
                    golang.build_modules(recipe, component.version, arch=self.arch, work=work, out=out)
                case GoProgram(directory=directory):
                    golang.build_own(self.sources / directory, component.name, arch=self.arch, out=out)
                case CProgram(file=file):
                    self._refuse_crossing(component, None)
                    target = str(out / component.name)
                    run(["gcc", "-Os", "-static", "-s", "-o", target, file.name], cwd=self.sources, hint=_C_HINT)
                case DebianPrograms() as recipe:
                    debian.make_root(recipe, arch=self.arch, work=work, out=out)
                case _ as never:
                    assert_never(never)

    def _refuse_crossing(self, component: Component, recipe: GoModules | None) -> None:
        needs_compiler = recipe is None or recipe.linking == "static-cgo"
        here = _MACHINES.get(platform.machine(), platform.machine())
        if needs_compiler and here != self.arch:
            hint = f"run prepare on a machine of {self.arch}"
            raise SealpyError(f"{component.name}: C code for {self.arch} cannot be built on {here}", hint=hint)

    def _fetch(self, component: Component, release: Release, out: Path) -> None:
        for program in component.programs:
            file = self._published(release, program)
            target = out / program
            if release.member:
                _extract(file, release.member.replace("{program}", program), target)
            else:
                target.hardlink_to(file)
            target.chmod(0o755)

    def _published(self, release: Release, program: str) -> Path:
        url = release.url.replace("{program}", program)
        sha256 = release.sha256.get(self.arch, "")
        if not sha256:
            checksum = release.checksum.replace("{url}", url)
            sha256 = self.site.published_sum(checksum, name=PurePosixPath(urlsplit(url).path).name)
        return self.site.fetch(url, sha256=sha256, into=self.cache.downloads)

    def _own_files(self, component: Component) -> Mapping[str, str]:
        """Give the digests of our own source files, so that a change of them is another entry."""
        match component.source:
            case GoProgram(directory=directory):
                files = sorted((self.sources / directory).glob("*.go"))
            case CProgram(file=file):
                files = [self.sources / file]
            case _:
                files = []
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _extract(archive: Path, member: str, target: Path) -> None:
    with tarfile.open(archive) as tar:
        try:
            source = tar.extractfile(member)
        except KeyError:
            source = None
        if source is None:
            raise SealpyError(f"{archive.name}: holds no file {member!r}", hint="correct `member` in recipes.toml")
        with target.open("wb") as file:
            while piece := source.read(1 << 20):
                file.write(piece)
