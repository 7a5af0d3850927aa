"""The words for a platform: those of Go, which OCI takes over, and what others call the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealpy.errors import known_words, nearest

__all__ = ["PlatformError", "check_platform"]

# Also what Go knows and does not build for: an image may be for it.
_SYSTEMS: Final = frozenset({
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "netbsd", "openbsd",
    "plan9", "solaris", "wasi", "wasip1", "windows", "zos",
})  # fmt: skip
_PROCESSORS: Final = frozenset({
    "386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64", "mips64le",
    "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc",
    "sparc64", "wasm",
})  # fmt: skip
_SAME: Final[Mapping[str, str]] = {
    "aarch64": "arm64", "arm64v8": "arm64", "armel": "arm/v6", "armhf": "arm/v7", "arm32v7": "arm/v7",
    "armv6": "arm/v6", "armv6l": "arm/v6", "armv7": "arm/v7", "armv7l": "arm/v7", "armv8": "arm64",
    "i386": "386", "i486": "386", "i586": "386", "i686": "386", "loongarch64": "loong64", "x86": "386",
    "x64": "amd64", "x86-64": "amd64", "x86_64": "amd64", "macos": "darwin",
}  # fmt: skip


class PlatformError(ValueError):
    """Refuse a word that is no system or processor; `hint` says what may be meant."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def check_platform(system: str, processor: str) -> None:
    """Check the words of `linux/amd64`; raises PlatformError for one that nobody knows."""
    for word, known, what in ((system, _SYSTEMS, "system"), (processor, _PROCESSORS, "processor")):
        if word not in known:
            meant = _SAME.get(word.lower()) or nearest(word, known)
            raise PlatformError(
                f"{what} '{word}' is unknown", f"did you mean '{meant}'?" if meant else known_words(known)
            )
