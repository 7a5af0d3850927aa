"""Put together what a run has of plugins: files, types, documents, and all that is wrong with any of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sealpy.clusterfile import Plugin, examine_plugins
from sealpy.errors import Problem
from sealpy.inventory import Inventory
from sealpy.plugin.bind import bind
from sealpy.plugin.bound import BoundPlugin
from sealpy.plugin.discovery import is_document, survey
from sealpy.plugin.registry import Registry

__all__ = ["Gathered", "PluginFiles", "gather"]

Files = Sequence[tuple[str, bytes]]  # path and content


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFiles:
    """Hold the plugin files of an image and of directories on this machine.

    `unseen` names the image when it is not here, so that nobody knows what it brings.
    """

    image: Files = ()
    here: Files = ()
    unseen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Hold the types, the documents that are bound, in the order in which they fire, and everything that is wrong.

    `unchecked` are documents of which nobody can say whether their type is known.
    """

    registry: Registry
    bound: tuple[BoundPlugin, ...]
    problems: tuple[Problem, ...]
    unchecked: tuple[Problem, ...]


def gather(
    written: Sequence[Plugin], files: PluginFiles, inventory: Inventory | None, *, mended: Sequence[Plugin] = ()
) -> Gathered:
    """Look at the documents of a Clusterfile and at all plugin files, whatever is wrong with any of them.

    `mended` are documents with mistakes, in which others are looked for. Without an inventory nothing is said of the
    hosts that documents select.
    """
    registry, wrong = survey((*files.image, *files.here), unseen=files.unseen)
    problems = [*wrong]
    brought = [*_documents(files.image, "image:", problems), *_documents(files.here, "", problems)]
    binding = bind(written, registry, inventory, image=brought, mended=mended)
    return Gathered(
        registry=registry,
        bound=binding.bound,
        problems=tuple(dict.fromkeys((*problems, *binding.problems))),
        unchecked=tuple(dict.fromkeys(binding.unchecked)),
    )


def _documents(files: Iterable[tuple[str, bytes]], where: str, problems: list[Problem]) -> Iterator[Plugin]:
    for path, content in files:
        if is_document(path):
            found = examine_plugins(content.decode("utf-8", "replace"), name=f"{where}{path}")
            problems += found.problems
            yield from found.plugins
