"""What `sealpy build --dry-run` says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from sealpy.cli.renderers import units
from sealpy.cli.table import table_lines

if TYPE_CHECKING:
    from sealpy.image.building.preview import Origin, Preview

__all__ = ["preview_data", "preview_lines"]

_INDENT: Final = "  "
_ORIGINS: dict[Origin, str] = {"archive": "from an archive", "base": "in the base", "missing": "not here yet"}


def preview_lines(preview: Preview, name: str, *, screen: int = 0) -> Iterator[str]:
    """Yield the preview of one platform as text, its tables made for a screen of so many columns."""
    room = max(0, screen - len(_INDENT))
    base = "on nothing"
    if preview.base:
        out = ", which is left out" if preview.base_mode == "left out" else ""
        base = f"on {preview.base.reference.familiar} {preview.base.digest[:19]}{out}"
    yield f"{name}: {preview.metadata.type} for {preview.platform.os}/{preview.platform.architecture}, {base}"
    rows = [
        (line.title.replace("\n", " ")[:80], "known when it is run", "")
        if line.files is None
        else (line.title, f"{line.files} files" if line.files != 1 else "1 file", units.size(line.size))
        for line in preview.lines
    ]
    table = table_lines(["layer", "files", "bytes"], rows, screen=room) if rows else ["no new layers"]
    yield from (f"{_INDENT}{line}".rstrip() for line in table)
    for url in preview.urls:
        yield f"  fetched at the build: {url}"
    for app in preview.metadata.launch.app_names:
        yield f"  launches app {app}"
    for command in preview.metadata.launch.cmds:
        yield f"  launches: {command}"
    images = [
        (reference.familiar, _ORIGINS[origin], ", ".join(str(one.place) for one in preview.found.mentions[reference]))
        for reference, origin in preview.origins.items()
    ]
    if images:
        table = table_lines(["container image", "comes", "named in"], images, screen=room)
        yield from (f"{_INDENT}{line}".rstrip() for line in table)


def preview_data(preview: Preview, name: str) -> dict[str, Any]:
    """Give the preview of one platform as plain data."""
    return {
        "name": name,
        "platform": f"{preview.platform.os}/{preview.platform.architecture}",
        "type": preview.metadata.type,
        "baseLeftOut": preview.base_mode == "left out",
        "base": {"name": preview.base.reference.familiar, "digest": preview.base.digest} if preview.base else None,
        "layers": [{"title": line.title, "files": line.files, "size": line.size} for line in preview.lines],
        "fetched": list(preview.urls),
        "launch": {"apps": list(preview.metadata.launch.app_names), "cmds": list(preview.metadata.launch.cmds)},
        "labels": dict(preview.metadata.labels),
        "containerImages": [
            {
                "image": str(reference),
                "comes": origin,
                "named": [
                    {"place": str(one.place), "app": one.app, **one.spot.model_dump()}
                    for one in preview.found.mentions[reference]
                ],
            }
            for reference, origin in preview.origins.items()
        ],
        "doubts": [
            {"text": doubt.text, "place": str(doubt.place), "rule": doubt.spot.rule} for doubt in preview.found.doubts
        ],
    }
