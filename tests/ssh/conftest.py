"""Servers, users and connections that the tests against real OpenSSH share."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sealpy.connectors.jump import Jumps
from sealpy.connectors.secret import Secret
from sealpy.connectors.ssh import SshConnector
from sealpy.connectors.target import Target
from sealpy.events import Event
from sealpy.testing.sshd import Sshd, make_key

NAME = "sealpy-test"
SUDOERS = Path("/etc/sudoers.d/sealpy-test")
PASSWORD = "correct horse' battery"


@dataclass(slots=True)
class Client:
    """Make connections with files of their own, and keep the events."""

    directory: Path
    events: list[Event] = field(default_factory=list)
    opened: list[SshConnector] = field(default_factory=list)
    jumps: Jumps = field(init=False)

    def __post_init__(self) -> None:
        self.jumps = Jumps(known_hosts=self.known_hosts, emit=self.events.append, ssh_dir=self.ssh_dir)

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def ssh_dir(self) -> Path:
        return self.directory / "ssh"

    def to(self, server: Sshd, target: Target | None = None) -> SshConnector:
        """Connect with the server's key, or as `target` says."""
        target = target or Target(address=server.address, private_key=server.client_key)
        return self.reach(replace(target, port=server.port))

    def reach(self, target: Target) -> SshConnector:
        """Connect as `target` says; connections of one client share their jump hosts."""
        connector = SshConnector(target, self.jumps)
        self.opened.append(connector)
        return connector


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    made = Client(tmp_path)
    yield made
    for connector in made.opened:
        connector.close()


@dataclass(frozen=True, slots=True)
class User:
    """Know a user of this machine who has a password, and a key that opens a server begun with `settings`."""

    name: str
    key: Path
    settings: Mapping[str, str]

    def by_password(self) -> Target:
        return Target(address="127.0.0.1", user=self.name, password=Secret(PASSWORD))

    def by_key(self) -> Target:
        return Target(address="127.0.0.1", user=self.name, private_key=self.key)


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """Make a user while the tests run; needs root."""
    if os.geteuid() != 0:
        pytest.skip("making a user needs root")
    _remove_user()
    subprocess.run(["useradd", "--create-home", "--shell", "/bin/bash", NAME], check=True)
    subprocess.run(["chpasswd", "--crypt-method", "SHA512"], input=f"{NAME}:{PASSWORD}\n", text=True, check=True)
    key = make_key(tmp_path_factory.mktemp("user") / "id_ed25519")
    authorized = Path(pwd.getpwnam(NAME).pw_dir) / "authorized_keys"  # where sshd may read it as that user
    authorized.write_text(key.with_suffix(".pub").read_text())
    authorized.chmod(0o644)
    yield User(NAME, key, {"AuthorizedKeysFile": str(authorized), "PasswordAuthentication": "yes"})
    _remove_user()


def _remove_user() -> None:
    try:
        pwd.getpwnam(NAME)
    except KeyError:
        return
    subprocess.run(["userdel", "--remove", "--force", NAME], check=True, capture_output=True)


@pytest.fixture
def sudo() -> None:
    """Need sudo on this machine."""
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed: apt-get install sudo")


@pytest.fixture
def sudoer(user: User, request: pytest.FixtureRequest) -> Iterator[User]:
    """Let the user do everything, with the password."""
    request.getfixturevalue("sudo")
    with _rule(f"{user.name} ALL=(ALL) ALL\n"):
        yield user


@pytest.fixture
def free_sudoer(user: User, request: pytest.FixtureRequest) -> Iterator[User]:
    """Let the user do everything, without a password."""
    request.getfixturevalue("sudo")
    with _rule(f"{user.name} ALL=(ALL) NOPASSWD: ALL\n"):
        yield user


@contextlib.contextmanager
def _rule(text: str) -> Iterator[None]:
    SUDOERS.write_text(text)
    SUDOERS.chmod(0o440)
    try:
        yield
    finally:
        SUDOERS.unlink()
