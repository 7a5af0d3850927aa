"""COPY and ADD: sources, files that are written out here, where they go, whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sealpy.kubefile import rules
from sealpy.kubefile.instructions import Add, Copy, Document, Instruction
from sealpy.kubefile.parse import HERE, Node
from sealpy.kubefile.reader import Reader
from sealpy.kubefile.words import WordError

__all__ = ["add", "copy"]

_URL = re.compile(r"https?://[^/\s]+.*")
_GIT = re.compile(r"git@.*|git://.*|ssh://.*|https?://.*\.git(#.*)?")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
_OWNER = re.compile(r"(?P<user>\d+|root)?(?::(?P<group>\d+|root))?")
_MODE = re.compile(r"[0-7]{3,4}")
_HIGHEST = 2**31  # what a tar of the oldest kind, and every file system, can hold


@dataclass(frozen=True, slots=True)
class _Parts:
    flags: Mapping[str, str]
    sources: tuple[str, ...]
    documents: tuple[Document, ...]
    destination: str

    @property
    def owner(self) -> tuple[int, int] | None:
        text = self.flags.get("chown", "")
        if not text:
            return None
        match = _OWNER.fullmatch(text)
        if match is None or text == ":":
            raise WordError(
                f"'{text}' is no owner", "write numbers, --chown=1000:1000: an image knows no names but root"
            )
        user = match["user"] or "0"
        numbers = tuple(int(part.replace("root", "0")) for part in (user, match["group"] or user))
        if max(numbers) >= _HIGHEST:
            raise WordError(f"'{text}' is no owner", f"numbers are less than {_HIGHEST}")
        return numbers[0], numbers[1]

    @property
    def mode(self) -> int | None:
        text = self.flags.get("chmod", "")
        if text and not _MODE.fullmatch(text):
            raise WordError(f"'{text}' is no mode", "write it in octal digits: --chmod=755")
        return int(text, 8) if text else None


def copy(reader: Reader, node: Node) -> Iterator[Instruction]:
    """Read COPY."""
    parts = _parts(reader, node, ("chown", "chmod", "from"))
    image = parts.flags.get("from", "")
    if image.isdecimal():
        raise WordError(f"--from={image}: a Kubefile has one stage", "name an image, such as --from=kubernetes:v1.34.4")
    if urls := [source for source in parts.sources if _URL.fullmatch(source)]:
        raise WordError(f"'{urls[0]}' is no file of the build context", f"write ADD {urls[0]} {parts.destination}")
    if image and parts.documents:
        raise WordError("--from is for files of an image, not for a text that is written out", "write two instructions")
    yield Copy(
        line=node.line,
        sources=parts.sources,
        destination=parts.destination,
        documents=parts.documents,
        owner=parts.owner,
        mode=parts.mode,
        image=image,
    )


def add(reader: Reader, node: Node) -> Iterator[Instruction]:
    """Read ADD."""
    parts = _parts(reader, node, ("chown", "chmod", "checksum"))
    if gits := [source for source in parts.sources if _GIT.fullmatch(source)]:
        raise WordError(f"'{gits[0]}' is a repository of git", "clone it into the build context, and COPY it")
    checksum = parts.flags.get("checksum", "")
    if checksum and not _CHECKSUM.fullmatch(checksum):
        raise WordError(f"'{checksum}' is no checksum", "write --checksum=sha256: and 64 hexadecimal digits")
    if checksum and not (len(parts.sources) == 1 and _URL.fullmatch(parts.sources[0]) and not parts.documents):
        raise WordError("--checksum needs one source, which is a URL", "write an ADD of its own for each URL")
    yield Add(
        line=node.line,
        sources=parts.sources,
        destination=parts.destination,
        documents=parts.documents,
        owner=parts.owner,
        mode=parts.mode,
        checksum=checksum,
    )


def _parts(reader: Reader, node: Node, known: tuple[str, ...]) -> _Parts:
    words = reader.words(node)
    flags = reader.flags(node, words, known, rules.FLAG_HINT)
    text = node.text[node.text.find("[") :] if words and words[0].startswith("[") else ""
    listed = reader.listed(node, text)
    announced = [word for word in words if HERE.fullmatch(word)] if listed is None else []
    rest = [word for word in words if word not in announced] if listed is None else listed
    documents = _documents(reader, node)
    if not rest or len(rest) + len(documents) < 2:  # noqa: PLR2004 - one source, one destination
        missing = "a destination is" if rest or documents else "source and destination are"
        hint = f"write {node.name} {(rest or announced)[0]} ." if rest or announced else _HOW.format(node.name)
        raise WordError(f"{missing} missing", hint)
    *sources, destination = [reader.variables.expand(word) for word in rest]
    if flag := next((word for word in (*sources, destination) if word.startswith("--")), ""):
        raise WordError(f"flag '{flag}' stands behind a source", f"write flags right behind {node.name}")
    return _Parts(flags, tuple(sources), documents, destination)


_HOW = "write {} SOURCE… DESTINATION"


def _documents(reader: Reader, node: Node) -> tuple[Document, ...]:
    """Give the files that are written out here; variables are put in where the name stands in no quotes."""
    return tuple(
        Document(name=here.name, text=here.text if here.quoted else _filled(reader, here.text)) for here in node.here
    )


def _filled(reader: Reader, text: str) -> str:
    try:
        return reader.variables.expand_document(text)
    except WordError as error:
        hint = "put the name behind << in quotes to take the text as it is; or " + error.hint
        raise WordError(error.message, hint) from error
