"""Nodes → instructions: arguments and variables put in, every problem of the file at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sealpy.errors import KubefileError, Place, Problem, counted
from sealpy.kubefile import rules
from sealpy.kubefile.instructions import (
    Add,
    App,
    AppCmds,
    AppEnv,
    Arg,
    Cmd,
    Cmds,
    Cni,
    Copy,
    Csi,
    Env,
    From,
    Instruction,
    Kubefile,
    KubeVersion,
    Label,
    Launch,
    Maintainer,
    Run,
)
from sealpy.kubefile.parse import Node, parse
from sealpy.kubefile.words import Variables, WordError, split

__all__ = ["read"]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_APP_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_URL = re.compile(r"https?://[^/\s]+.*")


def read(text: str, *, name: str, build_args: Mapping[str, str], arch: str) -> Kubefile:
    """Read the text of a Kubefile; raises one KubefileError that holds every problem."""
    nodes, problems = parse(text, name=name)
    reader = _Reader(name, Variables(build_args, arch), problems)
    if foreign := rules.foreign(nodes, _READERS, name):
        problems[:] = [foreign]
    else:
        reader.read(nodes)
    if problems:
        problems.sort(key=lambda problem: problem.place.line if problem.place else 0)
        raise KubefileError(f"{name}: {counted(len(problems), 'problem')}", problems=problems)
    return Kubefile(instructions=tuple(reader.instructions), notices=tuple(reader.notices))


@dataclass(slots=True)
class _Reader:
    name: str
    variables: Variables
    problems: list[Problem]
    notices: list[Problem] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)

    def read(self, nodes: list[Node]) -> None:
        for node in nodes:
            reads = _READERS.get(node.name)
            try:
                if reads is None:
                    raise rules.unknown(node, _READERS)
                self.instructions += reads(self, node)
            except WordError as error:
                self._problem(node, f"{node.name}: {error.message}" if reads else error.message, error.hint)
        self.problems += rules.check(nodes, self.instructions, _READERS, self.name)
        self.problems += rules.unused_arguments(self.variables, self.instructions, self.name)

    def _problem(self, node: Node, message: str, hint: str) -> None:
        self.problems.append(Problem(message, Place(self.name, node.line), hint))

    def _notice(self, node: Node, message: str, hint: str = "") -> None:
        self.notices.append(Problem(f"{node.name}: {message}", Place(self.name, node.line), hint))

    # ---- words

    def _words(self, node: Node) -> list[str]:
        """Split the text behind an instruction; a comment at its end is dropped with a notice."""
        words, comment = split(node.text)
        if comment:
            self._notice(node, f"'{comment}' is taken for a comment", "put comments on their own line")
        return words

    def _expanded(self, node: Node) -> list[str]:
        return [self.variables.expand(word) for word in self._words(node)]

    def _list(self, node: Node, text: str) -> list[str] | None:
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
            self._notice(node, f"'{rest}' is taken for a comment", "put comments on their own line")
        if not all(isinstance(item, str) for item in items):
            raise WordError("the list holds something that is no text", 'write texts in double quotes: ["a", "b"]')
        return list(items)

    def _pairs(self, node: Node, words: list[str], rest: str) -> dict[str, str]:
        """Read `K=V K2=V2`, or the older form `K V` with one pair."""
        if not words:
            raise WordError("a name and a value are missing", f"write {node.name} NAME=value")
        if "=" not in words[0]:
            value = rest.strip()[len(words[0]) :].strip()
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

    # ---- instructions

    def from_(self, node: Node) -> Iterator[Instruction]:
        words = self._words(node)
        platform = ""
        while words and words[0].startswith("--"):
            flag, _, value = words.pop(0).partition("=")
            if flag != "--platform":
                raise WordError(f"flag '{flag}' is unknown", "FROM knows --platform only")
            platform = self.variables.expand(value)
        if not words:
            raise WordError("an image is missing", "write FROM scratch, or FROM and the name of an image")
        if len(words) > 1:
            hint = "a Kubefile has one stage" if words[1].upper() == "AS" else f"write FROM {words[0]}"
            raise WordError(f"takes one image, not also '{' '.join(words[1:])}'", hint)
        yield From(line=node.line, image=self.variables.expand(words[0]), platform=platform)

    def copy(self, node: Node) -> Iterator[Instruction]:
        *sources, destination = self._paths(node)
        if urls := [source for source in sources if _URL.fullmatch(source)]:
            raise WordError(f"'{urls[0]}' is no file of the build context", "download it before the build")
        yield Copy(line=node.line, sources=tuple(sources), destination=destination)

    def add(self, node: Node) -> Iterator[Instruction]:
        *sources, destination = self._paths(node)
        yield Add(line=node.line, sources=tuple(sources), destination=destination)

    def _paths(self, node: Node) -> list[str]:
        if node.here:
            raise WordError("a here-document is not possible here", "put the text into a file of the build context")
        listed = self._list(node, node.text)
        words = self._expanded(node) if listed is None else [self.variables.expand(word) for word in listed]
        if flags := [word for word in words if word.startswith("--")]:
            raise WordError(f"flag '{flags[0].partition('=')[0]}' is unknown", rules.FLAG_HINT)
        if len(words) < 2:  # noqa: PLR2004 - one source, one destination
            missing = "a destination is" if words else "source and destination are"
            hint = f"write {node.name} {words[0]} ." if words else f"write {node.name} SOURCE… DESTINATION"
            raise WordError(f"{missing} missing", hint)
        return words

    def run(self, node: Node) -> Iterator[Instruction]:
        listed = self._list(node, node.text)
        yield Run(line=node.line, command=self._command(node) if listed is None else " ".join(listed))

    def arg(self, node: Node) -> Iterator[Instruction]:
        words = self._words(node)
        if not words:
            raise WordError("a name is missing", "write ARG NAME or ARG NAME=default")
        for word in words:
            name, equals, default = word.partition("=")
            if not _NAME.fullmatch(name):
                raise WordError(f"'{name}' cannot be a name", "use letters, digits and '_'")
            value = self.variables.declare(name, self.variables.expand(default) if equals else None)
            yield Arg(line=node.line, name=name, value=value)

    def env(self, node: Node) -> Iterator[Instruction]:
        values = self._pairs(node, self._words(node), node.text)
        self.variables.env |= values
        yield Env(line=node.line, values=values)

    def label(self, node: Node) -> Iterator[Instruction]:
        yield Label(line=node.line, values=self._pairs(node, self._words(node), node.text))

    def maintainer(self, node: Node) -> Iterator[Instruction]:
        if not node.text.strip():
            raise WordError("a name is missing", "write MAINTAINER and a name")
        yield Maintainer(line=node.line, name=" ".join(self._expanded(node)))

    def app(self, node: Node) -> Iterator[Instruction]:
        name, sources = self._app(node)
        yield App(line=node.line, name=name, sources=sources)

    def cni(self, node: Node) -> Iterator[Instruction]:
        name, sources = self._app(node)
        yield Cni(line=node.line, name=name, sources=sources)

    def csi(self, node: Node) -> Iterator[Instruction]:
        name, sources = self._app(node)
        yield Csi(line=node.line, name=name, sources=sources)

    def _app(self, node: Node) -> tuple[str, tuple[str, ...]]:
        words = self._expanded(node)
        name = self._app_name(node, words)
        sources = words[1:]
        if not sources:
            raise WordError(f"'{name}' has no source", f"write {node.name} {name} local://PATH")
        for before, source in zip(words, sources, strict=False):
            rules.check_source(source, before)
        return name, tuple(sources)

    def _app_name(self, node: Node, words: list[str]) -> str:
        if not words:
            raise WordError("the name of an app is missing", f"write {node.name} NAME …")
        if not _APP_NAME.fullmatch(words[0]):
            raise WordError(f"'{words[0]}' cannot be the name of an app", "use letters, digits, '-', '_' and '.'")
        return words[0]

    def app_cmds(self, node: Node) -> Iterator[Instruction]:
        name, _, rest = node.text.strip().partition(" ")
        app = self._app_name(node, [self.variables.expand(name)] if name else [])
        commands = self._commands(node, rest.strip())
        yield AppCmds(line=node.line, app=app, commands=commands)

    def app_env(self, node: Node) -> Iterator[Instruction]:
        words = self._words(node)
        app = self._app_name(node, words)
        rest = node.text.strip()[len(words[0]) :]
        yield AppEnv(line=node.line, app=app, values=self._pairs(node, words[1:], rest))

    def kube_version(self, node: Node) -> Iterator[Instruction]:
        constraint = " ".join(self._expanded(node))
        if not constraint:
            raise WordError("a version is missing", 'write KUBEVERSION ">= 1.30"')
        yield KubeVersion(line=node.line, constraint=constraint)

    def launch(self, node: Node) -> Iterator[Instruction]:
        apps = self._list(node, node.text)
        apps = self._expanded(node) if apps is None else [self.variables.expand_command(app) for app in apps]
        if not apps:
            raise WordError("names no app", 'write LAUNCH ["app"]')
        yield Launch(line=node.line, apps=tuple(apps))

    def cmds(self, node: Node) -> Iterator[Instruction]:
        yield Cmds(line=node.line, commands=self._commands(node, node.text))

    def cmd(self, node: Node) -> Iterator[Instruction]:
        yield Cmd(line=node.line, commands=self._commands(node, node.text))

    def _commands(self, node: Node, text: str) -> tuple[str, ...]:
        """Read a list of commands; text that is no list is one command, and is never split."""
        listed = self._list(node, text)
        if listed is not None:
            commands = tuple(self.variables.expand_command(item) for item in listed if item.strip())
        else:
            commands = (self._command(node, text),) if text.strip() else ()
        if not commands:
            raise WordError("a command is missing", f'write {node.name} … ["command"]')
        return commands

    def _command(self, node: Node, text: str | None = None) -> str:
        """Give a command for a shell, with the here-documents behind it; one that is only `<<EOF` is its own text."""
        line = (node.text if text is None else text).strip()
        if not line:
            raise WordError("a command is missing", f"write {node.name} and a command")
        if node.here and re.fullmatch(r"<<-?['\"]?\w+['\"]?", line):
            return self.variables.expand_command(node.here[0].text)
        bodies = "".join(f"\n{document.text}{document.name}" for document in node.here)
        return self.variables.expand_command(line + bodies)


def _as_json(text: str) -> str:
    """Propose the list that was meant by `[a, b]`."""
    items = [item.strip().strip("\"'") for item in text.strip().removeprefix("[").removesuffix("]").split(",")]
    return json.dumps([item for item in items if item], ensure_ascii=False)


_READERS: Mapping[str, Callable[[_Reader, Node], Iterator[Instruction]]] = {
    "FROM": _Reader.from_,
    "COPY": _Reader.copy,
    "ADD": _Reader.add,
    "RUN": _Reader.run,
    "ARG": _Reader.arg,
    "ENV": _Reader.env,
    "LABEL": _Reader.label,
    "MAINTAINER": _Reader.maintainer,
    "APP": _Reader.app,
    "CNI": _Reader.cni,
    "CSI": _Reader.csi,
    "APPCMDS": _Reader.app_cmds,
    "APPENV": _Reader.app_env,
    "KUBEVERSION": _Reader.kube_version,
    "LAUNCH": _Reader.launch,
    "CMDS": _Reader.cmds,
    "CMD": _Reader.cmd,
}
