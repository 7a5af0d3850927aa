"""Make a small root filesystem from Debian packages: some programs, and exactly the libraries they load."""

from __future__ import annotations

import shutil
from pathlib import Path

from sealpy.errors import SealpyError

from . import elf
from .commands import run
from .recipes import DebianPrograms

__all__ = ["make_root"]

_TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_LOADERS = {"amd64": "lib64", "arm64": "lib"}  # where programs expect the dynamic loader
_HINT = "run this on Debian bookworm or later, after `apt-get update`"

# What programs of a Linux system look for and no package of ours holds.
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/protocols": "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\nsctp 132 SCTP\n",
}


def make_root(recipe: DebianPrograms, *, arch: str, work: Path, out: Path) -> None:
    """Fill `out` with the recipe's programs, links and libraries; usr/share/packages.txt says what they are from."""
    unpacked = _unpack(recipe.packages, arch, work)
    programs = [_find(unpacked, f"*bin/{name}") for name in recipe.programs]
    plugins = [file for name in recipe.plugins for file in sorted(unpacked.glob(f"**/{_TRIPLETS[arch]}/{name}/*.so"))]
    libraries = {file.name: file for file in sorted(unpacked.glob(f"**/{_TRIPLETS[arch]}/*.so*"))}
    try:
        wanted = elf.with_libraries([*programs, *plugins], libraries)
    except KeyError as error:
        raise SealpyError(
            f"library {error} is in none of the packages", hint="add its package to the recipe"
        ) from error
    for file in wanted:
        _copy(file, out / _place(file.relative_to(unpacked)))
    for program, names in recipe.links.items():
        directory = (out / _place(_find(unpacked, f"*bin/{program}").relative_to(unpacked))).parent
        for name in names:
            (directory / name).symlink_to(program)
    _furnish(out, arch, libraries)
    packages = "".join(f"{package.stem}\n" for package in sorted(work.glob("*.deb")))
    (out / "usr/share").mkdir()
    (out / "usr/share/packages.txt").write_text(packages, encoding="utf-8")


def _unpack(packages: tuple[str, ...], arch: str, work: Path) -> Path:
    run(["apt-get", "download", *(f"{name}:{arch}" for name in packages)], cwd=work, hint=_HINT)
    unpacked = work / "unpacked"
    for package in sorted(work.glob("*.deb")):
        run(["dpkg-deb", "--extract", str(package), str(unpacked)], cwd=work, hint=_HINT)
    return unpacked


def _find(unpacked: Path, pattern: str) -> Path:
    found = sorted(file for prefix in ("", "usr/") for file in unpacked.glob(prefix + pattern))
    if not found:
        raise SealpyError(
            f"{pattern.removeprefix('*')!r} is in none of the packages", hint="add its package to the recipe"
        )
    return found[0]


def _place(path: Path) -> Path:
    """Give the place of a packaged file where /bin, /sbin and /lib are links into /usr."""
    return path if path.parts[0] in {"usr", "etc"} else Path("usr", path)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)  # what a link points to, under the link's name: that is the name programs ask for
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def _furnish(out: Path, arch: str, libraries: dict[str, Path]) -> None:
    for path, text in _FILES.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text, encoding="utf-8")
    (loader,) = (name for name in libraries if name.startswith("ld-linux"))
    directory = out / "usr" / _LOADERS[arch]
    directory.mkdir(exist_ok=True)
    (directory / loader).symlink_to(f"/usr/lib/{_TRIPLETS[arch]}/{loader}")
    for name in ("bin", "sbin", "lib", "lib64"):
        if (out / "usr" / name).is_dir():
            (out / name).symlink_to(f"usr/{name}")
    for name in ("proc", "sys", "dev", "run", "tmp"):
        (out / name).mkdir()
