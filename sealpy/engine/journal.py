"""The journal of a cluster: what was done, by which run, in the order it was done."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

from sealpy.disk import make_private

__all__ = ["Journal"]


class Journal:
    """Append one JSON line for each finished changing step and for each finished piece of a run.

    The file is `journal.jsonl` of the cluster's directory, mode 0600, flushed line by line, so that it tells the truth
    after a kill. A run that ends well writes `run.finished`; until then its marks are kept for the next run, which asks
    `done(identity)` to leave out what must not happen twice (plugins; every other step asks its host instead).
    """

    def __init__(self, path: Path | None, *, run: str, action: str, done: frozenset[str] = frozenset()) -> None:
        """Take the file, or None to write nothing; `done` is known to be done besides what the file says."""
        self._path = path
        self._run = run
        self._lock = threading.Lock()
        self._marked: set[str] = set()
        self._done = done | (_unfinished(path, action) if path else frozenset())
        if path:
            _end_torn_line(path)
        self._write({"event": "run.started", "action": action})

    @classmethod
    def rehearsing(cls, path: Path, *, run: str, action: str) -> Journal:
        """Know what an earlier run of the same action was cut after, and write nothing."""
        return cls(None, run=run, action=action, done=_unfinished(path, action))

    def step(self, *, host: str, phase: str, kind: str, title: str, error: str = "") -> None:
        """Note that a changing step ended."""
        self._write({"event": "step", "host": host, "phase": phase, "kind": kind, "title": title, "error": error})

    def mark(self, identity: str) -> None:
        """Note, once, that something which must happen once has happened."""
        with self._lock:
            if identity in self._marked:
                return
            self._marked.add(identity)
        self._write({"event": "mark", "identity": identity})

    def done(self, identity: str) -> bool:
        """Tell whether an earlier run of the same action was cut after it had done this."""
        return identity in self._done

    def finish(self, *, ok: bool) -> None:
        """Note how the run ended."""
        self._write({"event": "run.finished" if ok else "run.failed"})

    def _write(self, entry: dict[str, object]) -> None:
        if self._path is None:
            return
        line = json.dumps({"time": round(time.time(), 3), "run": self._run, **entry}, ensure_ascii=False) + "\n"
        with self._lock:
            make_private(self._path.parent)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)


def _unfinished(path: Path, action: str) -> frozenset[str]:
    """Read the marks of the runs of this action since the last one, of any action, that ended well."""
    marks: set[str] = set()
    current = ""
    if not path.exists():
        return frozenset()
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a run that was killed while it wrote
        match entry.get("event"):
            case "run.started":
                before, current = current, str(entry.get("action"))
                if current != before:  # a delete undoes what an apply had done, and the other way round
                    marks.clear()
            case "run.finished":
                marks.clear()
            case "mark" if current == action:
                marks.add(str(entry.get("identity")))
            case _:
                pass
    return frozenset(marks)


def _end_torn_line(path: Path) -> None:
    """End the line in which a run was killed, so that ours begins on its own."""
    if path.exists() and (text := path.read_bytes()) and not text.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
