"""What a build is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sealpy.errors import ConfigError, KubefileError
from sealpy.image.building.private_list import PrivateList
from sealpy.image.manifest import Platform
from sealpy.image.metadata import KUBE_INSTALLER
from sealpy.image.reference import Reference
from sealpy.image.remote.platforms import here, read_platform
from sealpy.image.remote.tls import Tls
from sealpy.kubefile import PROXIES, Draft, From, Kubefile, Network, load, load_draft

__all__ = ["ARCHIVES", "BaseMode", "BuildMode", "Caching", "Wish"]

ARCHIVES = "container-images"  # beside the Kubefile or in the context
BuildMode = Literal["all", "lite"]
"""`all` takes the container images in; `lite` leaves them out."""
BaseMode = Literal["kept", "left out"]
"""`kept` builds upon the base; `left out` makes an application of what the Kubefile adds to it."""
Caching = Literal["use", "renew"]
"""`use` takes layers that were made of the same input before; `renew` makes them all again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Say what is to be built, and how.

    `container_images` are archives of container images, OCI layouts, or directories of them; `container-images/` beside
    the Kubefile and in the context is searched as well. `image_lists` are files of references that are taken besides
    those that are found, and so are those of `private_lists`, whose files no instruction copies.
    `type_` is `kube-installer` or `app-installer`; left empty it is told by what the image holds. With a `base` that is
    left out it is an application.
    `network` is what RUN reaches: `none`, or `host` for all that this machine does.
    `tls` says which certificates are good where URLs are fetched.
    More than one of `platforms` makes an index; none is the platform of FROM, or else that of this machine.
    """

    kubefile: Path
    context: Path
    tag: Reference
    build_args: Mapping[str, str] = field(default_factory=dict)
    container_images: Sequence[Path] = ()
    image_lists: Sequence[Path] = ()
    ignored_images: Collection[Reference] = ()
    mode: BuildMode = "all"
    base: BaseMode = "kept"
    type_: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    platforms: Sequence[Platform] = ()
    caching: Caching = "use"
    network: Network = "none"
    tls: Tls = field(default_factory=Tls)
    private_lists: Sequence[PrivateList] = ()

    def __post_init__(self) -> None:
        """Check what can be checked before anything is read; raises ConfigError."""
        if not self.context.is_dir():
            what = "no such directory" if not self.context.exists() else "not a directory"
            raise ConfigError(f"{self.context}: {what}", hint="name the directory with the files to copy")
        if self.base == "left out" and self.type_ == KUBE_INSTALLER:
            message = f"an image without its base installs no Kubernetes, so it is no {KUBE_INSTALLER}"
            raise ConfigError(message, hint="leave --type out, or --base=false")
        for path in self.container_images:
            if not path.exists():
                message = f"{path}: no such archive or directory"
                raise KubefileError(message, hint="mend the path after --container-images")

    def read(self, platform: Platform) -> Kubefile:
        """Read the Kubefile as it is for a platform; raises KubefileError."""
        return load(self.kubefile, build_args=self.build_args, arch=platform.architecture)

    def draft(self, platform: Platform) -> Draft:
        """Read the Kubefile as far as that goes; raises KubefileError for a file that cannot be read at all."""
        return load_draft(self.kubefile, build_args=self.build_args, arch=platform.architecture)

    def proxies(self) -> Mapping[str, str]:
        """Give the arguments that say how to reach a network: commands get them, and nothing is remembered of them."""
        return {name: value for name, value in self.build_args.items() if name.lower() in PROXIES}

    def for_platforms(self) -> Sequence[Platform]:
        """Give the platforms to build for."""
        if self.platforms:
            return tuple(dict.fromkeys(self.platforms))
        begin = next((one for one in self.draft(here()).kubefile.instructions if isinstance(one, From)), None)
        return (read_platform(begin.platform) if begin and begin.platform else here(),)

    def archives(self) -> list[Path]:
        """List where container images are looked for."""
        found = [*self.container_images]
        for directory in (self.kubefile.parent / ARCHIVES, self.context / ARCHIVES):
            if directory.is_dir() and directory.resolve() not in {path.resolve() for path in found}:
                found.append(directory)
        return found
