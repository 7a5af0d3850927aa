"""What a Kubefile as a whole must keep to, and what to say to one that is something else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from sealpy.errors import Place, Problem, did_you_mean, nearest
from sealpy.kubefile.instructions import App, Arg, Cmd, Cmds, Cni, Csi, Instruction, Launch
from sealpy.kubefile.parse import Node
from sealpy.kubefile.words import PROXIES, Variables, WordError

__all__ = ["FLAG_HINT", "RUN_FLAG_HINT", "check", "check_source", "foreign", "unknown", "unused_arguments"]

FLAG_HINT = "a Kubefile has one stage, and each COPY or ADD is a layer of its own"
RUN_FLAG_HINT = "what a command needs stands in the rootfs: COPY it there, or let it be fetched"

_ONLY_DOCKER = {
    "ENTRYPOINT": "say what is launched by LAUNCH or CMDS; what removes an app is a plugin of PreClean",
    "EXPOSE": "services of Kubernetes say which ports are open",
    "HEALTHCHECK": "write a plugin of PostInstall",
    "ONBUILD": "write the instruction itself",
    "SHELL": "commands run by a shell of the host",
    "STOPSIGNAL": "nothing of a cluster image is stopped by a signal",
    "USER": "commands run as root",
    "VOLUME": "say which directory by `dataRoot` of the Clusterfile",
    "WORKDIR": "commands run in the rootfs; write `cd` into the command",
}
_LOOKS_LIKE = (
    (re.compile(r"(apiVersion|kind|metadata|---)\b|---"), "Kubernetes YAML"),
    (re.compile(r"pipeline\b|node\b.*\{"), "a pipeline of Jenkins"),
    (re.compile(r"<"), "markup"),
    (re.compile(r"[\w.]+\s*[:=]"), "a file of settings"),
)
_SCHEME = re.compile(r"(?P<scheme>[a-zA-Z][\w+.-]*)://(?P<rest>.*)", re.DOTALL)


def foreign(nodes: Sequence[Node], known: Collection[str], name: str) -> Problem | None:
    """Tell that a file is no Kubefile at all: there is nothing in it, or its first line is like no instruction."""
    hint = "a Kubefile begins with FROM scratch, or FROM and the name of an image"
    if not nodes:
        return Problem("the file holds no instruction", Place(name), hint)
    first = nodes[0]
    words = {*known, *_ONLY_DOCKER}
    word = re.split(r"[^A-Z]", first.name)[0]
    if word in words or (word == first.name and nearest(word, words)):
        return None
    likeness = next((what for pattern, what in _LOOKS_LIKE if pattern.match(first.written)), "")
    looks = f"; it looks like {likeness}" if likeness else ""
    return Problem(f"this is no Kubefile: it begins with '{first.written[:40]}'{looks}", Place(name, first.line), hint)


def unknown(node: Node, known: Collection[str]) -> WordError:
    """Say what is wrong with an instruction that does not exist."""
    word = re.split(r"[^A-Z]", node.name)[0]
    for name in (node.name, word):
        if name in _ONLY_DOCKER:
            return WordError(f"'{name}' has no meaning in a cluster image", _ONLY_DOCKER[name])
    written = node.written.split()[0]
    if word in known:
        return WordError(f"'{written}' is no instruction", f"put a blank behind {word}")
    hint = did_you_mean(node.name, known) or "if it goes on from the line before, end that one with '\\'"
    return WordError(f"'{written}' is no instruction", hint)


def check_source(source: str, before: str) -> None:
    """Refuse a source of an app whose scheme is missing or unknown; raises WordError."""
    match = _SCHEME.fullmatch(source)
    if match is None:
        if before.endswith("/") and "://" in before:
            raise WordError(f"'{source}' has no scheme", f"is there a blank too many: {before}{source}?")
        raise WordError(f"'{source}' has no scheme", f"write local://{source} for a path in the build context")
    if match["scheme"] not in {"local", "http", "https"}:
        raise WordError(f"scheme '{match['scheme']}' is unknown", "use local://, https:// or http://")
    if not match["rest"].strip("/"):
        raise WordError(f"'{source}' names nothing", "write a path or an address behind '://'")


def check(
    nodes: Sequence[Node], instructions: Sequence[Instruction], known: Collection[str], name: str
) -> Iterator[Problem]:
    """Yield what is wrong with the order and the number of instructions."""
    yield from _check_from(nodes, known, name)
    yield from _check_launches(instructions, name)
    yield from _check_apps(instructions, name)


def _check_from(nodes: Sequence[Node], known: Collection[str], name: str) -> Iterator[Problem]:
    froms = [node for node in nodes if node.name == "FROM"]
    if any(node.name not in known and nearest(node.name, known) == "FROM" for node in nodes):
        return  # one that is mistyped is reported already
    if not froms:
        hint = "begin with FROM scratch, or FROM and the name of an image"
        yield Problem("no FROM: nothing says what the image is based on", Place(name, nodes[0].line), hint)
        return
    for node in froms[1:]:
        message = f"FROM stands twice (first on line {froms[0].line})"
        yield Problem(message, Place(name, node.line), "an image has one base")
    for node in nodes:
        if node is froms[0]:
            return
        if node.name != "ARG":
            yield Problem(f"{node.name} stands before FROM", Place(name, node.line), "only ARG may stand before it")


def _check_launches(instructions: Sequence[Instruction], name: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for instruction in instructions:
        match instruction:
            case Launch() | Cmds() | Cmd():
                word = type(instruction).__name__.upper()
            case _:
                continue
        place = Place(name, instruction.line)
        for other, line in first.items():
            if other != word:
                hint = "say by one of LAUNCH, CMDS and CMD what is launched"
                yield Problem(f"{word} cannot stand beside {other} (line {line})", place, hint)
            elif word != "CMD":
                yield Problem(f"{word} stands twice (first on line {line})", place, "join the two")
        first.setdefault(word, instruction.line)


def _check_apps(instructions: Iterable[Instruction], name: str) -> Iterator[Problem]:
    lines: dict[str, int] = {}
    for instruction in instructions:
        if not isinstance(instruction, App | Cni | Csi):
            continue
        if instruction.name in lines:
            message = f"app '{instruction.name}' stands twice (first on line {lines[instruction.name]})"
            yield Problem(message, Place(name, instruction.line), "give all its sources in one instruction")
        lines.setdefault(instruction.name, instruction.line)


def unused_arguments(variables: Variables, instructions: Iterable[Instruction], name: str) -> Iterator[Problem]:
    """Yield every --build-arg that nothing asks for."""
    declared = [instruction.name for instruction in instructions if isinstance(instruction, Arg)]
    for given in variables.given:
        if given not in variables.used and given.lower() not in PROXIES:
            others = f"the Kubefile declares {', '.join(declared)}" if declared else "the Kubefile declares no ARG"
            hint = did_you_mean(given, declared) or others
            yield Problem(f"--build-arg {given}: no instruction uses it", Place(name), hint)
