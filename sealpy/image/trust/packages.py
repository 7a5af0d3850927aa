"""Packages that a file tells of: databases of Debian, Alpine and RPM, the modules that Go puts into its programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from sealpy.image.trust.rpm import is_rpm, rpms_of

__all__ = ["GO_MAGIC", "Package", "go_packages", "is_database", "read_database"]

GO_MAGIC: Final = b"\xff Go buildinf:"
"""Begins the note that the Go linker writes into every program, since Go 1.13; with its text behind it since 1.18."""

_GO_HEADER: Final = 32
_GO_INLINE: Final = 2  # the text stands behind the header, whatever the processor
_GO_SENTINEL: Final = 16
_LONGEST: Final = 1 << 20

_STATUS: Final = re.compile(r"var/lib/dpkg/status(\.d/[^/]+)?")
_APK: Final = frozenset({"lib/apk/db/installed", "usr/lib/apk/db/installed"})
_RELEASE: Final = frozenset({"etc/os-release", "usr/lib/os-release"})


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """Name a package: what it is by its package URL (https://github.com/package-url/purl-spec), and its checksum."""

    purl: str
    name: str
    version: str
    kind: str = "library"  # or operating-system


def is_database(path: str) -> bool:
    """Tell whether a file of a root file system lists packages."""
    return (bool(_STATUS.fullmatch(path)) and not path.endswith(".md5sums")) or path in _APK or path in _RELEASE


def read_database(files: Mapping[str, str]) -> Iterator[Package]:
    """Read the databases of one root file system, by path; that of RPM as `read_rpm` wrote it down."""
    release = dict[str, str]()
    for path in sorted(_RELEASE & files.keys(), reverse=True):
        release |= dict(_assignments(files[path]))
    system, version = release.get("ID", ""), release.get("VERSION_ID", "")
    if system:
        yield Package(f"pkg:generic/{_quoted(system)}@{_quoted(version)}", system, version, "operating-system")
    distro = f"{system}-{version}" if version else system
    for path, text in sorted(files.items()):
        if _STATUS.fullmatch(path):
            yield from _dpkg(text, system or "debian", distro)
        elif path in _APK:
            yield from _apk(text, system or "alpine", distro)
        elif is_rpm(path):
            yield from _rpm(text, system or "rpm", distro)


def _dpkg(text: str, system: str, distro: str) -> Iterator[Package]:
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if re.match(r"[A-Za-z-]+: ", line))
        if "Package" in fields and "Version" in fields and "not-installed" not in fields.get("Status", ""):
            about = {"arch": fields.get("Architecture", ""), "distro": distro}
            yield _packed(f"deb/{system}", fields["Package"], fields["Version"], about)


def _apk(text: str, system: str, distro: str) -> Iterator[Package]:
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(":", 1) for line in paragraph.splitlines() if line[1:2] == ":")
        if "P" in fields and "V" in fields:
            yield _packed(f"apk/{system}", fields["P"], fields["V"], {"arch": fields.get("A", ""), "distro": distro})


def _rpm(text: str, system: str, distro: str) -> Iterator[Package]:
    for one in rpms_of(text):
        version = f"{one.version}-{one.release}"
        yield _packed(f"rpm/{system}", one.name, version, {"arch": one.arch, "distro": distro, "epoch": one.epoch})


def _packed(kind: str, name: str, version: str, about: Mapping[str, str]) -> Package:
    qualifiers = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(about.items()) if value)
    purl = f"pkg:{_quoted(kind, safe='/')}/{_quoted(name)}@{_quoted(version)}"
    return Package(f"{purl}?{qualifiers}" if qualifiers else purl, name, version)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.isidentifier():
            yield key, value.strip().strip("\"'")


def go_packages(note: bytes) -> Iterator[Package]:
    """Read the note of a Go program, from its magic on: the modules it was built from and Go's own library.

    A note of Go before 1.18, and bytes that only look like one, give nothing.
    """
    if len(note) < _GO_HEADER or not note[len(GO_MAGIC) + 1] & _GO_INLINE:
        return
    version, rest = _counted_bytes(note[_GO_HEADER:])
    text, _ = _counted_bytes(rest)
    if not version.startswith(b"go1"):
        return
    release = version.decode(errors="replace").removeprefix("go").split()[0]
    yield Package(f"pkg:golang/stdlib@{_quoted(release)}", "stdlib", release)
    lines = [line.split("\t") for line in text[_GO_SENTINEL:-_GO_SENTINEL].decode(errors="replace").splitlines()]
    for line, after in zip(lines, [*lines[1:], [""]], strict=False):
        if line[0] in {"mod", "dep"} and len(line) > 2:  # noqa: PLR2004 - word, path, version
            path, of = (after if after[0] == "=>" and len(after) > 2 else line)[1:3]  # noqa: PLR2004 - it was replaced
            if of != "(devel)":
                yield Package(f"pkg:golang/{_quoted(path.lower(), safe='/')}@{_quoted(of)}", path, of)


def _counted_bytes(data: bytes) -> tuple[bytes, bytes]:
    """Take a text with its length before it, seven bits a byte, lowest first; nothing when it is not all there."""
    length = 0
    for at, byte in enumerate(data[:5]):
        length |= (byte & 0x7F) << (7 * at)
        if not byte & 0x80:
            end = at + 1 + length
            return (data[at + 1 : end], data[end:]) if length <= _LONGEST and end <= len(data) else (b"", b"")
    return b"", b""


def _quoted(text: str, *, safe: str = "") -> str:
    return quote(text, safe=f"{safe}:~.-_")
