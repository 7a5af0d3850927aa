"""Build Go programs: from published modules, and our own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from .commands import run
from .recipes import GoModules

__all__ = ["build_modules", "build_own"]

_HINT = "install Go (https://go.dev/dl), or take releases: --from release"
_SISTER = re.compile(r"^\s*(?:replace\s+)?(\S+) => \./", re.MULTILINE)
_MAJOR = re.compile(r"v[0-9]+")

# Nothing of this machine goes into a program: no paths, no version control, no build identity.
_REPRODUCIBLE = ["-trimpath", "-buildvcs=false"]
_STRIPPED = ["-s", "-w", "-buildid="]


def build_modules(recipe: GoModules, version: str, *, arch: str, work: Path, out: Path) -> None:
    """Build the programs of a recipe into `out`; `work` is an empty directory for the little module that names them.

    `go install PACKAGE@VERSION` will not do: it refuses modules whose go.mod replaces others.
    """
    env = _environment(arch, linking=recipe.linking)
    hint = f"apt-get install {' '.join(['gcc', 'libc6-dev', *recipe.needs])}" if recipe.linking != "static" else _HINT
    _go(["mod", "init", "prepared.invalid/programs"], work, env)
    for module, other in _replacements(recipe, version, work, env).items():
        _go(["mod", "edit", f"-replace={module}={module}@{other}"], work, env)
    _go(["get", *(f"{name}@v{version}" for name in (*recipe.modules, *recipe.programs.values()))], work, env)
    linking = ["-linkmode external", "-extldflags -static"] if recipe.linking == "static-cgo" else []
    built = work / "built"
    flags = [
        *_REPRODUCIBLE,
        "-tags",
        ",".join(recipe.tags),
        "-ldflags",
        " ".join([*_STRIPPED, *linking, *recipe.ldflags]),
    ]
    run(["go", "build", *flags, "-o", f"{built}/", *recipe.programs.values()], cwd=work, env=env, hint=hint)
    for name, package in recipe.programs.items():
        (built / _default_name(package)).rename(out / name)


def build_own(source: Path, name: str, *, arch: str, out: Path) -> None:
    """Build our own program, a directory of Go files that need no module but the standard library."""
    files = sorted(str(file) for file in source.glob("*.go"))
    flags = [*_REPRODUCIBLE, "-ldflags", " ".join(_STRIPPED), "-o", str(out / name)]
    run(["go", "build", *flags, *files], cwd=source, env=_environment(arch, linking="static"), hint=_HINT)


def _replacements(recipe: GoModules, version: str, work: Path, env: Mapping[str, str]) -> dict[str, str]:
    replace = dict(recipe.replace)
    if recipe.sisters:
        found = json.loads(_go(["mod", "download", "-json", f"{recipe.modules[0]}@v{version}"], work, env))
        sisters = _SISTER.findall(Path(found["GoMod"]).read_text(encoding="utf-8"))
        replace |= dict.fromkeys(sisters, f"v{recipe.sisters}")
    return replace


def _environment(arch: str, *, linking: str) -> dict[str, str]:
    cgo = "1" if linking == "static-cgo" else "0"
    return {"CGO_ENABLED": cgo, "GOOS": "linux", "GOARCH": arch, "GOFLAGS": "-mod=mod", "GOWORK": "off"}


def _go(argv: list[str], work: Path, env: Mapping[str, str]) -> str:
    return run(["go", *argv], cwd=work, env=env, hint=_HINT)


def _default_name(package: str) -> str:
    """Give the name `go build` gives a program: the last element of its path that is no major version."""
    *_, before, last = ["", *package.split("/")]
    return before if _MAJOR.fullmatch(last) else last
