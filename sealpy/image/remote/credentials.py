"""Logins for image registries, as docker, podman and skopeo keep them.

Files are asked in this order, and in each the key that fits most of the name: `host/path/to/repository` … `host`.

    $REGISTRY_AUTH_FILE                          or the file that --authfile names: then no other is asked
    <home>/auth.json                             what 'sealpy login' writes
    ~/.sealer/auth.json                          what the ancestor wrote
    $XDG_RUNTIME_DIR/containers/auth.json        podman, skopeo, buildah
    ~/.config/containers/auth.json
    $DOCKER_CONFIG/config.json, ~/.docker/config.json

A file may hand a registry to a helper program (`credHelpers`, `credsStore`), which is spoken to by standard input and
output: a secret is never a word of a command line.

Source: containers-auth.json(5), https://docs.docker.com/reference/cli/docker/login.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sealpy.connectors.secret import Secret
from sealpy.disk import alone, make_private, reason_of, write_whole
from sealpy.errors import ConfigError

__all__ = ["Credential", "Credentials", "auth_files"]

_HUB: Final = "docker.io"
_HUB_KEYS: Final = ("https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")
_TOKEN_USER: Final = "<token>"  # noqa: S105 - how helpers say that the secret is an identity token
_NOTHING: Final = Secret("")
_HELPER_TIME: Final = 30.0  # seconds; some ask the operator


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold a login: a user and a password, or an identity token; `source` says where it was found."""

    user: str = ""
    password: Secret = _NOTHING
    identity_token: Secret = _NOTHING
    source: str = ""

    def __bool__(self) -> bool:
        return bool(self.identity_token or self.user)


def auth_files(home: Path, env: Mapping[str, str], *, authfile: Path | None = None) -> tuple[Path, ...]:
    """List the files that may hold logins, the most important first."""
    if authfile:
        return (authfile,)
    if named := env.get("REGISTRY_AUTH_FILE"):
        return (Path(named),)
    user = Path(env.get("HOME") or Path.home())
    runtime = [Path(env["XDG_RUNTIME_DIR"]) / "containers" / "auth.json"] if env.get("XDG_RUNTIME_DIR") else []
    config = Path(env.get("XDG_CONFIG_HOME") or user / ".config")
    docker = Path(env.get("DOCKER_CONFIG") or user / ".docker")
    return (
        home / "auth.json",
        user / ".sealer" / "auth.json",
        *runtime,
        config / "containers" / "auth.json",
        docker / "config.json",
    )


