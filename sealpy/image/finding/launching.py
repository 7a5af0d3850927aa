"""What the launch commands of an image do with its files: charts with their values, kustomizations, manifests."""

from __future__ import annotations

import itertools
import posixpath
import re
import shlex
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Self

from sealpy.image.metadata import Metadata

__all__ = ["ApplyCall", "Call", "HelmCall", "KustomizeCall", "Launches", "helm_values", "is_address"]

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
_APPLIES = frozenset({"apply", "create", "replace"})
_INSTALLS = frozenset({"install", "template", "upgrade"})


@dataclass(frozen=True, slots=True)
class HelmCall:
    """Hold a call of helm: the release, the path of the chart in the rootfs, and the flags that change its values."""

    release: str
    path: str
    directory: str  # of the rootfs, in which it runs
    namespace: str = ""
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KustomizeCall:
    """Hold a call of kustomize: the path of the kustomization in the rootfs, or an address."""

    path: str


@dataclass(frozen=True, slots=True)
class ApplyCall:
    """Hold one file, directory or pattern of the rootfs, or an address, that `kubectl apply -f` is given."""

    path: str

    def covers(self, path: str) -> bool:
        """Tell whether a file of the rootfs is applied by it."""
        return path == self.path or path.startswith(f"{self.path}/") or fnmatchcase(path, self.path)


Call = HelmCall | KustomizeCall | ApplyCall


@dataclass(frozen=True)
class Launches:
    """Hold what an image launches, and what the image that it is built upon did already."""

    calls: tuple[Call, ...]
    before: frozenset[Call] = frozenset()

    @classmethod
    def of(cls, metadata: Metadata, before: Metadata | None) -> Self:
        """Read the launch commands of both."""
        return cls(tuple(_calls(metadata)), frozenset(_calls(before)) if before else frozenset())

    @property
    def helm(self) -> list[HelmCall]:
        """Give the calls of helm."""
        return [call for call in self.calls if isinstance(call, HelmCall)]

    @property
    def kustomize(self) -> list[KustomizeCall]:
        """Give the kustomizations that are applied."""
        return [call for call in self.calls if isinstance(call, KustomizeCall)]

    @property
    def applied(self) -> list[ApplyCall]:
        """Give the manifests that are applied."""
        return [call for call in self.calls if isinstance(call, ApplyCall)]

    def is_new(self, call: Call) -> bool:
        """Tell whether a call is one that the base does not make."""
        return call in self.calls and call not in self.before


def _calls(metadata: Metadata) -> list[Call]:
    """List what the commands of all apps, launched or not, and of the image itself do; each once, in order."""
    found: list[Call] = []
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


def _in_text(text: str, directory: str, env: Mapping[str, str]) -> Iterator[Call]:
    at = directory
    for words in _commands(text, env):
        match words:
            case ["cd", where]:
                at = _joined(at, where)
            case ["helm", *rest]:
                if call := _helm(rest, at):
                    yield call
            case ["kubectl", *rest]:
                yield from _kubectl(rest, at)
            case ["kustomize", "build", *rest]:
                yield from (KustomizeCall(_joined(at, word)) for word in rest[:1] if not word.startswith("-"))


def _kubectl(words: Sequence[str], directory: str) -> Iterator[Call]:
    if _APPLIES.isdisjoint(words):
        return
    for flag, value in _flags(words):
        if flag in {"-k", "--kustomize"}:
            yield KustomizeCall(_joined(directory, value))
        elif flag in {"-f", "--filename"}:
            yield from (ApplyCall(_joined(directory, one)) for one in value.split(",") if one != "-")


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give flags with their values, whether these stand behind `=`, as the next word, or against a short flag."""
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        if word.startswith("--"):
            flag, equals, value = word.partition("=")
            yield flag, value if equals else following
        elif word.startswith("-"):
            yield word[:2], word[2:].removeprefix("=") or following


def is_address(path: str) -> bool:
    """Tell whether something is to come over the network."""
    return "://" in path or path.startswith(("git@", "github.com/"))


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
    if is_address(path):
        return path
    joined = posixpath.normpath(posixpath.join(directory, path))
    return "" if joined == "." else joined
