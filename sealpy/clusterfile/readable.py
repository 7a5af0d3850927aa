"""A Clusterfile as far as it can be read, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sealpy.clusterfile.findings import refusal
from sealpy.clusterfile.types import Cluster, Clusterfile, Plugin
from sealpy.errors import Place, Problem

__all__ = ["Readable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """Hold what can be read of a file that may have mistakes, and the mistakes.

    `name` is what messages call the file. `whole` is None when there are any; `cluster` is then what can be seen of
    the Cluster, perhaps nothing: its name, its image, and which hosts have which roles. `mended` are plugins with
    mistakes, as they were most likely meant, to look for others in them; so is `meant`, the file without the documents
    and the fields of the Cluster (`left_out`) that cannot be read.
    """

    name: str
    whole: Clusterfile | None = None
    meant: Clusterfile | None = None
    left_out: frozenset[str] = frozenset()
    cluster: Cluster | None = None
    plugins: tuple[Plugin, ...] = ()
    mended: tuple[Plugin, ...] = ()
    problems: tuple[Problem, ...] = ()
    image_place: Place | None = None

    @classmethod
    def of(cls, clusterfile: Clusterfile) -> Readable:
        """Take a Clusterfile that was read, or made, and has no mistakes of its own."""
        place, image = clusterfile.cluster.place, clusterfile.cluster.words.get("image")
        return cls(
            name=str(place.file) if place else "Clusterfile",
            whole=clusterfile,
            meant=clusterfile,
            cluster=clusterfile.cluster,
            plugins=clusterfile.plugins,
            image_place=image if image and image.line else None,  # who typed it knows where
        )

    def clusterfile(self) -> Clusterfile:
        """Give the Clusterfile; raises one ClusterfileError with everything that is wrong."""
        if self.whole is None:
            raise refusal(self.name, self.problems)
        return self.whole

    def changed(self, change: Callable[[Clusterfile], Clusterfile]) -> Readable:
        """Give it with something changed in it, where it is whole."""
        meant = change(self.meant) if self.meant else None
        if self.whole is None:
            return replace(self, meant=meant)
        whole = change(self.whole)
        return replace(self, whole=whole, meant=whole, cluster=whole.cluster, plugins=whole.plugins)

    def with_image(self, image: str) -> Readable:
        """Give it with another image than the file names."""
        cluster = replace(self.cluster, image=image) if self.cluster else None
        changed = self.changed(lambda found: found.with_image(image))
        return replace(changed, cluster=cluster, image_place=None)
