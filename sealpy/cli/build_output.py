"""`sealpy build --output`: where the image is written besides the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sealpy.cli.styles import without_styles
from sealpy.image.archive.formats import Format

if TYPE_CHECKING:
    from sealpy.events import Emit
    from sealpy.image.reference import Reference
    from sealpy.image.store import Store

__all__ = ["EXPORTS", "Export", "read_exports"]

EXPORTS = "exports"
"""Where in the meta of a context the exports are that `--output` asks for."""
_FORMATS = (Format.OCI_ARCHIVE, Format.OCI_DIR)


@dataclass(frozen=True, slots=True)
class Export:
    """Hold one place that the image is written to."""

    format: Format
    destination: str

    def check(self) -> None:
        """Raise ConfigError for a place that cannot be written."""
        from sealpy.image.archive.save import check_out

        check_out(self.destination, self.format)

    def write(self, store: Store, reference: Reference, emit: Emit) -> None:
        """Write the image from the store; raises what `save` raises."""
        from sealpy.image.archive.save import pack, save
        from sealpy.image.progress import Progress

        shipment = pack(store, str(reference))
        progress = Progress(emit, f"write {self.destination}")
        on_bytes = progress.step(self.destination, total=shipment.size)
        save(shipment, Path(self.destination), format_=self.format, on_bytes=on_bytes)
        progress.finish(shipment.image.descriptor.digest)


def read_exports(ctx: typer.Context, values: list[str] | None) -> list[str]:
    """Read `--output`: a style as everywhere, or `oci-archive:FILE` and `oci-dir:DIR`, which are kept in the meta."""
    found = []
    for value in without_styles(ctx, values or []):
        kind, colon, destination = value.partition(":")
        if kind in _FORMATS and colon and destination:
            found.append(Export(Format(kind), destination))
        else:
            shown = f"{_FORMATS[0]}:FILE, {_FORMATS[1]}:DIR, text or json"
            raise typer.BadParameter(f"--output '{value}' is not {shown}", ctx=ctx)
    ctx.meta[EXPORTS] = found
    return values or []
