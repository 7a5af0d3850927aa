"""What an executable says of itself: a document of kind PluginManifest beside it, since nobody can read its code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from sealpy.clusterfile.change import Changes
from sealpy.clusterfile.document import Document, UnreadableError, read_documents
from sealpy.clusterfile.fields import Actions, Flag, Timeout
from sealpy.clusterfile.findings import Findings
from sealpy.clusterfile.shape import Metadata, Model
from sealpy.errors import Place, PluginError, Problem, counted, did_you_mean, known_words
from sealpy.plugin.declaration import AT_ONCE, DEADLINE, Declaration
from sealpy.sdk import HookPoint

__all__ = ["SUFFIX", "read_manifest"]

SUFFIX = ".manifest.yaml"
_POINTS = {point.value: point for point in HookPoint}


class _Metadata(Metadata):
    version: str = ""
    description: str = ""


class _Implementation(Model):
    contract: Literal["phase/v1"] = "phase/v1"
    type: Annotated[str, Field(min_length=1)]
    phases: Actions = ()
    default: Actions = ()
    timeout: Timeout = DEADLINE
    parallel: Annotated[int, Field(ge=1, le=1000)] = AT_ONCE
    selects: Flag = True


class _Spec(Model):
    implements: Annotated[list[_Implementation], Field(min_length=1)]


class _Manifest(Model):
    api_version: Literal["plugins.sealpy.io/v1alpha1"]
    kind: Literal["PluginManifest"]
    metadata: _Metadata
    spec: _Spec


def read_manifest(path: str, content: bytes) -> tuple[Declaration, ...]:
    """Read the types that an executable implements; raises PluginError with every problem and its line."""
    findings = Findings()
    found: list[Declaration] = []
    try:
        documents = list(read_documents(content.decode("utf-8", "replace"), name=path, changes=Changes()))
    except UnreadableError as error:
        raise PluginError(f"{path}: no manifest", problems=[error.problem]) from error
    if not documents:
        findings.problems.append(
            Problem("the manifest is empty", Place(path), "write a document of kind PluginManifest")
        )
    for document in documents:
        found.extend(_declarations(document, findings))
    if findings.problems:
        count = counted(len(findings.problems), "problem")
        raise PluginError(f"{path}: {count}", problems=findings.problems)
    return tuple(found)


def _declarations(document: Document, findings: Findings) -> Iterator[Declaration]:
    try:
        manifest = _Manifest.model_validate(document.tree)
    except ValidationError as error:
        findings.shape(document, _Manifest, error)
        return
    for index, implemented in enumerate(manifest.spec.implements):
        place = ("spec", "implements", index)
        yield Declaration(
            type=implemented.type,
            summary=manifest.metadata.description.strip().rstrip("."),
            phases=tuple(_points(document, (*place, "phases"), implemented.phases, findings)),
            default=tuple(_points(document, (*place, "default"), implemented.default, findings)),
            timeout=implemented.timeout,
            parallel=implemented.parallel,
            selects=implemented.selects,
            version=manifest.metadata.version,
        )


def _points(
    document: Document, location: tuple[str | int, ...], words: tuple[str, ...], findings: Findings
) -> Iterator[HookPoint]:
    for word in words:
        if word in _POINTS:
            yield _POINTS[word]
        else:
            hint = did_you_mean(word, _POINTS) or known_words(_POINTS)
            findings.problem(document, location, f"'{word}' is no hook point", hint=hint)
