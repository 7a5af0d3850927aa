"""The rootfs that a build has made so far, as the hosts will have it: templates filled in."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sealpy.errors import Place, Problem, TemplateError
from sealpy.gotemplate import NO_VALUE, render
from sealpy.image.finding.launching import Launches
from sealpy.image.metadata import APP_ROOT, Metadata
from sealpy.image.tarball import Member, Source, read

__all__ = ["SEARCHED", "TEMPLATE", "Files", "Rootfs", "app_of", "below"]

Files = Mapping[str, tuple[Member, Source]]

SEARCHED = ("manifests/", "charts/", f"{APP_ROOT}/")  # sealer.md §4.4
TEMPLATE = ".tmpl"
_MOST = 32 << 20  # no manifest and no chart is larger; archives and programs of an app are
_MOST_ELSEWHERE = 1 << 20


class Rootfs:
    """Read files by their path; some are new in this build, others are those of the image that it builds upon.

    `before` is what that image says about itself. A template of its that other variables fill otherwise counts as new.
    `launches` may name files outside of the directories that are searched anyway.
    """

    def __init__(
        self,
        new: Files,
        base: Files,
        *,
        metadata: Metadata,
        before: Metadata | None,
        launches: Launches,
        context: Path,
    ) -> None:
        self._files = {**base, **new}
        self._context = context
        self._launched = tuple(call.path for call in launches.calls)
        self._new = {path.removesuffix(TEMPLATE) if self._is_template(path) else path for path in new}
        self._rendered: dict[str, str] = {}  # path of the twin → text
        self.problems: list[Problem] = []
        for path in sorted(self._files):
            if self._is_template(path) and self._is_file(path):
                self._render(path, _env(path, metadata), _env(path, before) if before and path not in new else None)

    def __contains__(self, path: str) -> bool:
        return path in self._rendered or self._is_file(path)

    def __iter__(self) -> Iterator[str]:
        """Give the paths of all files, sorted; a template under the name of what it is rendered to."""
        return iter(self._paths)

    @functools.cached_property
    def _paths(self) -> list[str]:
        plain = (path for path in self._files if self._is_file(path) and not self._is_template(path))
        return sorted({*plain, *self._rendered})

    def read(self, path: str) -> bytes:
        """Give the bytes of a file, or the text that its template is rendered to."""
        if path in self._rendered:
            return self._rendered[path].encode()
        member, source = self._files[path]
        return b"".join(read(source, member.size))

    def is_new(self, path: str) -> bool:
        """Tell whether this build adds the file, or makes something else of its template than the base did."""
        return path in self._new

    def is_rendered(self, path: str) -> bool:
        """Tell whether a file is what a template is rendered to."""
        return path in self._rendered

    def is_large(self, path: str) -> bool:
        """Tell whether a file is larger than any manifest or chart; elsewhere than where these are, than any text."""
        most = _MOST if path.startswith(SEARCHED) or path.startswith(self._launched or "\0") else _MOST_ELSEWHERE
        return path not in self._rendered and self._files[path][0].size > most

    def origin(self, path: str) -> str:
        """Give the path of the file that an author would mend: the template where there is one."""
        return f"{path}{TEMPLATE}" if path in self._rendered else path

    def shown(self, path: str) -> str:
        """Name a file or directory as its author knows it: by its place in the context, where it came from there."""
        origin = self.origin(path)
        _, source = self._files.get(origin, (None, b""))
        if isinstance(source, Path) and source.is_relative_to(self._context):
            return str(source.relative_to(self._context))
        inside = next((one for one in self._files if one.startswith(f"{path}/")), "")
        if inside and (shown := self.shown(inside)).endswith(inside.removeprefix(path)):
            return shown.removesuffix(inside.removeprefix(path))
        return origin

    def line(self, path: str, line: int, *, text: str) -> int:
        """Give the line of the template that a line of its rendered text comes from; 0 when that cannot be told."""
        if path not in self._rendered:
            return line
        member, source = self._files[self.origin(path)]
        before = b"".join(read(source, member.size)).decode("utf-8", "replace").splitlines()
        after = self._rendered[path].splitlines()
        return _same_line(before, after, line, whole=after[line - 1]) or _same_line(before, after, line, whole=text)

    def lay_out(self, directory: Path) -> None:
        """Write files below a directory, for programs that read files only: all that charts and manifests may need."""
        for path in self:
            if self.is_large(path):
                continue
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(path))

    def _is_file(self, path: str) -> bool:
        return path in self._files and self._files[path][0].kind == "file"

    def _is_template(self, path: str) -> bool:
        twin = path.removesuffix(TEMPLATE)
        return twin != path and (path.startswith(SEARCHED) or any(below(twin, one) for one in self._launched))

    def _render(self, path: str, env: Mapping[str, str], env_before: Mapping[str, str] | None) -> None:
        """Fill a template; one of the base, given by its variables there, is new when it now says something else."""
        twin = path.removesuffix(TEMPLATE)
        try:
            text = self.read(path).decode()
            self._rendered[twin] = render(text, env, name=self.shown(path), missing=NO_VALUE)
            if env_before is not None and render(text, env_before, name=path, missing=NO_VALUE) != self._rendered[twin]:
                self._new.add(twin)
        except UnicodeDecodeError:
            self._complain(path, [Problem("the template is no text", Place(self.shown(path)), "save it as UTF-8")])
        except TemplateError as error:
            self._complain(path, error.problems or [Problem(error.message, hint=error.hint)])

    def _complain(self, path: str, problems: Iterable[Problem]) -> None:
        """Keep what is wrong with a new template; the author of this build cannot mend those of the base."""
        if self.is_new(path.removesuffix(TEMPLATE)):
            self.problems += problems


def below(path: str, directory: str) -> bool:
    """Tell whether a path is another one, or stands below it."""
    return path == directory or path.startswith(f"{directory}/")


def _same_line(before: Sequence[str], after: Sequence[str], line: int, *, whole: str) -> int:
    """Find the line of a template that stands in the same place among those that hold a text; 0 when some are gone."""
    holding = [number for number, one in enumerate(before, 1) if whole in one]
    rendered = [number for number, one in enumerate(after, 1) if whole in one]
    return holding[rendered.index(line)] if whole and line in rendered and len(holding) == len(rendered) else 0


def _env(path: str, metadata: Metadata) -> Mapping[str, str]:
    own = next((app.env for app in metadata.applications if app.name == app_of(path)), {})
    return {**metadata.env, **own}


def app_of(path: str) -> str:
    """Give the name of the app in whose directory a file stands; "" for none."""
    return path.removeprefix(f"{APP_ROOT}/").partition("/")[0] if path.startswith(f"{APP_ROOT}/") else ""
