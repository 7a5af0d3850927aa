"""Which of the platforms that an index lists are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sealpy.errors import ConfigError, ImageError, known_words
from sealpy.image.assemble import host_architecture
from sealpy.image.manifest import Descriptor, Index, Platform
from sealpy.kubefile.platforms import PlatformError, check_platform

__all__ = ["ALL", "choose", "here", "named", "platform_name", "read_platform"]

ALL: Final = "all"
_PARTS: Final = (2, 3)


def here() -> Platform:
    """Give the platform of cluster images for machines like this one."""
    return Platform(architecture=host_architecture())


def read_platform(text: str) -> Platform:
    """Read `linux/amd64` or `linux/arm/v7`; raises ConfigError."""
    parts = text.split("/")
    if len(parts) not in _PARTS or not all(parts):
        near = f"write linux/{text}" if "/" not in text and text else "write OS/ARCHITECTURE, such as linux/arm64"
        raise ConfigError(f"--platform {text!r}: not a platform", hint=near)
    try:
        check_platform(parts[0], parts[1])
    except PlatformError as error:
        raise ConfigError(f"--platform {text!r}: {error}", hint=error.hint) from error
    return Platform(os=parts[0], architecture=parts[1], variant=parts[2] if len(parts) > _PARTS[0] else None)


def platform_name(platform: Platform | None) -> str:
    """Write a platform as it is given on the command line; empty for none."""
    if platform is None:
        return ""
    return "/".join(filter(None, [platform.os, platform.architecture, platform.variant]))


def choose(index: Index, wanted: Sequence[Platform], *, what: str) -> tuple[Descriptor, ...]:
    """Pick the entry of an index for each wanted platform; raises ImageError that names those there are."""
    found: list[Descriptor] = []
    for platform in wanted:
        fits = [entry for entry in index.manifests if named(entry.platform, platform)]
        if not fits:
            there = known_words(filter(None, (platform_name(entry.platform) for entry in index.manifests)))
            raise ImageError(f"{what}: no image for {platform_name(platform)}", hint=there or "it lists none at all")
        if fits[0] not in found:
            found.append(fits[0])
    return tuple(found)


def named(platform: Platform | None, wanted: Platform) -> bool:
    """Tell whether a platform is the one that is wanted; a variant counts only where one is wanted."""
    if platform is None:
        return False
    same = (platform.os, platform.architecture) == (wanted.os, wanted.architecture)
    return same and wanted.variant in {None, platform.variant}
