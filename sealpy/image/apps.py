"""APP: what kind of app some files are, and so how it is launched by default."""

from __future__ import annotations

from collections.abc import Sequence

from sealpy.image.metadata import Application

__all__ = ["detect"]

_CHART = frozenset({"Chart.yaml", "values.yaml"})


def detect(name: str, files: Sequence[str]) -> Application:
    """Tell the kind of an app by the paths of its files, relative to its directory, in the order they were given.

    A directory with `Chart.yaml`, `values.yaml` and `templates/` is helm; only `*.sh` is shell; only YAML is kube; a
    mixture has no kind, and then needs APPCMDS. A template counts as what it is rendered to: `x.yaml.tmpl` is `x.yaml`.
    """
    rendered = tuple(dict.fromkeys(path.removesuffix(".tmpl") for path in files))
    return Application(name=name, type=_kind(rendered), files=rendered)


def _kind(files: Sequence[str]) -> str:
    if _CHART.issubset(files) and any(path.startswith("templates/") for path in files):
        return "helm"
    if files and all(path.endswith(".sh") for path in files):
        return "shell"
    if files and all(path.endswith((".yaml", ".yml")) for path in files):
        return "kube"
    return ""
