"""The operator's `~/.ssh/config`: blocks of settings, and which of them speak of one machine.

paramiko has a reader too, which knows neither `Include` nor the line of a setting, and a message without the line is of
no use to who wrote the file. Grammar and order are those of ssh_config(5): of a setting that is given twice the first
one counts, key files are collected. Only the operator's own file is read, as `/etc/ssh/ssh_config` may send every login
of this machine through programs that we do not start.
"""

from __future__ import annotations

import fnmatch
import getpass
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from sealpy.disk import expanded
from sealpy.errors import ConfigError, Place

__all__ = ["Setting", "Settings", "SshConfig"]

_DEEPEST = 16  # files that include files, as in OpenSSH
_LINE = re.compile(r"(?P<keyword>[A-Za-z0-9]+)(?:\s*=\s*|\s+)(?P<rest>.*)")
_WORD = re.compile(r'"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+)')
_OTHERS_CAN_WRITE = 0o022
_WHOLE = frozenset({"proxycommand"})  # the rest of the line as it stands is for a shell
_MATCHED = frozenset({"all", "host", "originalhost", "user", "localuser"})
_COLLECTED = frozenset({"identityfile", "certificatefile"})
# What we obey, and what must not be passed over: with any other keyword a login is the same, or fails with a reason.
_HEEDED = frozenset({
    "bindaddress", "bindinterface", "certificatefile", "connecttimeout", "hostkeyalias", "hostname",
    "identitiesonly", "identityagent", "identityfile", "port", "proxycommand", "proxyjump", "proxyusefdpass",
    "revokedhostkeys", "serveraliveinterval", "stricthostkeychecking", "user", "userknownhostsfile",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """Hold one line: its keyword in small letters, its words without quotes, and where it stands."""

    keyword: str
    words: tuple[str, ...]
    place: Place

    @property
    def word(self) -> str:
        """Give the first word."""
        return self.words[0]


Settings = dict[str, list[Setting]]  # by keyword; more than one only of those that are collected


@dataclass(frozen=True, slots=True)
class _Block:
    """Hold the settings below a `Host` or `Match` line, and the files that are included there."""

    head: Setting
    entries: list[Setting | _Include] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Include:
    blocks: tuple[_Block, ...]


@dataclass(frozen=True, slots=True)
class SshConfig:
    """Hold what the file says; without a file, nothing."""

    blocks: tuple[_Block, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file and those it includes; raises ConfigError, also when there is no such file."""
        try:
            return cls(tuple(_blocks(path, base=path.parent, depth=0)))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror or error}", hint="give a file that can be read") from error

    def lookup(self, name: str, *, user: str = "") -> Settings:
        """Give the settings for a machine by the name it is called by; `user` is the account, when it is settled.

        Raises ConfigError for a condition that cannot be decided here, such as `Match exec`, if anything hangs on it.
        """
        found: Settings = {}
        for setting in _of(self.blocks, _Asked(name, user, found)):
            known = found.setdefault(setting.keyword, [])
            if not known or setting.keyword in _COLLECTED:
                known.append(setting)
        return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """Be the machine that is asked for, with what has been found for it so far."""

    name: str
    user: str
    found: Settings

    @property
    def host_name(self) -> str:
        given = self.found.get("hostname")
        return given[0].word.replace("%h", self.name) if given else self.name

    @property
    def account(self) -> str:
        given = self.found.get("user")
        return self.user or (given[0].word if given else getpass.getuser())


def _of(blocks: Sequence[_Block], asked: _Asked) -> Iterator[Setting]:
    for block in blocks:
        if not _speaks_of(block.head, asked):
            continue
        undecided = _undecided(block.head)
        for entry in block.entries:
            settings = _of(entry.blocks, asked) if isinstance(entry, _Include) else [entry]
            for setting in settings:
                if undecided and setting.keyword in _HEEDED:
                    raise ConfigError(
                        f"whether {undecided!r} is so cannot be told here",
                        place=block.head.place,
                        hint=f"write this block as `Host {asked.name}`, or give --ssh-config another file, or 'none'",
                    )
                if not undecided:
                    yield setting


def _speaks_of(head: Setting, asked: _Asked) -> bool:
    if head.keyword == "host":
        return _listed(head.words, asked.name)
    values = {
        "all": (),
        "host": (asked.host_name,),
        "originalhost": (asked.name,),
        "user": (asked.account,),
        "localuser": (getpass.getuser(),),
    }
    return all(
        _listed(patterns.split(","), *values[word]) is wanted if values.get(word) else True
        for word, patterns, wanted in _criteria(head)
    )


def _undecided(head: Setting) -> str:
    """Give the first condition of a `Match` line that we cannot decide; empty when there is none."""
    if head.keyword == "host":
        return ""
    return next((f"Match {word}" for word, _, _ in _criteria(head) if word not in _MATCHED), "")


def _criteria(head: Setting) -> Iterator[tuple[str, str, bool]]:
    """Yield each condition of a `Match` line: its word, its patterns, and whether it must be so."""
    words = iter(head.words)
    for written in words:
        word = written.lstrip("!").lower()
        bare = word in {"all", "canonical", "final"}
        patterns = "" if bare else next(words, "")
        if not bare and not patterns:
            raise ConfigError(f"'Match {word}' lacks its value", place=head.place, hint=f"write Match {word} PATTERN")
        yield word, patterns, not written.startswith("!")


def _listed(patterns: Sequence[str], name: str) -> bool:
    """Tell whether a name is in a list of patterns; one with `!` shuts out."""
    fits = [(pattern.startswith("!"), _fits(pattern.removeprefix("!"), name)) for pattern in patterns]
    return any(fit for _, fit in fits) and not any(shut and fit for shut, fit in fits)


def _fits(pattern: str, name: str) -> bool:
    return fnmatch.fnmatchcase(name.lower(), pattern.lower().replace("[", "[[]"))


# ---- from a file to blocks


def _blocks(path: Path, *, base: Path, depth: int, included_by: Place | None = None) -> Iterator[_Block]:
    if depth > _DEEPEST:
        raise ConfigError(f"'{path}' includes itself", place=included_by, hint="remove the `Include`")
    block = _Block(Setting("host", ("*",), Place(path)))
    for setting in _settings(path):
        match setting.keyword:
            case "host" | "match":
                yield block
                block = _Block(setting)
            case "include":
                block.entries.append(_Include(tuple(_included(setting, base, depth=depth))))
            case _:
                block.entries.append(setting)
    yield block


def _included(setting: Setting, base: Path, *, depth: int) -> Iterator[_Block]:
    """Read the files of an `Include`, in the order of their names; that there is none is no error, as in OpenSSH."""
    for pattern in setting.words:
        # Relative to the directory of the first file, whoever includes: for the operator's own that is `~/.ssh`.
        whole = base / expanded(pattern)
        root = Path(whole.anchor or ".")
        for found in sorted(root.glob(str(whole.relative_to(root)))):
            try:
                yield from _blocks(found, base=base, depth=depth + 1, included_by=setting.place)
            except OSError as error:
                raise ConfigError(
                    f"'{found}' cannot be read: {error.strerror}", place=setting.place, hint="mend it or its mode"
                ) from error


def _settings(path: Path) -> Iterator[Setting]:
    text = path.read_text("utf-8", "surrogateescape")
    state = path.stat()
    if state.st_mode & _OTHERS_CAN_WRITE or state.st_uid not in {0, os.geteuid()}:
        raise ConfigError(f"{path}: others than you can write to it", hint=f"chmod go-w {path}, and see who owns it")
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        place = Place(path, number)
        match = _LINE.fullmatch(bare)
        whole = match and match["keyword"].lower() in _WHOLE
        words = ((match["rest"],) if whole else _words(match["rest"], place)) if match else ()
        if not match or not words:
            raise ConfigError(f"'{bare.split()[0]}' has no value", place=place, hint="write `Keyword value`")
        yield Setting(match["keyword"].lower(), words, place)


def _words(text: str, place: Place) -> tuple[str, ...]:
    words: list[str] = []
    at = 0
    for match in _WORD.finditer(text):
        if text[at : match.start()].strip():
            break
        if match["plain"] and match["plain"].startswith("#"):
            return tuple(words)
        words.append(match["quoted"] if match["quoted"] is not None else match["plain"])
        at = match.end()
    if text[at:].strip():
        raise ConfigError("a quote is not closed", place=place, hint='write "…" round the whole value')
    return tuple(words)
