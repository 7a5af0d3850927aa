"""What the launch commands of an image do with charts and kustomizations: with which values, from which directory."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sealpy.image.metadata import Metadata

__all__ = ["HelmCall", "KustomizeCall", "calls", "helm_values"]

_ENDS = re.compile(r"[;&|()]+")
_CONTINUED = re.compile(r"\\\n")
_VALUE_FLAGS = frozenset({"--set", "--set-file", "--set-json", "--set-literal", "--set-string", "--values", "-f"})
_OTHER_FLAGS = frozenset({
    "--ca-file", "--cert-file", "--description", "--history-max", "--key-file", "--keyring", "--kube-apiserver",
    "--kube-as-group", "--kube-as-user", "--kube-ca-file", "--kube-context", "--kube-token", "--kubeconfig",
    "--labels", "--name-template", "--output", "--password", "--post-renderer", "--registry-config", "--repo",
    "--repository-cache", "--repository-config", "--timeout", "--username", "--version", "-l", "-o",
})  # fmt: skip
_NAMESPACE = frozenset({"-n", "--namespace"})
_INSTALLS = frozenset({"install", "template", "upgrade"})


@dataclass(frozen=True, slots=True)
class HelmCall:
    """Hold a call of helm: the release, the path of the chart in the rootfs, and the flags that change its values."""

    release: str
    chart: str
    directory: str  # of the rootfs, in which it runs
    namespace: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KustomizeCall:
    """Hold a call of kustomize: the path of the kustomization in the rootfs."""

    path: str


def calls(metadata: Metadata) -> list[HelmCall | KustomizeCall]:
    """List what the commands of all apps, launched or not, and of the image itself do; each once, in order."""
    found: list[HelmCall | KustomizeCall] = []
    for app in metadata.applications:
        found += _in_text(app.command, app.directory, {**metadata.env, **app.env})
    for text in metadata.launch.cmds:
        found += _in_text(text, "", metadata.env)
    return list(dict.fromkeys(found))


def helm_values(call: HelmCall) -> Iterator[str]:
    """List the files and addresses from which a call takes values, as they are written."""
    for flag, value in zip(call.flags[::2], call.flags[1::2], strict=True):
        match flag:
            case "-f" | "--values":
                yield from value.split(",")
            case "--set-file":
                yield from (pair.partition("=")[2] for pair in value.split(","))


def _in_text(text: str, directory: str, env: Mapping[str, str]) -> Iterator[HelmCall | KustomizeCall]:
    at = directory
    for words in _commands(text, env):
        match words:
            case ["cd", where]:
                at = _joined(at, where)
            case ["helm", *rest]:
                if call := _helm(rest, at):
                    yield call
            case ["kubectl", *rest]:
                for flag, value in itertools.pairwise(rest):
                    if flag in {"-k", "--kustomize"}:
                        yield KustomizeCall(_joined(at, value))
                yield from (KustomizeCall(_joined(at, word[12:])) for word in rest if word.startswith("--kustomize="))
            case ["kustomize", "build", *rest] if rest:
                yield KustomizeCall(_joined(at, rest[0]))


def _commands(text: str, env: Mapping[str, str]) -> Iterator[list[str]]:
    """Cut shell text into simple commands, with the variables of the image filled in where they are known."""
    for line in _CONTINUED.sub(" ", text).splitlines():
        lexer = shlex.shlex(string.Template(line).safe_substitute(env), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:
            continue  # quotes that reach over lines: a script, not a call that can be read off
        command: list[str] = []
        for word in [*words, ";"]:
            if not _ENDS.fullmatch(word):
                command.append(word)
            elif command:
                yield command
                command = []


def _helm(words: Sequence[str], directory: str) -> HelmCall | None:
    names: list[str] = []
    flags: list[str] = []
    namespace = ""
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word.startswith("-f") and len(word) > 2 and not word.startswith("--"):  # noqa: PLR2004 # -fFILE
            flag, equals, value = "-f", "=", word[2:].removeprefix("=")
        if flag in _VALUE_FLAGS | _NAMESPACE | _OTHER_FLAGS and not equals:
            value = next(rest, "")
        if flag in _VALUE_FLAGS:
            flags += [flag, value]
        elif flag in _NAMESPACE:
            namespace = value
        elif not word.startswith("-"):
            names.append(word)
    match names:
        case [verb, release, chart, *_] if verb in _INSTALLS:
            return HelmCall(release, _joined(directory, chart), directory, namespace, tuple(flags))
        case [verb, chart] if verb in _INSTALLS:
            return HelmCall("release-name", _joined(directory, chart), directory, namespace, tuple(flags))
    return None


def _joined(directory: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(directory, path))
    return "" if joined == "." else joined
