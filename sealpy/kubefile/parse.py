"""Kubefile text → nodes: comments, continued lines, here-documents, lists over several lines.

A node is an instruction whose words are not looked at yet. Nothing is refused here but what cannot be cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sealpy.errors import Place, Problem
from sealpy.kubefile.words import Quoting

__all__ = ["HERE", "HereDocument", "Node", "parse"]


@dataclass(frozen=True, slots=True)
class HereDocument:
    """Be the lines that follow `<<NAME`, without the last one; `quoted` is one whose name stands in quotes."""

    name: str
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """Be one instruction: its name in capitals, the text behind it on one line, and the lines it takes in the file."""

    name: str
    text: str
    line: int
    end: int
    here: tuple[HereDocument, ...] = ()
    written: str = ""  # the first line as it stands, for messages


_BLANKS = " \t"
_DIRECTIVE = re.compile(r"#\s*(?P<name>[A-Za-z]+)\s*=\s*(?P<value>\S+)\s*")
_HEAD = re.compile(r"(?P<name>\S+)(?:\s+(?P<text>.*))?", re.DOTALL)
HERE = re.compile(r"(?<![<\w])<<(?P<strip>-?)(?P<quote>['\"]?)(?P<name>[A-Za-z_][\w.-]*)(?P=quote)", re.ASCII)
"""How a here-document is announced, such as `<<EOF`, `<<-EOF` or `<<'EOF'`."""
_WITH_HERE = frozenset({"RUN", "COPY", "ADD", "CMD"})
_WITH_LIST = frozenset({"CMD", "CMDS", "LAUNCH", "APPCMDS", "COPY", "ADD", "RUN"})
_LIST_BEGINS = re.compile(r"\[\s*(\"|$)")


def parse(text: str, *, name: str) -> tuple[list[Node], list[Problem]]:
    """Cut a Kubefile into nodes; `name` is what messages call the file."""
    parser = _Parser(text, name)
    return parser.nodes(), parser.problems


class _Parser:
    def __init__(self, text: str, name: str) -> None:
        self._name = name
        self._lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
        self._at = 0
        self._escape = "\\"
        self.problems: list[Problem] = []

    def nodes(self) -> list[Node]:
        self._directives()
        found: list[Node] = []
        while self._at < len(self._lines):
            if self._is_empty(self._lines[self._at]):
                self._at += 1
            else:
                found.append(self._node())
        return found

    def _directives(self) -> None:
        """Read `# escape=` and its like, which stand before everything else."""
        for line in self._lines:
            match = _DIRECTIVE.fullmatch(line.strip())
            if not match or match["name"].lower() not in {"escape", "syntax", "check"}:
                return
            if match["name"].lower() == "escape":
                self._set_escape(match["value"])
            self._at += 1

    def _set_escape(self, value: str) -> None:
        if value in {"\\", "`"}:
            self._escape = value
        else:
            self._problem(self._at, f"'# escape={value}' is not possible", "write '\\' or '`'")

    def _is_empty(self, line: str) -> bool:
        stripped = line.strip()
        return not stripped or stripped.startswith("#")

    def _node(self) -> Node:
        start = self._at
        text = self._continued()
        head = _HEAD.fullmatch(text.strip())
        name, rest = (head["name"].upper(), head["text"] or "") if head else ("", "")
        if name in _WITH_LIST:
            rest = self._list(rest)
        announced = _announced(rest) if name in _WITH_HERE else ()
        here = tuple(self._here(match, start) for match in announced)
        return Node(name, rest, start + 1, self._at, here, self._lines[start].strip())

    def _continued(self) -> str:
        """Join lines that end in the escape; comments and empty lines between them are left out."""
        parts: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if parts and self._is_empty(line):
                continue
            body = line.rstrip(_BLANKS)
            if not body.endswith(self._escape) or self._is_escaped(body):
                parts.append(line)
                break
            parts.append(body.removesuffix(self._escape))
        return "".join(parts)

    def _is_escaped(self, body: str) -> bool:
        """Tell whether the escape at the end of a line is itself escaped, and so is text."""
        return (len(body) - len(body.rstrip(self._escape))) % 2 == 0

    def _list(self, text: str) -> str:
        """Go on to the next lines while a list in brackets is open; one that never closes is left as it is."""
        begin = text.find("[")
        if begin < 0 or not _LIST_BEGINS.match(text, begin) or _is_closed(text[begin:]):
            return text
        whole = text
        for at in range(self._at, len(self._lines)):
            line = self._lines[at]
            if self._is_empty(line):
                continue
            whole += " " + line.strip().removesuffix(self._escape)
            if _is_closed(whole[begin:]):
                self._at = at + 1
                return whole
        return text

    def _here(self, match: re.Match[str], start: int) -> HereDocument:
        lines: list[str] = []
        for at in range(self._at, len(self._lines)):
            line = self._lines[at].lstrip("\t") if match["strip"] else self._lines[at]
            if line == match["name"]:
                self._at = at + 1
                return HereDocument(match["name"], "".join(f"{text}\n" for text in lines), bool(match["quote"]))
            lines.append(line)
        self._problem(start, f"'{match[0]}' is not closed", f"end it with a line that holds only {match['name']}")
        return HereDocument(match["name"], "")

    def _problem(self, at: int, message: str, hint: str) -> None:
        self.problems.append(Problem(message, Place(self._name, at + 1), hint))


def _announced(text: str) -> Iterator[re.Match[str]]:
    """Yield what announces a here-document; within quotes it is text."""
    quoting, at = Quoting(), 0
    for match in HERE.finditer(text):
        for sign in text[at : match.start()]:
            quoting.see(sign)
        at = match.start()
        if not quoting.quote:
            yield match


def _is_closed(text: str) -> bool:
    """Tell whether the bracket at the beginning is closed; brackets within quotes do not count."""
    depth, quoted, escaped = 0, False, False
    for sign in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = sign == "\\", sign != '"'
        elif sign == '"':
            quoted = True
        else:
            depth += (sign == "[") - (sign == "]")
            if depth == 0:
                return True
    return False
