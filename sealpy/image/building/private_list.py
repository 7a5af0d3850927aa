"""The file behind --image-list-with-auth: container images to take, and who logs in to the registry that has them.

    - registry: registry.example.com:5000
      username: robot
      password: …                       # or passwordFrom: {env: NAME}, {file: PATH}, {command: TEXT}
      images: [team/shop:1, registry.example.com:5000/team/web:2]

A name without a domain is one of the section's registry. The ancestor sent the login of a section to whichever registry
a name led to; here a name of another registry is refused. A login is for the images of its section alone, and neither
the file nor what it says goes into an image.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from sealpy.clusterfile import PasswordFrom
from sealpy.connectors.secret import Secret
from sealpy.errors import (
    BadReferenceError,
    ConfigError,
    Place,
    Problem,
    counted,
    did_you_mean,
    known_words,
    problems_of,
)
from sealpy.image.finding import Mention
from sealpy.image.metadata import Spot
from sealpy.image.reference import Reference
from sealpy.image.remote.credentials import Credential, Credentials
from sealpy.inventory.passwords import find_password

__all__ = ["ListedCredentials", "PrivateList", "read_private_list"]

_OPTION = "--image-list-with-auth"
_FIELDS = ("registry", "username", "password", "passwordFrom", "images")


@dataclass(frozen=True, slots=True)
class PrivateList:
    """Hold the images of such a file with their places, the login for each repository, and what is worth telling."""

    path: Path
    mentions: tuple[Mention, ...]
    logins: Mapping[str, Credential]
    notices: tuple[Problem, ...] = ()


class ListedCredentials(Credentials):
    """Find the logins of private lists first; they are for these repositories alone, and are never kept."""

    def __init__(
        self, files: tuple[Path, ...], logins: Mapping[str, Credential], *, keep_secret: Callable[[str], None]
    ) -> None:
        """Take the files of all other logins, and those of the lists by `domain/path`."""
        super().__init__(files, keep_secret=keep_secret)
        self._logins = logins

    def find(self, domain: str, path: str = "") -> Credential:
        """Find the login for a repository."""
        return self._logins.get(f"{domain}/{path}") or super().find(domain, path)

    def scope(self, domain: str, path: str) -> str:
        """Say for what the login is kept that fits a repository."""
        name = f"{domain}/{path}"
        return name if name in self._logins else super().scope(domain, path)


def read_private_list(path: Path) -> PrivateList:
    """Read such a file; raises ConfigError with every mistake and its place, and for a password that is not found."""
    problems: list[Problem] = []
    sections = [_Section(path, node, problems) for node in _sections(path)]
    mentions = tuple(mention for section in sections for mention in section.mentions())
    found: list[tuple[_Section, Credential]] = []
    for section in sections if not problems else ():
        try:
            found.append((section, section.credential()))
        except ConfigError as error:
            problems += problems_of(error)
    logins: dict[str, Credential] = {}
    for section, credential in found:
        for mention in section.mentions():
            name = mention.reference.repository
            if logins.setdefault(name, credential) != credential:
                problems.append(Problem(f"'{name}' has two logins", mention.place, "name it in one section"))
    if problems:
        raise ConfigError(f"{path}: {counted(len(problems), 'problem')} of {_OPTION}", problems=problems)
    return PrivateList(path, mentions, logins, tuple(_notices(path, sections)))


def _sections(path: Path) -> list[yaml.Node]:
    hint = f"mend the file behind {_OPTION}: a list of {{registry, username, password, images}}"
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'cannot be read').lower()}", hint=hint) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:  # its words would show the lines around, with the password
        mark = getattr(error, "problem_mark", None)
        place = Place(str(path), mark.line + 1) if mark else None
        raise ConfigError("not YAML", place=place or Place(str(path)), hint=hint) from None
    if not isinstance(node, yaml.SequenceNode):
        raise ConfigError("not a list of registries", place=Place(str(path), 1), hint=hint)
    return list(node.value)


def _notices(path: Path, sections: list[_Section]) -> Iterator[Problem]:
    readable = path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
    if readable and any(section.text("password") for section in sections):
        yield Problem(f"{path}: others on this machine can read its passwords", hint=f"chmod 600 {path}")


class _Section:
    """Be one registry of the file; what is wrong with it is added to `problems`."""

    def __init__(self, path: Path, node: yaml.Node, problems: list[Problem]) -> None:
        self._path = path
        self._node = node
        self._problems = problems
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        self._fields: dict[str, yaml.Node] = {str(key.value): value for key, value in pairs}
        for key, _ in pairs:
            if key.value not in _FIELDS:
                self._wrong(f"'{key.value}' is not known", key, did_you_mean(str(key.value), _FIELDS))
        for name in ("registry", "username"):
            if not self.text(name):
                self._wrong(f"there is no {name}", node, f"add {name}: …")
        self._domain = self._read_domain()
        self._reference = self._read_reference()
        if bool(self.text("password")) == ("passwordFrom" in self._fields):
            both = "are both a password and a passwordFrom" if self.text("password") else "is no password"
            self._wrong(f"there {both}", node, "give one of them: passwordFrom: {env: NAME}")
        self._mentions = tuple(self._read_images())

    def text(self, name: str) -> str:
        """Give a scalar as it was typed; "" where there is none."""
        node = self._fields.get(name)
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def mentions(self) -> tuple[Mention, ...]:
        """Give the images."""
        return self._mentions

    def credential(self) -> Credential:
        """Give the login; raises ConfigError when the password is not found."""
        password = find_password(self.text("password"), self._reference)
        return Credential(self.text("username"), password or Secret(""), source=str(self._path))

    def _read_domain(self) -> str:
        """Give the domain that all images are to be of; "" where it is wrong."""
        if not self.text("registry"):
            return ""
        try:
            return Reference.parse(f"{self.text('registry')}/x").domain
        except BadReferenceError as error:
            self._wrong(error.message, self._fields["registry"], error.hint)
            return ""

    def _read_reference(self) -> PasswordFrom | None:
        node = self._fields.get("passwordFrom")
        if node is None:
            return None
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        match [(str(key.value), str(value.value)) for key, value in pairs]:
            case [("env" | "file" | "command" as kind, value)]:
                return PasswordFrom(kind, value, Place(str(self._path), self._line(node)))
            case _:
                self._wrong("passwordFrom is one of env, file, command", node, "passwordFrom: {env: NAME}")
                return None

    def _read_images(self) -> Iterator[Mention]:
        images = self._fields.get("images")
        if not isinstance(images, yaml.SequenceNode):
            self._wrong("there are no images", images or self._node, "add images: [NAME:TAG, …]")
            return
        registry = self.text("registry")
        for node in images.value if self._domain else ():
            text = str(node.value)
            try:
                reference = _reference_in(registry, text)
            except BadReferenceError as error:
                self._wrong(error.message, node, error.hint)
                continue
            if reference.domain != self._domain:
                message = f"'{text}' is of registry '{reference.domain}', and the login is for '{registry}'"
                self._wrong(message, node, "write a section for that registry")
                continue
            spot = Spot(file=_OPTION, line=self._line(node), rule="image list")
            yield Mention(reference, Place(str(self._path), self._line(node)), spot)

    def _line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1

    def _wrong(self, message: str, node: yaml.Node, hint: str = "") -> None:
        self._problems.append(Problem(message, Place(str(self._path), self._line(node)), hint or known_words(_FIELDS)))


def _reference_in(registry: str, text: str) -> Reference:
    """Read a name; one without a domain is of the registry, as with the ancestor."""
    first, slash, _ = text.partition("/")
    has_domain = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return Reference.parse(text if has_domain else f"{registry}/{text}")
