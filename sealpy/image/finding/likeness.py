"""Which parts of a text look like names of container images.

A name with a domain and a tag or digest is one wherever it stands; `a/b:1.2` is one with a version for its tag; `a:1`
is one only where the word "image" stands beside it, since `host:80`, `12:30` and `key:value` look the same.
"""

from __future__ import annotations

import functools
import re

from sealpy.errors import BadReferenceError
from sealpy.image.reference import Reference

__all__ = ["is_explicit", "names_image", "parsed", "spotted", "unresolved"]

_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9_])?"
_VERSION = r"(?:v?[0-9]+(?:\.[0-9]+)+(?:[._-][A-Za-z0-9]+)*|latest)"
_DIGEST = r"@sha256:[0-9a-f]{64}"
_DOMAIN = (
    r"(?:(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?::[0-9]+)?|[0-9]+(?:\.[0-9]+){3}(?::[0-9]+)?|localhost(?::[0-9]+)?"
    r"|[a-z0-9-]+:[0-9]+)"
)
_WITH_DOMAIN = rf"{_DOMAIN}(?:/{_PART})+(?::{_TAG}(?:{_DIGEST})?|{_DIGEST})"
_WITHOUT_DOMAIN = rf"{_PART}(?:/{_PART})+(?::{_VERSION}(?:{_DIGEST})?|{_DIGEST})"
_NAME = re.compile(rf"(?<![\w./:@%+~$-])(?:{_WITH_DOMAIN}|{_WITHOUT_DOMAIN})(?![\w/:@%~]|[.-]\w)")
_SHORT = re.compile(rf"(?:{_PART}/)*{_PART}(?::{_TAG}(?:{_DIGEST})?|{_DIGEST})")
_BESIDE = re.compile(
    rf"""image["']?[ \t]*[:=][ \t]*["']?(({_PART}/)*{_PART}:{_TAG}(?:{_DIGEST})?)(?=["'\s,}}]|$)""", re.IGNORECASE
)
_COMMENT = re.compile(r"^\s*(?:#|//).*$", re.MULTILINE)
_IMAGE = re.compile(r"image", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{\{|\$[({A-Za-z]|<[a-z ]+>")


def names_image(name: str) -> bool:
    """Tell whether the name of a field, a variable or a flag says that an image is meant."""
    return bool(_IMAGE.search(name))


def unresolved(text: str) -> bool:
    """Tell whether something is yet to be put into a text: `{{…}}`, `$(…)`, `${…}` or `<no value>`."""
    return bool(_PLACEHOLDER.search(text))


def spotted(text: str, *, beside: str = "") -> list[str]:
    """List the parts of a text that look like names of images; `beside` is the name of the field it stands in."""
    if names_image(beside) and _SHORT.fullmatch(text):
        return [text] if parsed(text) else []
    plain = _COMMENT.sub("", text) if "\n" in text else text
    found = [match[0] for match in _BESIDE.findall(plain)] if ":" in text else []
    found += _NAME.findall(plain) if "/" in text else []
    return [one for one in dict.fromkeys(found) if parsed(one)]


@functools.lru_cache(maxsize=4096)
def parsed(text: str) -> Reference | None:
    """Read a reference; None when it is none."""
    try:
        return Reference.parse(text)
    except BadReferenceError:
        return None


def is_explicit(text: str) -> bool:
    """Tell whether a name carries a tag or a digest, and so cannot be a word that means something else."""
    return "@" in text or ":" in text.rpartition("/")[2]
