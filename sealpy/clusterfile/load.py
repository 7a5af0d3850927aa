"""A Clusterfile, or a file of Plugin documents, from its text: every problem at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sealpy.clusterfile.build import (
    build_application,
    build_cluster,
    build_config,
    build_kubeadm,
    build_plugin,
)
from sealpy.clusterfile.change import Changes
from sealpy.clusterfile.checks import check_cluster
from sealpy.clusterfile.document import Document, UnreadableError, read_documents
from sealpy.clusterfile.findings import Findings, in_order, refusal
from sealpy.clusterfile.kubeadm import KUBEADM_KINDS, check_version
from sealpy.clusterfile.mend import mended
from sealpy.clusterfile.models import ApplicationDocument, ClusterDocument, ConfigDocument, Model, PluginDocument
from sealpy.clusterfile.readable import Readable
from sealpy.clusterfile.sketch import image_place, sketch
from sealpy.clusterfile.types import Application, Cluster, Clusterfile, Config, KubeadmDocument, Plugin
from sealpy.errors import ClusterfileError, Place, Problem, did_you_mean, known_words, nearest

__all__ = ["Readable", "examine", "examine_plugins", "load", "load_plugins", "loads"]

_NO_CHANGES = Changes()
_NO_FILE = "name it after -f, or write one: sealpy init IMAGE -m … -n …"
_USUAL = ("Clusterfile", "Clusterfile.yaml", "clusterfile.yaml")
ModelT = TypeVar("ModelT", bound=Model)

_KINDS = ("Cluster", "Config", "Plugin", "Application", *KUBEADM_KINDS)
_NOT_DECODED = {
    "Infra": "make the machines first and list their addresses in the Cluster",
    "KubeadmConfig": "write documents of kind InitConfiguration and ClusterConfiguration",
}
_OUR_GROUPS = re.compile(r"(sealer\.[a-z.]+|zlink\.aliyun\.com|cluster\.sealer\.cool|sealpy\.[a-z.]+)/v\w+")
_SEALOS = re.compile(r"apps\.sealos\.io/")


def load(path: Path, *, changes: Changes = _NO_CHANGES) -> Clusterfile:
    """Read a Clusterfile; raises one ClusterfileError that holds every problem with file, line and nearest name.

    A change that leads nowhere is a ConfigError.
    """
    return loads(_text(path), name=str(path), changes=changes)


def loads(text: str, *, name: str, changes: Changes = _NO_CHANGES) -> Clusterfile:
    """Read the text of a Clusterfile; `name` is what messages call the file. Raises as `load` does."""
    return _read(text, name, changes).clusterfile()


def load_plugins(source: Path | str, *, name: str = "") -> tuple[Plugin, ...]:
    """Read a file that holds only Plugin documents, or the text of one; an empty file holds none.

    `name` is what messages call a text. Raises ClusterfileError.
    """
    text, name = (_text(source), str(source)) if isinstance(source, Path) else (source, name or "plugins")
    found = examine_plugins(text, name=name)
    if found.problems:
        raise refusal(name, found.problems)
    return found.plugins


def examine(path: Path, *, changes: Changes = _NO_CHANGES) -> Readable:
    """Read as much of a Clusterfile as is in order; raises ClusterfileError only when there is no text at all.

    A change that leads nowhere is a ConfigError.
    """
    return _read(_text(path), str(path), changes)


def examine_plugins(text: str, *, name: str) -> Readable:
    """Read likewise as much as is in order of a file that holds only Plugin documents."""
    reader = _Reader(name, kinds=("Plugin",))
    reader.read(text)
    return reader.readable()


def _read(text: str, name: str, changes: Changes) -> Readable:
    reader = _Reader(name, changes=changes)
    reader.read(text)
    if "Cluster" not in reader.seen and not reader.unsorted:
        hint = "add a document of kind Cluster that names the image and the hosts"
        message = "no document of kind Cluster"
        if not (reader.seen or reader.findings.problems):
            message, hint = "the file is empty", "write one: sealpy init IMAGE -m … -n …"
        reader.findings.problems.append(Problem(message, Place(name), hint))
    return reader.readable()


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClusterfileError("the file is no text", place=Place(path), hint="save it as UTF-8") from error
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ClusterfileError(f"'{path}': {reason.lower()}", hint=_way_out(path)) from error


def _way_out(path: Path) -> str:
    """Say which file is most likely meant instead of one that cannot be read."""
    if str(path) == "-":
        return "to read what is piped into sealpy: -f /dev/stdin"
    if path.is_dir():
        within = next((path / name for name in _USUAL if (path / name).is_file()), None)
        return f"name the file in it: -f {within or path / 'NAME'}"
    try:
        beside = [found.name for found in path.parent.iterdir() if found.is_file()]
    except OSError:
        beside = []  # there is no such directory, or it cannot be read
    near = nearest(path.name, beside)
    return f"did you mean '{path.with_name(near)}'?" if near else _NO_FILE


@dataclass(slots=True)
class _Reader:
    """Sort documents by kind, and keep what is wrong with them."""

    name: str
    changes: Changes = _NO_CHANGES
    kinds: tuple[str, ...] = _KINDS
    findings: Findings = field(default_factory=Findings)
    clusters: list[Cluster] = field(default_factory=list)
    plugins: list[Plugin] = field(default_factory=list)
    mended: list[Plugin] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    kubeadm: list[KubeadmDocument] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)  # kind → line of its first document
    unsorted: bool = False  # something stands there that may be meant as the Cluster
    sketch: Cluster | None = None  # of a Cluster that has mistakes
    meant: Cluster | None = None  # likewise, or the Cluster itself
    left_out: frozenset[str] = frozenset()
    image_place: Place | None = None

    def read(self, text: str) -> None:
        try:
            documents = list(read_documents(text, name=self.name, changes=self.changes))
        except UnreadableError as error:
            self.findings.problems.append(error.problem)
            self.unsorted = True
            return
        if sealos := next((document for document in documents if _SEALOS.match(document.text_of("apiVersion"))), None):
            hint = "write `image` as one name, `hosts` without ports, and the port under `ssh`"
            self.findings.problem(sealos, ("apiVersion",), "this is a Clusterfile of sealos", hint=hint)
            self.unsorted = True
            return
        for document in documents:
            self.findings.problems += document.problems
            if self._is_ours(document):
                self._document(document)

    def readable(self) -> Readable:
        return Readable(
            name=self.name,
            whole=self._of(self.clusters[0]) if self.clusters and not self.findings.problems else None,
            meant=self._of(self.meant) if self.meant else None,
            left_out=self.left_out,
            cluster=self.sketch or next(iter(self.clusters), None),
            plugins=tuple(self.plugins),
            mended=tuple(self.mended),
            problems=in_order(self.findings.problems),
            image_place=self.image_place,
        )

    def _of(self, cluster: Cluster) -> Clusterfile:
        return Clusterfile(
            cluster=cluster,
            plugins=tuple(self.plugins),
            configs=tuple(self.configs),
            applications=tuple(self.applications),
            kubeadm=tuple(self.kubeadm),
            notices=in_order(self.findings.notices),
        )

    def _is_ours(self, document: Document) -> bool:
        """Tell whether a document is one of a Clusterfile, and say what it looks like when it is not."""
        kind, version = document.text_of("kind"), document.text_of("apiVersion")
        if not kind:
            self.unsorted = True
            hint = f"add `kind:`, one of {', '.join(self.kinds)}"
            if near := nearest("kind", document.tree):
                hint = f"write 'kind' instead of '{near}'"
            self.findings.problem(document, (), "a document without a kind", hint=hint)
        elif kind in _NOT_DECODED:
            self.findings.problem(document, ("kind",), f"'{kind}' is read by nothing", hint=_NOT_DECODED[kind])
        elif kind not in self.kinds:
            self._foreign_kind(document, kind)
        elif kind in KUBEADM_KINDS:
            return check_version(document, KUBEADM_KINDS[kind], self.findings)
        elif version and not _OUR_GROUPS.fullmatch(version):
            self.unsorted |= kind == "Cluster"
            message = f"'{version}' is another kind of {kind} than this one"
            self.findings.problem(document, ("apiVersion",), message, hint="write sealer.io/v2")
        else:
            return True
        return False

    def _foreign_kind(self, document: Document, kind: str) -> None:
        if kind in _KINDS:
            message, hint = f"'{kind}' does not belong into a file of plugins", "put it into the Clusterfile"
        else:
            message = f"'{kind}' is no kind of a Clusterfile"
            self.unsorted |= bool(did_you_mean(kind, ("Cluster",)))
            manifest = "this looks like a Kubernetes manifest: put it into the image"
            version = document.text_of("apiVersion")
            others = manifest if version else known_words(self.kinds)
            foreign = version and not _OUR_GROUPS.fullmatch(version)
            hint = others if foreign else did_you_mean(kind, self.kinds) or others
            self._meant(document, nearest(kind, self.kinds))
        self.findings.problem(document, ("kind",), message, hint=hint)

    def _document(self, document: Document) -> None:
        kind = document.text_of("kind")
        if kind not in {"Plugin", "Config"} and kind in self.seen:
            message = f"a second document of kind {kind} (the first on line {self.seen[kind]})"
            other = " or write a file for each cluster" if kind == "Cluster" else ""
            self.findings.problem(document, ("kind",), message, hint=f"join the two{',' if other else ''}{other}")
            return
        self.seen.setdefault(kind, document.line)
        match kind:
            case "Cluster":
                self._cluster(document)
            case "Plugin":
                self._plugin(document)
            case "Config":
                for config in self._shaped(document.with_text_at("spec", "data"), ConfigDocument):
                    self.configs.append(build_config(document, config))
            case "Application":
                for application in self._shaped(document, ApplicationDocument):
                    self.applications.append(build_application(document, application))
            case _:
                self.kubeadm.append(build_kubeadm(document, KUBEADM_KINDS[kind], self.findings))

    def _plugin(self, document: Document) -> None:
        for plugin in self._shaped(document, PluginDocument):
            self.plugins.append(build_plugin(document, plugin, self.findings))
            return
        self._meant(document, "Plugin")

    def _meant(self, document: Document, kind: str) -> None:
        """See a document that has mistakes as one of this kind, for whoever looks for others."""
        if kind == "Cluster" and "Cluster" not in self.seen:
            self.sketch, self.image_place = sketch(document), image_place(document)
            self._mended_cluster(document)
        elif kind == "Plugin" and (plugin := mended(document, PluginDocument)):
            self.mended.append(build_plugin(plugin.document, plugin.model, Findings()))

    def _mended_cluster(self, document: Document) -> None:
        if cluster := mended(document, ClusterDocument):
            self.meant = build_cluster(cluster.document, cluster.model, Findings())
            self.left_out = cluster.left_out

    def _cluster(self, document: Document) -> None:
        told = len(self.findings.problems)
        check_cluster(document, self.findings)
        for cluster in self._shaped(document, ClusterDocument):
            self.meant = build_cluster(document, cluster, self.findings)
            self.clusters.append(self.meant)
        if self.meant is None:
            self._mended_cluster(document)
        self.sketch = sketch(document) if len(self.findings.problems) > told else None
        self.image_place = image_place(document)

    def _shaped(self, document: Document, model: type[ModelT]) -> Iterator[ModelT]:
        """Yield the document in its shape, or nothing when it does not have it."""
        try:
            yield model.model_validate(document.tree)
        except ValidationError as error:
            self.findings.shape(document, model, error)
