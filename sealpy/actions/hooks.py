"""The plugins of a run: those of the Clusterfile and of the image, checked, by hook point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Self

from sealpy.clusterfile import Clusterfile
from sealpy.errors import PluginError, Problem, counted
from sealpy.image.cluster_image import ClusterImage
from sealpy.image.metadata import PLUGIN_DIRECTORIES
from sealpy.inventory import Inventory
from sealpy.plugin import BoundPlugin, Hook, PluginFiles, gather, read_directories
from sealpy.sdk import HookPoint

__all__ = ["Hooks", "image_files"]


@dataclass(frozen=True, slots=True)
class Hooks:
    """Give the phases that fire plugins."""

    plugins: tuple[BoundPlugin, ...]

    @classmethod
    def of(
        cls,
        clusterfile: Clusterfile,
        image: ClusterImage,
        inventory: Inventory,
        *,
        directories: Sequence[Path] = (),
    ) -> Self:
        """Find and check every plugin before any host is touched; raises one PluginError with all problems.

        They stand in the Clusterfile, in the image, and in these directories of this machine.
        """
        files = PluginFiles(image=image_files(image), here=read_directories(directories))
        found = gather(clusterfile.plugins, files, inventory)
        if found.problems:
            count = counted(len(found.problems), "problem")
            raise PluginError(f"{count} with plugins; nothing was changed", problems=found.problems)
        return cls(found.bound)

    @property
    def notices(self) -> tuple[Problem, ...]:
        """Give what is worth telling of the documents."""
        return tuple(notice for plugin in self.plugins for notice in plugin.notices)

    @property
    def rename(self) -> bool:
        """Tell whether a plugin gives hosts their names."""
        return any(plugin.type.type == "HOSTNAME" for plugin in self.plugins)

    def at(self, *points: HookPoint) -> Sequence[Hook]:
        """Give one phase for each of these hook points, in order."""
        return [Hook(point, self.plugins) for point in points]


def image_files(image: ClusterImage) -> list[tuple[str, bytes]]:
    """Give path and content of the files in the image's plugin directories, by path."""
    return [
        (path, image.read(path))
        for path, entry in image.files.items()
        if entry.kind == "file" and str(PurePosixPath(path).parent) in PLUGIN_DIRECTORIES
    ]
