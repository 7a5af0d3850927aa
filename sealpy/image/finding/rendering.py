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
from sealpy.image.finding.launching import ApplyCall, Call, HelmCall, Launches, is_address
from sealpy.image.finding.likeness import unresolved
from sealpy.image.finding.rootfs import SEARCHED, Rootfs, below

if TYPE_CHECKING:
    import yaml

__all__ = ["Rendered", "Rendering"]

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
    lost: Sequence[str]  # what new launch commands name and the rootfs does not hold
    kubernetes: str

    @classmethod
    def of(cls, rootfs: Rootfs, launches: Launches, *, kubernetes: str, skips: Callable[[str], bool]) -> Self:
        """Find charts and kustomizations, and how each is launched; leave out those that `skips` tells."""
        found = charts.charts_in(rootfs, named=[call.path for call in launches.helm])
        helm = [call for call in launches.helm if call.path in found]
        named = {call.path for call in helm}
        helm += [charts.default_call(one) for one in found if one not in named and one.startswith(SEARCHED)]
        applied = {call.path for call in launches.kustomize}
        kinds = {
            path: file
            for path, file in kustomizations.kustomizations_in(rootfs).items()
            if path in applied or not any(below(path, chart) for chart in found)  # some charts are made by kustomize
        }
        roots = applied & set(kinds) or kustomizations.roots_of(kinds, rootfs)
        anything_new = any(_is_new(rootfs, path) for path in kinds) or any(map(launches.is_new, launches.kustomize))
        return cls(
            rootfs,
            [call for call in helm if (_is_new(rootfs, call.path) or launches.is_new(call)) and not skips(call.path)],
            [path for path in sorted(roots) if not skips(path)] if anything_new else (),
            kinds,
            (*found, *kinds),
            [
                call.path
                for call in launches.calls
                if launches.is_new(call) and _is_lost(call, rootfs, (*found, *kinds))
            ],
            kubernetes,
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
        return Rendered(call.path, rule, data, problems, charts.sources(data, call.path))


def _is_lost(call: Call, rootfs: Rootfs, directories: Collection[str]) -> bool:
    """Tell whether a call names what the rootfs does not hold; what is made on the host cannot be told."""
    if is_address(call.path):
        return True
    if call.path.startswith("/") or unresolved(call.path) or call.path in directories:
        return False
    covers = call.covers if isinstance(call, ApplyCall) else functools.partial(below, directory=call.path)
    return not any(covers(path) for path in rootfs)


def _is_new(rootfs: Rootfs, directory: str) -> bool:
    return any(rootfs.is_new(path) for path in rootfs if below(path, directory))
