"""The command line of prepare."""

from __future__ import annotations

import argparse
import platform
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Literal

from sealpy.errors import ConfigError, SealpyError

from .assembly import Assembly
from .cache import Cache, Entry
from .download import Site
from .origins import Origin, Workshop
from .recipes import Component, load

__all__ = ["main", "next_command"]

_HERE = Path(__file__).resolve().parents[1]
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_PATIENCE = 4.0  # seconds for a release site to answer; a resolver that nobody answers takes 20 to say so

_ABOUT = """\
Fill the build context of the Kubernetes base image.

  prepare                        take releases where they can be reached, else build from source
  prepare --from source          build everything from published Go modules (about 12 minutes, then kept)
  prepare --from release --release-url http://mirror.example/
"""

Wish = Literal["release", "source", "auto"]


def main(argv: list[str] | None = None) -> int:
    """Prepare the context, and give the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        _prepare(arguments)
    except SealpyError as error:
        _say(f"error: {error}")
        for problem in error.problems if isinstance(error, ConfigError) else ():
            _say(f"  {problem}")
        if error.hint:
            _say(f"hint: {error.hint}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("interrupted: what is whole is kept")
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prepare", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--from",
        dest="wish",
        choices=("release", "source", "auto"),
        default="auto",
        help="where programs come from; auto, which is the default: releases where they can be reached, else source",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("~/.cache/sealpy/kubernetes"),
        metavar="DIR",
        help="what was made once is kept here; default: %(default)s",
    )
    parser.add_argument(
        "--context",
        type=Path,
        default=_HERE / ".context",
        metavar="DIR",
        help="the directory to fill, which `sealpy build` is given then; default: %(default)s",
    )
    parser.add_argument(
        "--arch",
        choices=("amd64", "arm64"),
        default=_MACHINES.get(platform.machine(), "amd64"),
        help="processor of the machines of the cluster; default: that of this machine, %(default)s",
    )
    parser.add_argument(
        "--versions",
        type=Path,
        default=_HERE / "versions.toml",
        metavar="FILE",
        help="which version of each part; default: %(default)s",
    )
    parser.add_argument(
        "--release-url",
        default="",
        metavar="URL",
        help="a mirror of the release sites, each below its host name; default: the sites themselves",
    )
    return parser


def _prepare(arguments: argparse.Namespace) -> None:
    began = time.monotonic()
    recipes = load(_HERE / "recipes.toml", arguments.versions, arch=arguments.arch)
    cache = Cache(arguments.cache.expanduser().resolve())
    context = arguments.context.expanduser().resolve()
    workshop = Workshop(cache, Site(arguments.release_url), sources=_HERE / "sources", arch=arguments.arch)
    with cache.locked():
        made = _obtain(workshop, recipes.components.values(), arguments.wish)
        assembly = Assembly(recipes, made, cache, arguments.arch)
        for image in recipes.container_images:
            if not assembly.archive(image).exists:
                _timed(f"container image {image.reference}", partial(assembly.write_archive, image))
        changed = assembly.write_context(context, sources=_HERE)
    _say(f"{context}: {'filled' if changed else 'nothing to do'} ({time.monotonic() - began:.1f} s)")
    _say(f"next: {next_command(recipes.versions['kubernetes'], context)}")


def _obtain(workshop: Workshop, components: Iterable[Component], wish: Wish) -> dict[str, Entry]:
    """Find or make each component, one after the other."""
    kept: dict[str, Entry] = {}
    missing: list[Component] = []
    origins: tuple[Origin, ...] = ("release", "source") if wish == "auto" else (wish,)
    for component in components:
        entries = [workshop.entry(component, origin) for origin in origins]
        found = next((entry for entry in entries if entry.exists), None)
        if found:
            kept[component.name] = found
        else:
            missing.append(component)
    if missing:
        origin = _origin(workshop.site, missing) if wish == "auto" else wish
        for component in missing:
            how = "fetch" if origin == "release" and component.release else "build"
            title = f"{how} {component.name} {component.version}"
            kept[component.name] = _timed(title, partial(workshop.make, component, origin))
    return kept


def _origin(site: Site, missing: Iterable[Component]) -> Origin:
    """Choose releases if the first release site that is needed answers soon."""
    released = next((component.release for component in missing if component.release), None)
    if released is None:
        return "source"
    url = released.checksum.replace("{url}", released.url).replace("{program}", "kubeadm")
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(site.reachable(url)), daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    origin: Origin = "release" if answers == [True] else "source"
    _say(f"{site.address(url)}: {'answers' if origin == 'release' else 'no answer, so building from source'}")
    return origin


def _timed(title: str, work: Callable[[], Entry]) -> Entry:
    _say(f"{title} …")
    began = time.monotonic()
    result = work()
    _say(f"{title}: {time.monotonic() - began:.1f} s")
    return result


def next_command(version: str, context: Path) -> str:
    """Give the line that builds the image of this version, as it is typed in this directory."""
    here = Path.cwd()
    named = context.relative_to(here) if context.is_relative_to(here) else context
    return f"sealpy build -t kubernetes:v{version} {shlex.quote(str(named))}"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
