"""What helm and kustomize make of the charts and kustomizations of a rootfs."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sealpy.errors import Problem
from sealpy.image.finding import charts, kustomizations
from sealpy.image.finding.launching import HelmCall, KustomizeCall, calls
from sealpy.image.finding.rootfs import Rootfs
from sealpy.image.metadata import Metadata

if TYPE_CHECKING:
    import yaml

__all__ = ["Rendered", "Rendering"]

_VERSION = "cluster.alpha.sealer.io/cluster-runtime-version"
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Rendered:
    """Hold what a program made of the thing at `path` of the rootfs, or what is wrong with that.

    `files` are the templates that the documents come from, in order; for a kustomization each document says it itself.
    """

    path: str
    rule: str
    data: bytes
    problems: Sequence[Problem] = ()
    files: Sequence[str] = ()

    def file_of(self, number: int, document: yaml.Node) -> str:
        """Give the file of the rootfs that a document, by its number, comes from."""
        return self.files[number - 1] if number <= len(self.files) else kustomizations.origin_of(document, self.path)


@dataclass(frozen=True, slots=True)
class Rendering:
    """Say what is to be rendered: what is new, or is launched otherwise than in the image that is built upon."""

    rootfs: Rootfs
    helm: Sequence[HelmCall]
    kustomize: Sequence[str]
    kustomizations: Mapping[str, str]  # directory → its file
    directories: Collection[str]  # of all charts and kustomizations: their files are not manifests
    kubernetes: str

    @classmethod
    def of(cls, rootfs: Rootfs, metadata: Metadata, before: Metadata | None, *, skips: Callable[[str], bool]) -> Self:
        """Find charts and kustomizations, and how each is launched; leave out those that `skips` tells."""
        launched = calls(metadata)
        known = set(calls(before)) if before else set()
        found = charts.charts_in(rootfs)
        helm = [call for call in launched if isinstance(call, HelmCall) and call.chart in found]
        helm += [charts.default_call(chart) for chart in found if chart not in {call.chart for call in helm}]
        kinds = kustomizations.kustomizations_in(rootfs)
        named = {call.path for call in launched if isinstance(call, KustomizeCall)} & set(kinds)
        roots = named or kustomizations.roots_of(kinds, rootfs)
        anything_new = any(_is_new(rootfs, directory) for directory in kinds)
        fresh = [call for call in helm if _is_new(rootfs, call.chart) or (call in launched and call not in known)]
        return cls(
            rootfs,
            [call for call in fresh if not skips(call.chart)],
            [path for path in sorted(roots) if not skips(path)] if anything_new else (),
            kinds,
            (*found, *kinds),
            metadata.labels.get(_VERSION, ""),
        )

    def outputs(self) -> Iterator[Rendered]:
        """Render, several at once, and give the results in order; raises ImageError when a program is missing."""
        if not self.helm and not self.kustomize:
            return
        with tempfile.TemporaryDirectory(prefix="sealpy-search-") as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
            directory = Path(scratch)
            self.rootfs.lay_out(directory)
            yield from pool.map(functools.partial(self._chart, directory), self.helm)
            for path in self.kustomize:
                data, problems = kustomizations.render(path, self.kustomizations, self.rootfs, directory)
                yield Rendered(path, "kustomization", data, problems)

    def _chart(self, directory: Path, call: HelmCall) -> Rendered:
        rule = f"chart of release {call.release}" if call.flags else "chart"
        data, problems = charts.render(call, self.rootfs, directory, kubernetes=self.kubernetes)
        return Rendered(call.chart, rule, data, problems, charts.sources(data, call.chart))


def _is_new(rootfs: Rootfs, directory: str) -> bool:
    prefix = f"{directory}/"
    return any(rootfs.is_new(path) for path in rootfs if path == directory or path.startswith(prefix))
