"""Names of images, read as docker reads them.

`nginx` means `docker.io/library/nginx:latest`. Two texts that mean the same image are equal References, which is what
matching the images of manifests against those of archives relies on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from sealpy.errors import BadReferenceError

__all__ = ["DEFAULT_DOMAIN", "Reference", "registry_domain"]

DEFAULT_DOMAIN = "docker.io"

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?")
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_MOST_CHARACTERS = 255
_TEMPLATE = re.compile(r"\{\{|\$[A-Za-z({]")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """Name an image: domain, path, and a tag or a digest or both; make one with `Reference.parse`."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference as docker does; raises BadReferenceError."""
        if _TEMPLATE.search(text):
            raise _refusal(text, "it is a template", hint="write the name itself, or list it in manifests/imageList")
        if not text or text.split() != [text]:
            raise _refusal(text, "it is empty or has blanks", hint="write name:tag, such as nginx:1.27")
        rest, _, digest = text.partition("@")
        if "@" in text and not _DIGEST.fullmatch(digest):
            raise _refusal(text, f"{digest!r} is no digest", hint="a digest is sha256: and 64 hexadecimal digits")
        name, tag = _split_tag(rest)
        if rest.endswith(":") or (tag and not _TAG.fullmatch(tag)):
            raise _refusal(text, f"{tag!r} is no tag", hint="a tag is letters, digits, '_', '.', '-', at most 128")
        domain, path = _split_domain(name)
        _check_name(text, domain, path)
        return cls(domain, path, tag or ("" if digest else "latest"), digest)

    def __str__(self) -> str:
        return f"{self.domain}/{self.path}{self._suffix}"

    @property
    def familiar(self) -> str:
        """Give the shortest text that means this image, such as `nginx:1.27`."""
        if self.domain != DEFAULT_DOMAIN:
            return str(self)
        return self.path.removeprefix("library/") + self._suffix

    @property
    def repository(self) -> str:
        """Give the name without tag and digest, such as `docker.io/library/nginx`."""
        return f"{self.domain}/{self.path}"

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def registry_domain(domain: str) -> str:
    """Give the first path element below which the cluster's registry holds the images of a domain.

    The grammar of repository names allows neither `:` nor capitals in a path element: `sea.hub:5000` is `sea.hub_5000`.
    """
    return re.sub(r"[^a-z0-9.-]+", "_", domain.lower()).strip("_")


def _split_tag(text: str) -> tuple[str, str]:
    name, colon, tag = text.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (text, "")


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and (first == "localhost" or first != first.lower() or "." in first or ":" in first):
        domain, path = first, rest
    else:
        domain, path = DEFAULT_DOMAIN, name
    if domain == "index.docker.io":
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return domain, path


def _check_name(text: str, domain: str, path: str) -> None:
    if not _DOMAIN.fullmatch(domain):
        raise _refusal(text, f"{domain!r} is no domain", hint="write domain[:port]/path[:tag]")
    if len(path) > _MOST_CHARACTERS:
        raise _refusal(text, "its name is too long", hint=f"at most {_MOST_CHARACTERS} characters")
    for component in path.split("/"):
        if not _COMPONENT.fullmatch(component):
            lower = text.lower()
            hint = f"names are lower case: {lower!r}" if component != component.lower() else "write path[:tag]"
            raise _refusal(text, f"{component!r} is no part of a name", hint=hint)


def _refusal(text: str, why: str, *, hint: str) -> BadReferenceError:
    return BadReferenceError(f"image name {text!r}: {why}", hint=hint)
