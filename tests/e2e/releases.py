"""Base images with other versions of Kubernetes than the one of the examples."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from examples.kubernetes.preparation.cache import Cache
from examples.kubernetes.preparation.download import Site
from examples.kubernetes.preparation.origins import Workshop
from examples.kubernetes.preparation.recipes import Component, load
from tests.e2e.conftest import CHECKOUT, Sealpy

__all__ = ["BASE", "MINOR_VERSIONS", "build", "with_patch"]

BASE = CHECKOUT / "examples" / "kubernetes"
MINOR_VERSIONS = BASE / "versions-1.35.toml"
_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
_CACHE = Path("~/.cache/sealpy/kubernetes").expanduser()
_KUBERNETES = re.compile(r'(?m)^kubernetes = "(.*)"$')


def build(sealpy: Sealpy, versions: Path, *, cache: Path = _CACHE) -> str:
    """Prepare and build the base image with these versions, and give that of its Kubernetes."""
    release = f"v{_component(versions).version}"
    context = sealpy.home / f"context-{release}"
    prepare = (BASE / "prepare", "--from", "source", "--versions", versions, "--cache", cache, "--context", context)
    subprocess.run(prepare, check=True, env=sealpy.env)
    argument = ("--build-arg", f"KubernetesVersion={release}")
    sealpy("build", "-t", f"kubernetes:{release}", *argument, "-f", str(BASE / "Kubefile"), str(context))
    return release


def with_patch(directory: Path) -> tuple[Path, Path]:
    """Let the programs of the examples say that they are the next patch; gives its versions, and a cache that has it.

    What a host sees of another patch is another number and other files, so this takes a second where building the real
    one takes ten minutes. The cache is one of its own: nobody is to mistake these programs for what they say.
    """
    there = _component(BASE / "versions.toml")
    head, _, patch = there.version.rpartition(".")
    number = f"{head}.{int(patch) + 1}"
    assert len(number) == len(there.version)
    versions, cache = directory / "versions.toml", directory / "cache"
    versions.write_text(_KUBERNETES.sub(f'kubernetes = "{number}"', (BASE / "versions.toml").read_text()))
    cache.mkdir()
    for entry in _CACHE.iterdir():
        if entry.is_dir() and not entry.name.startswith("."):
            shutil.copytree(entry, cache / entry.name, symlinks=True, copy_function=_link)
    programs = _workshop(_CACHE).entry(there, "source").directory

    def say(out: Path) -> None:
        for program in programs.iterdir():
            content = program.read_bytes()
            (out / program.name).write_bytes(content.replace(f"v{there.version}".encode(), f"v{number}".encode()))
            (out / program.name).chmod(0o755)

    _workshop(cache).entry(_component(versions), "source").make(say)
    return versions, cache


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another filesystem
        shutil.copy2(source, target)


def _component(versions: Path) -> Component:
    return load(BASE / "recipes.toml", versions, arch=_ARCH).components["kubernetes"]


def _workshop(cache: Path) -> Workshop:
    return Workshop(Cache(cache), Site(), sources=BASE / "sources", arch=_ARCH)
