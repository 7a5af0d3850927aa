"""One function for each instruction: a node becomes the instructions that it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from sealpy.kubefile import constraint, rules
from sealpy.kubefile.files import add, copy
from sealpy.kubefile.instructions import (
    App,
    AppCmds,
    AppEnv,
    Arg,
    Cmd,
    Cmds,
    Cni,
    Csi,
    Env,
    From,
    Instruction,
    KubeVersion,
    Label,
    Launch,
    Maintainer,
    Network,
    Run,
)
from sealpy.kubefile.parse import Node
from sealpy.kubefile.platforms import PlatformError, check_platform
from sealpy.kubefile.reader import Reader
from sealpy.kubefile.words import WordError, split

__all__ = ["GRAMMAR"]

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PLATFORM = re.compile(r"linux/[a-z0-9_]+(/v[0-9.]+)?")
_NETWORKS: Mapping[str, Network] = {"default": "", "none": "none", "host": "host"}


def _from(reader: Reader, node: Node) -> Iterator[Instruction]:
    words = reader.words(node)
    flags = reader.flags(node, words, ("platform",), "an image is taken from the store")
    platform = flags.get("platform", "")
    if platform and not _PLATFORM.fullmatch(platform):
        raise WordError(f"'{platform}' is no platform", "write --platform=linux/amd64 or --platform=linux/arm64")
    if platform:
        _check_platform(platform)
    if not words:
        raise WordError("an image is missing", "write FROM scratch, or FROM and the name of an image")
    if len(words) > 1:
        hint = "a Kubefile has one stage" if words[1].upper() == "AS" else f"write FROM {words[0]}"
        raise WordError(f"takes one image, not also '{' '.join(words[1:])}'", hint)
    yield From(line=node.line, image=reader.variables.expand(words[0]), platform=platform)


def _check_platform(platform: str) -> None:
    system, processor = platform.split("/")[:2]
    try:
        check_platform(system, processor)
    except PlatformError as error:
        raise WordError(f"--platform={platform}: {error}", error.hint) from error


def _run(reader: Reader, node: Node) -> Iterator[Instruction]:
    text, network = node.text, "default"
    while text.lstrip().startswith("--"):
        word = split(text)[0][0]
        network = reader.flags(node, [word], ("network",), rules.RUN_FLAG_HINT)["network"]
        text = text.lstrip()[len(word) :]
    if network not in _NETWORKS:
        raise WordError(f"network '{network}' is unknown", "write --network=none or --network=host")
    words = reader.listed(node, text.strip())
    if words is None:
        yield Run(line=node.line, command=reader.script(node, text), network=_NETWORKS[network])
        return
    if not words:
        raise WordError("a command is missing", 'write RUN ["program", "argument"], or RUN and a command')
    yield Run(line=node.line, words=tuple(words), network=_NETWORKS[network])


def _arg(reader: Reader, node: Node) -> Iterator[Instruction]:
    words = reader.words(node)
    if not words:
        raise WordError("a name is missing", "write ARG NAME or ARG NAME=default")
    for word in words:
        name, equals, default = word.partition("=")
        if not _NAME.fullmatch(name):
            raise WordError(f"'{name}' cannot be a name", "use letters, digits and '_'")
        value = reader.variables.declare(name, reader.variables.expand(default) if equals else None)
        yield Arg(line=node.line, name=name, value=value)


def _env(reader: Reader, node: Node) -> Iterator[Instruction]:
    values = reader.pairs(node, reader.words(node), node.text)
    reader.variables.env |= values
    yield Env(line=node.line, values=values)


def _label(reader: Reader, node: Node) -> Iterator[Instruction]:
    yield Label(line=node.line, values=reader.pairs(node, reader.words(node), node.text))


def _maintainer(reader: Reader, node: Node) -> Iterator[Instruction]:
    if not node.text.strip():
        raise WordError("a name is missing", "write MAINTAINER and a name")
    yield Maintainer(line=node.line, name=" ".join(reader.expanded(node)))


def _app(reader: Reader, node: Node) -> Iterator[Instruction]:
    name, sources = _app_sources(reader, node)
    yield App(line=node.line, name=name, sources=sources)


def _cni(reader: Reader, node: Node) -> Iterator[Instruction]:
    name, sources = _app_sources(reader, node)
    yield Cni(line=node.line, name=name, sources=sources)


def _csi(reader: Reader, node: Node) -> Iterator[Instruction]:
    name, sources = _app_sources(reader, node)
    yield Csi(line=node.line, name=name, sources=sources)


def _app_sources(reader: Reader, node: Node) -> tuple[str, tuple[str, ...]]:
    words = reader.expanded(node)
    name = reader.app_name(words)
    sources = words[1:]
    if not sources:
        raise WordError(f"'{name}' has no source", f"write {node.name} {name} local://PATH")
    for before, source in zip(words, sources, strict=False):
        rules.check_source(source, before)
    return name, tuple(sources)


def _app_cmds(reader: Reader, node: Node) -> Iterator[Instruction]:
    name, rest = [*node.text.split(None, 1), "", ""][:2]
    app = reader.app_name([reader.variables.expand(name)] if name else [])
    yield AppCmds(line=node.line, app=app, commands=reader.commands(node, rest.strip()))


def _app_env(reader: Reader, node: Node) -> Iterator[Instruction]:
    words = reader.words(node)
    app = reader.app_name(words)
    rest = node.text.strip()[len(words[0]) :]
    yield AppEnv(line=node.line, app=app, values=reader.pairs(node, words[1:], rest))


def _kube_version(reader: Reader, node: Node) -> Iterator[Instruction]:
    text = " ".join(reader.expanded(node))
    if not text:
        raise WordError("a version is missing", 'write KUBEVERSION ">= 1.30"')
    try:
        constraint.parse(text)
    except constraint.ConstraintError as error:
        raise WordError(str(error), 'write KUBEVERSION ">= 1.30, < 1.36"') from error
    yield KubeVersion(line=node.line, constraint=text)


def _launch(reader: Reader, node: Node) -> Iterator[Instruction]:
    listed = reader.listed(node, node.text)
    apps = reader.expanded(node) if listed is None else [reader.variables.expand_command(app) for app in listed]
    if not apps:
        raise WordError("names no app", 'write LAUNCH ["app"]')
    yield Launch(line=node.line, apps=tuple(apps))


def _cmds(reader: Reader, node: Node) -> Iterator[Instruction]:
    yield Cmds(line=node.line, commands=reader.commands(node, node.text))


def _cmd(reader: Reader, node: Node) -> Iterator[Instruction]:
    yield Cmd(line=node.line, commands=reader.commands(node, node.text))


GRAMMAR: Mapping[str, Callable[[Reader, Node], Iterator[Instruction]]] = {
    "FROM": _from,
    "COPY": copy,
    "ADD": add,
    "RUN": _run,
    "ARG": _arg,
    "ENV": _env,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "APP": _app,
    "CNI": _cni,
    "CSI": _csi,
    "APPCMDS": _app_cmds,
    "APPENV": _app_env,
    "KUBEVERSION": _kube_version,
    "LAUNCH": _launch,
    "CMDS": _cmds,
    "CMD": _cmd,
}
