"""APP: what kind of app some files are, and so how it is launched by default."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Sequence

from sealpy.image.metadata import Application

__all__ = ["detect"]

_KUSTOMIZATION = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})
_YAML = (".yaml", ".yml")


def detect(name: str, files: Sequence[str]) -> Application:
    """Tell the kind of an app by the paths of its files, relative to its directory, in the order they were given.

    A directory with `Chart.yaml` and `templates/` is helm, and so is one `.tgz` alone; one with a `kustomization.yaml`
    is applied as that; only `*.sh` is shell; only YAML is kube. A mixture has no kind, and then needs APPCMDS; so do
    kustomizations further down, which are not applied file by file. A template counts as what it is rendered to:
    `x.yaml.tmpl` is `x.yaml`.

    What the ancestor would launch otherwise carries its command with it: it had neither packed charts nor
    kustomizations.
    """
    rendered = tuple(dict.fromkeys(path.removesuffix(".tmpl") for path in files))
    if _KUSTOMIZATION.intersection(rendered):
        return Application(name=name, type="kube", files=rendered, cmds=("kubectl apply -k .",))
    if len(rendered) == 1 and rendered[0].endswith(".tgz"):
        command = f"helm upgrade --install {shlex.quote(name)} {shlex.quote(f'./{rendered[0]}')}"
        return Application(name=name, type="helm", files=rendered, cmds=(command,))
    return Application(name=name, type=_kind(rendered), files=rendered)


def _kind(files: Sequence[str]) -> str:
    if "Chart.yaml" in files and any(path.startswith(("templates/", "charts/")) for path in files):
        return "helm"
    if files and all(path.endswith(".sh") for path in files):
        return "shell"
    if any(posixpath.basename(path) in _KUSTOMIZATION for path in files):
        return ""
    if files and all(path.endswith(_YAML) for path in files):
        return "kube"
    return ""
