"""Keep the Clusterfile and the plugins of the image here, so that even a run that is cut can be deleted by name."""

from __future__ import annotations

from sealpy.context import Context
from sealpy.disk import make_private, write_whole
from sealpy.engine import Executor, Phase
from sealpy.events import PhaseSkipped
from sealpy.image.remains import remains_of

__all__ = ["KEPT", "REMAINS", "KeepClusterfile"]

KEPT = "Clusterfile"  # in the directory of the cluster here
REMAINS = "image.json"  # likewise, and on control planes in the directory of the cluster there


class KeepClusterfile(Phase[Context]):
    """Keep the Clusterfile on this machine.

    After the checks and before the first change: a run that is refused leaves what an earlier one kept.
    """

    def __init__(self, document: str = "") -> None:
        """Take another text than that of the run, such as one that names the hosts which are about to leave, too."""
        self._document = document

    def perform(self, ctx: Context, executor: Executor) -> None:
        """Write it, without secrets, whole or not at all."""
        if ctx.rehearsal:
            executor.emit(PhaseSkipped(phase=self.name, title=self.title, reason="a rehearsal keeps nothing"))
            return
        make_private(ctx.home)
        write_whole(ctx.home / KEPT, self._document or ctx.document)
        write_whole(ctx.home / REMAINS, remains_of(ctx.image))