class Credentials:
    """Find, keep and forget logins; the first file is the one that is written."""

    def __init__(self, files: Sequence[Path], *, keep_secret: Callable[[str], None] = lambda _: None) -> None:
        """Look into these files; `keep_secret` receives each secret that is found, before it is used."""
        self._files = tuple(files)
        self._keep_secret = keep_secret

    @property
    def written(self) -> Path:
        """Give the file that `login` writes."""
        return self._files[0]

    def find(self, domain: str, path: str = "") -> Credential:
        """Find the login for a repository, or an empty one; raises ConfigError for a file that cannot be read."""
        for file in self._files:
            document = _read(file)
            found = next(filter(None, (_kept(document, key, file) for key in _keys(domain, path))), None)
            store = document.get("credsStore")
            if not found and store and isinstance(store, str):
                found = _asked(store, _store_key(domain), file)
            if found:
                for secret in filter(None, (found.password, found.identity_token)):
                    self._keep_secret(secret.reveal())
                return found
        return Credential()

    def scope(self, domain: str, path: str) -> str:
        """Say for what the login is kept that fits a repository: `host/path`, or the host alone; asks no helper."""
        for file in self._files:
            document = _read(file)
            known = {*_mapping(document, "credHelpers", file), *_mapping(document, "auths", file)}
            if found := next((key for key in _keys(domain, path) if key in known), ""):
                return found
        return domain

    def keep(self, domain: str, credential: Credential) -> str:
        """Write a login into the first file, mode 0600, or hand it to that file's helper; says where it is now."""
        with self._changing() as document:
            helper = _helper(document, domain, self.written)
            if helper:
                _store(helper, _store_key(domain), credential, self.written)
                return f"helper docker-credential-{helper}"
            text = f"{credential.user}:{credential.password.reveal()}"
            auths = document["auths"] = dict(_mapping(document, "auths", self.written))
            for other in _names(domain)[1:]:
                auths.pop(other, None)
            auths[domain] = {"auth": base64.b64encode(text.encode()).decode()}
        return str(self.written)

    def forget(self, domain: str) -> str:
        """Remove a login from the first file or its helper; says from where, empty when there was none."""
        if not self.written.exists():
            return ""
        with self._changing() as document:
            helper = _helper(document, domain, self.written)
            if helper and _asked(helper, _store_key(domain), self.written):
                _run(helper, "erase", _store_key(domain), self.written)
                return f"helper docker-credential-{helper}"
            auths = document["auths"] = dict(_mapping(document, "auths", self.written))
            gone = [auths.pop(key) for key in _names(domain) if key in auths]
        return str(self.written) if gone else ""

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Hand out the document of the first file to be changed, while nobody else changes it, and write it whole."""
        if not self.written.parent.is_dir():
            make_private(self.written.parent)
        with alone(self.written) as file:
            before = file.read()
            document = _parse(before, self.written) if before.strip() else {}
            yield document
            write_whole(self.written.resolve(), json.dumps(document, indent=2) + "\n")


def _read(file: Path) -> dict[str, Any]:
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        reason = reason_of(error)
        raise ConfigError(f"{file}: cannot be read: {reason}", hint="see to its owner and mode") from error
    return _parse(data, file) if data.strip() else {}


def _parse(data: bytes, file: Path) -> dict[str, Any]:
    """Read JSON without ever showing what is in it: it holds secrets."""
    hint = "mend or remove the file; 'sealpy login' writes a new one"
    try:
        document = json.loads(data)
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        raise ConfigError(f"{file}{f':{line}' if line else ''}: not JSON", hint=hint) from None
    if not isinstance(document, dict):
        raise ConfigError(f"{file}: not an object of JSON", hint=hint)
    return document


def _mapping(document: Mapping[str, Any], name: str, file: Path) -> Mapping[str, Any]:
    value = document.get(name) or {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{file}: '{name}' is not an object", hint="mend the file; see containers-auth.json(5)")
    return value


def _keys(domain: str, path: str) -> Iterator[str]:
    """Yield the keys under which a login may stand, the longest first."""
    parts = path.split("/") if path else []
    for count in range(len(parts), 0, -1):
        yield "/".join([domain, *parts[:count]])
    yield from _names(domain)


def _names(domain: str) -> tuple[str, ...]:
    """List how files name a registry; docker writes URLs for its own and, long ago, for others."""
    more = _HUB_KEYS if domain == _HUB else ()
    return (domain, *more, f"https://{domain}", f"https://{domain}/v1/", f"https://{domain}/v2/", f"http://{domain}")


def _store_key(domain: str) -> str:
    """Give the one name under which a helper for all registries knows this one, as docker calls it."""
    return _HUB_KEYS[0] if domain == _HUB else domain


def _kept(document: Mapping[str, Any], key: str, file: Path) -> Credential | None:
    """Look for one key in one file: with the helper it names for it, and in itself."""
    helpers = _mapping(document, "credHelpers", file)
    if key in helpers:
        return _asked(str(helpers[key]), key, file)
    entry = _mapping(document, "auths", file).get(key)
    return _decoded(entry, key, file) if isinstance(entry, Mapping) else None


def _decoded(entry: Mapping[str, Any], key: str, file: Path) -> Credential | None:
    token = str(entry.get("identitytoken") or "")
    source = str(file)
    if token:
        return Credential(identity_token=Secret(token), source=source)
    try:
        text = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        hint = "log in again: sealpy login HOST"
        raise ConfigError(f"{file}: the login for '{key}' is not base64", hint=hint) from None
    user, colon, password = text.partition(":")
    if text and not colon:
        raise ConfigError(f"{file}: the login for '{key}' is not user:password", hint="log in again: sealpy login HOST")
    return Credential(user, Secret(password.rstrip("\0")), source=source) if user else None


def _helper(document: Mapping[str, Any], domain: str, file: Path) -> str:
    helpers = _mapping(document, "credHelpers", file)
    return str(next((helpers[key] for key in _names(domain) if key in helpers), document.get("credsStore") or ""))


def _asked(helper: str, key: str, file: Path) -> Credential | None:
    """Ask a helper for a login; None when it knows none."""
    answer = _run(helper, "get", key, file)
    if not answer:
        return None
    try:
        found = json.loads(answer)
        user, secret = str(found.get("Username") or ""), Secret(str(found["Secret"]))
    except (ValueError, KeyError, AttributeError):
        raise ConfigError(f"docker-credential-{helper}: its answer for '{key}' is no login", hint=_MEND) from None
    source = f"helper docker-credential-{helper}"
    if user == _TOKEN_USER:
        return Credential(identity_token=secret, source=source)
    return Credential(user, secret, source=source) if user else None


_MEND: Final = "try it by hand, or take it out of the file of logins"
_UNKNOWN: Final = ("credentials not found", "no credentials server url", "no usernames for")


def _store(helper: str, key: str, credential: Credential, file: Path) -> None:
    login = {"ServerURL": key, "Username": credential.user, "Secret": credential.password.reveal()}
    _run(helper, "store", json.dumps(login), file)


def _run(helper: str, verb: str, given: str, file: Path) -> str:
    """Run a helper; gives its answer, empty when it knows no such login. Its words are never shown: they may be one."""
    name = f"docker-credential-{helper}"
    if not helper.replace("-", "").replace("_", "").replace(".", "").isalnum() or not shutil.which(name):
        raise ConfigError(f"{file}: its helper '{name}' is not among the programs of this machine", hint=_MEND)
    try:
        done = subprocess.run(
            [name, verb], input=given, capture_output=True, text=True, timeout=_HELPER_TIME, check=False, env=os.environ
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = "did not answer in time" if isinstance(error, subprocess.TimeoutExpired) else "cannot be run"
        raise ConfigError(f"{name}: {why}", hint=_MEND) from None
    if done.returncode == 0:
        return done.stdout.strip()
    if verb != "store" and any(words in (done.stdout + done.stderr).lower() for words in _UNKNOWN):
        return ""
    raise ConfigError(f"{name}: '{verb}' failed with exit status {done.returncode}", hint=_MEND)
