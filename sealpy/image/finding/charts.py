"""Helm charts of an image, rendered by helm itself with the values that the image launches them with."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
from collections.abc import Collection, Sequence
from pathlib import Path

from sealpy.errors import Place, Problem
from sealpy.image.finding.launching import HelmCall, helm_values
from sealpy.image.finding.programs import HELM, ProgramFailedError, command_of, run
from sealpy.image.finding.rootfs import SEARCHED, Rootfs, below
from sealpy.image.kube_version import VERSION_LABEL

__all__ = ["charts_in", "default_call", "render", "sources"]

_CHART = "Chart.yaml"
_ARCHIVES = (".tgz", ".tar.gz")
_SOURCE = re.compile(r"^# Source: [^/\n]+/(.+)$", re.MULTILINE)
_LIBRARY = re.compile(rb"^type:\s*['\"]?library", re.MULTILINE)  # parts for other charts, nothing by itself
_MISSING = re.compile(r"found in Chart.yaml, but missing in charts/ directory")
_TOO_OLD = re.compile(r"requires kubeVersion")
# For images that do not say it: each helm thinks of another version, 1.20 when it was built by `go install`.
_KUBERNETES = "v1.34.0"


def charts_in(rootfs: Rootfs, *, named: Collection[str]) -> list[str]:
    """List the charts of the rootfs; those within another chart belong to it.

    Directories count wherever they stand, archives where manifests are or when a launch command names them.
    """
    found = {posixpath.dirname(path) for path in rootfs if posixpath.basename(path) == _CHART} - {""}
    found -= {path for path in found if _LIBRARY.search(rootfs.read(f"{path}/{_CHART}"))}
    found |= {path for path in rootfs if path.endswith(_ARCHIVES) and _is_archived(rootfs, path, named)}
    return sorted(path for path in found if not any(path.startswith(f"{other}/") for other in found))


def render(call: HelmCall, rootfs: Rootfs, directory: Path, *, kubernetes: str) -> tuple[bytes, list[Problem]]:
    """Let helm make manifests of a chart: give them, or what is wrong.

    `directory` holds the files of the rootfs; `kubernetes` is the version of the cluster, or "" when nobody knows.
    """
    shown = rootfs.shown(call.path)
    if problems := _bad_values(call, rootfs, shown):
        return b"", problems
    at = directory / call.directory
    at.mkdir(parents=True, exist_ok=True)
    command = command_of(HELM, needed_for=f"chart {shown}")
    command += ["template", call.release, str(directory / call.path), *call.flags]
    command += ["--namespace", call.namespace] if call.namespace else []
    command += ["--kube-version", kubernetes or _KUBERNETES]
    try:
        return run(command, cwd=at), []
    except ProgramFailedError as error:
        said = str(error).replace(f"{directory}/", "")
        return b"", [Problem(f"helm: {said}", Place(shown), _way_out(said, call, rootfs, shown))]


def _way_out(said: str, call: HelmCall, rootfs: Rootfs, shown: str) -> str:
    if _MISSING.search(said):
        return f"type: helm dependency build {shown}"
    if _TOO_OLD.search(said):
        return f"say for which Kubernetes the image is: LABEL {VERSION_LABEL}=v1.34.4 in the Kubefile"
    if filled := [path for path in rootfs if below(path, call.path) and rootfs.is_rendered(path)]:
        origin = rootfs.shown(filled[0])  # some projects make their values by another program from a file of this name
        return f"{posixpath.basename(filled[0])} is what {origin} is filled to: take that away if it is not for sealpy"
    return "the build renders charts as 'helm template' does: give the values that it asks for to the launch command"


def default_call(chart: str) -> HelmCall:
    """Give the call for a chart that no launch command names: its own values, under its own name."""
    name = re.sub(r"[^a-z0-9]+", "-", posixpath.basename(chart).lower()).strip("-")[:50] or "chart"
    return HelmCall(name, chart, "")


def sources(data: bytes, chart: str) -> Sequence[str]:
    """Give, for each document that helm put out, the path of the template that it comes from."""
    found: list[str] = []
    for text in re.split(r"^---.*$", data.decode("utf-8", "replace"), flags=re.MULTILINE)[1:]:
        source = _SOURCE.search(text)
        found.append(f"{chart}/{source[1]}" if source and not chart.endswith(_ARCHIVES) else chart)
    return found


def _is_archived(rootfs: Rootfs, path: str, named: Collection[str]) -> bool:
    if rootfs.is_large(path) or not (path.startswith(SEARCHED) or path in named):
        return False
    try:
        with tarfile.open(fileobj=io.BytesIO(rootfs.read(path)), mode="r:gz") as archive:
            return any(member.name.count("/") == 1 and member.name.endswith(f"/{_CHART}") for member in archive)
    except (tarfile.TarError, OSError, EOFError):
        return False  # some other archive, which an app unpacks itself


def _bad_values(call: HelmCall, rootfs: Rootfs, shown: str) -> list[Problem]:
    problems = []
    for value in helm_values(call):
        path = posixpath.normpath(posixpath.join(call.directory, value))
        if "://" in value:
            message = f"values of release {call.release!r} come from {value!r}, which is not in the image"
            problems.append(
                Problem(message, Place(shown), "download them into the context and COPY them beside the chart")
            )
        elif path not in rootfs:
            message = f"values of release {call.release!r}: {value!r} is not in the image"
            problems.append(
                Problem(message, Place(shown), f"COPY it, or write its way from {call.directory or 'the rootfs'}")
            )
    return problems
