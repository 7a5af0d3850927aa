"""What stands behind an instruction: words, lists in brackets, pairs, flags, commands."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from sealpy.errors import Place, Problem, did_you_mean
from sealpy.kubefile.parse import HERE, Node
from sealpy.kubefile.words import Variables, WordError, split

__all__ = ["Reader"]

_FLAG = re.compile(r"--(?P<name>[A-Za-z-]*)(?:=(?P<value>.*))?", re.DOTALL)
_TEXT = r"""(?:"[^"]*"|'[^']*')"""
_QUOTED = re.compile(rf"(?=.[^\"']*\s){_TEXT}(?:[\s,]+{_TEXT})*")
"""Nothing but texts in quotes, with a blank in the first."""
_APP_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(slots=True)
class Reader:
    """Read the text of one node after the other; what is set so far is in `variables`. Methods raise WordError."""

    name: str
    variables: Variables
    notices: list[Problem] = field(default_factory=list)

    def words(self, node: Node) -> list[str]:
        """Split the text behind an instruction; a comment at its end is dropped with a notice."""
        words, comment = split(node.text)
        if comment:
            self._dropped(node, comment)
        return words

    def expanded(self, node: Node) -> list[str]:
        """Split likewise, and put in variables."""
        return [self.variables.expand(word) for word in self.words(node)]

    def flags(self, node: Node, words: list[str], known: Collection[str], why: str) -> dict[str, str]:
        """Take the flags off the front of some words; `why` says why there are no others."""
        found: dict[str, str] = {}
        while words and words[0].startswith("--"):
            match = _FLAG.fullmatch(words.pop(0))
            name, value = (match["name"], match["value"]) if match else ("", None)
            if name not in known:
                flags = [f"--{flag}" for flag in known]
                hint = did_you_mean(f"--{name}", flags) or f"{why}; {node.name} knows {', '.join(flags)}"
                raise WordError(f"flag '--{name}' is unknown", hint)
            if name in found:
                raise WordError(f"flag '--{name}' stands twice", "write it once")
            if not value:
                raise WordError(f"flag '--{name}' has no value", f"write {node.name} --{name}=…")
            found[name] = self.variables.expand(value)
        return found

    def listed(self, node: Node, text: str) -> list[str] | None:
        """Read a list in brackets; None when the text is none."""
        if not text.startswith("["):
            return None
        try:
            items, end = json.JSONDecoder().raw_decode(text)
        except ValueError:
            if not text.rstrip().endswith("]"):
                return None  # a test of the shell, such as `[ -f x ] && y`
            raise WordError("the list is not written as JSON", f"write {_as_json(text)}") from None
        rest = text[end:].strip()
        if rest and not rest.startswith("#"):
            return None
        if rest:
            self._dropped(node, rest)
        if not all(isinstance(item, str) for item in items):
            raise WordError("the list holds something that is no text", 'write texts in double quotes: ["a", "b"]')
        return [*items]

    def pairs(self, node: Node, words: list[str], rest: str) -> dict[str, str]:
        """Read `K=V K2=V2`, or the older form `K V` with one pair."""
        if not words:
            raise WordError("a name and a value are missing", f"write {node.name} NAME=value")
        if "=" not in words[0]:
            value = rest.strip().removesuffix(split(rest)[1]).strip()[len(words[0]) :].strip()
            if not value:
                raise WordError(f"'{words[0]}' has no value", f"write {node.name} {words[0]}=value")
            return {self.variables.expand(words[0]): self.variables.expand(value)}
        found = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not name:
                raise WordError(f"'{word}' is not NAME=value", 'put values with blanks in quotes: NAME="a b"')
            found[self.variables.expand(name)] = self.variables.expand(value)
        return found

    def app_name(self, words: list[str]) -> str:
        """Give the first word, which must be able to name an app."""
        if not words:
            raise WordError("the name of an app is missing", "write the name of an app, then the rest")
        if not _APP_NAME.fullmatch(words[0]):
            raise WordError(f"'{words[0]}' cannot be the name of an app", "use letters, digits, '-', '_' and '.'")
        return words[0]

    def commands(self, node: Node, text: str) -> tuple[str, ...]:
        """Read a list of commands; text that is no list is one command, and is never split.

        Text that stands in quotes as a whole is refused: a shell would look for one program of that long name.
        """
        listed = self.listed(node, text)
        if listed is None and _QUOTED.fullmatch(text.strip()):
            raise WordError("a command in quotes is the name of one program to a shell", f"write {_as_json(text)}")
        if listed is not None:
            commands = tuple(self.variables.expand_command(item) for item in listed if item.strip())
        else:
            commands = (self.variables.expand_command(self.script(node, text)),) if text.strip() else ()
        if not commands:
            raise WordError("a command is missing", f'write {node.name} … ["command"]')
        return commands

    def script(self, node: Node, text: str) -> str:
        """Give text for a shell, with the here-documents behind it; one that is only `<<EOF` is its own text."""
        line = text.strip()
        if not line:
            raise WordError("a command is missing", f"write {node.name} and a command")
        if node.here and HERE.fullmatch(line):
            return node.here[0].text
        return line + "".join(f"\n{document.text}{document.name}" for document in node.here)

    def _dropped(self, node: Node, comment: str) -> None:
        message = f"{node.name}: '{comment}' is taken for a comment"
        self.notices.append(Problem(message, Place(self.name, node.line), "put comments on their own line"))


def _as_json(text: str) -> str:
    """Propose the list that was meant by `[a, b]`, by `"a"` or by `"a", "b"`."""
    bare = text.strip().removeprefix("[").removesuffix("]")
    items = [found[1:-1] for found in re.findall(_TEXT, bare)] if _QUOTED.fullmatch(bare) else bare.split(",")
    stripped = (item.strip().strip("\"'") for item in items)
    return json.dumps([item for item in stripped if item], ensure_ascii=False)
