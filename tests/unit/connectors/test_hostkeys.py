from __future__ import annotations

import base64
import errno
import hashlib
import hmac
import os
import shlex
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from sealpy.connectors import hostkeys
from sealpy.connectors.hostkeys import HostKey, HostKeys
from sealpy.connectors.target import Target
from sealpy.errors import HostKeyError
from sealpy.events import Event, HostKeyAccepted, Warned

KEY = HostKey("ssh-ed25519", b"the machine's key")
OTHER = HostKey("ssh-ed25519", b"another machine's key")
RSA = HostKey("ssh-rsa", b"the machine's other key")
TARGET = Target(address="10.0.0.5")


@dataclass
class World:
    directory: Path
    events: list[Event] = field(default_factory=list)

    @property
    def ours(self) -> Path:
        return self.directory / "home" / "known_hosts"

    @property
    def theirs(self) -> Path:
        return self.directory / "ssh_known_hosts"

    def keys(self, target: Target = TARGET) -> HostKeys:
        return HostKeys(target, known_hosts=self.ours, user_known_hosts=[self.theirs], emit=self.events.append)

    def know(self, text: str) -> None:
        self.theirs.write_text(text)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def test_the_fingerprint_is_that_of_openssh() -> None:
    key = HostKey(
        "ssh-ed25519", base64.b64decode("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl")
    )

    # the published fingerprint of github.com
    assert key.fingerprint == "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"


def test_the_first_key_is_written_shown_and_known_from_then_on(world: World) -> None:
    for _ in range(2):
        world.keys().check(KEY)

    assert world.events == [HostKeyAccepted(host="10.0.0.5", algorithm="ssh-ed25519", fingerprint=KEY.fingerprint)]
    assert world.ours.read_text() == f"10.0.0.5 {KEY}\n"
    assert world.ours.stat().st_mode & 0o777 == 0o600
    assert world.ours.parent.stat().st_mode & 0o777 == 0o700


def test_a_last_line_without_an_end_is_not_spoilt(world: World) -> None:
    world.ours.parent.mkdir()
    world.ours.write_text(f"10.0.0.6 {OTHER}")

    world.keys().check(KEY)

    assert world.ours.read_text() == f"10.0.0.6 {OTHER}\n10.0.0.5 {KEY}\n"


def test_a_new_key_that_cannot_be_written_down_is_refused_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(hostkeys, "alone", refuse)
    reason = f"is new, and cannot be written down: {world.ours}: read-only file system"

    with pytest.raises(HostKeyError, match=reason) as caught:
        world.keys().check(KEY)

    assert KEY.fingerprint in caught.value.message
    assert "pin it by `hostKeys:`" in caught.value.hint
    assert world.events == []


def test_a_file_of_known_keys_that_cannot_be_read_is_named(world: World) -> None:
    world.theirs.mkdir()

    with pytest.raises(HostKeyError, match=f"{world.theirs}, which says .*, cannot be read: is a directory"):
        world.keys().check(KEY)


def test_many_connections_at_once_write_a_key_once(world: World) -> None:
    threads = [threading.Thread(target=lambda: world.keys().check(KEY)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert world.ours.read_text() == f"10.0.0.5 {KEY}\n"
    assert len(world.events) == 1


@pytest.mark.parametrize(
    "names",
    [
        "10.0.0.5",
        "node-1,10.0.0.5",
        "10.0.0.*",
        "10.0.0.?",
        hashed("10.0.0.5"),
    ],
)
def test_every_way_to_name_a_machine_in_known_hosts_is_read(world: World, names: str) -> None:
    world.know(f"# a remark\n\n{names} {KEY} a comment\n")

    world.keys(replace(TARGET, host_key_policy="strict")).check(KEY)

    assert not world.ours.exists()


@pytest.mark.parametrize(
    "line",
    [
        f"10.0.0.6 {KEY}",
        f"10.0.0.*,!10.0.0.5 {KEY}",
        f"[10.0.0.5]:2222 {KEY}",
        f"{hashed('10.0.0.6')} {KEY}",
        f"@cert-authority 10.0.0.5 {KEY}",
        f"# 10.0.0.5 {KEY}",
        "10.0.0.5 ssh-ed25519 not-base64!",
        "10.0.0.5 ssh-ed25519",
        "|1|broken ssh-ed25519 AAAA",
    ],
)
def test_lines_that_speak_of_something_else_are_passed_over(world: World, line: str) -> None:
    world.know(line + "\n")

    with pytest.raises(HostKeyError, match="is unknown and the policy is 'strict'"):
        world.keys(replace(TARGET, host_key_policy="strict")).check(KEY)


@pytest.mark.parametrize("policy", ["accept-new", "strict"])
def test_a_changed_key_is_refused_and_every_file_that_knows_better_is_named(world: World, policy: str) -> None:
    world.keys().check(KEY)
    world.know(f"10.0.0.5 {KEY}\n")
    target = replace(TARGET, host_key_policy="strict") if policy == "strict" else TARGET

    with pytest.raises(HostKeyError, match="host key has changed") as caught:
        world.keys(target).check(OTHER)

    assert KEY.fingerprint in caught.value.message
    assert OTHER.fingerprint in caught.value.message
    for file in (world.ours, world.theirs):
        assert f"ssh-keygen -R 10.0.0.5 -f {shlex.quote(str(file))}" in caught.value.hint


def test_the_command_of_the_hint_quotes_the_name(world: World) -> None:
    target = replace(TARGET, port=2222)
    world.keys(target).check(KEY)

    with pytest.raises(HostKeyError) as caught:
        world.keys(target).check(OTHER)

    assert "ssh-keygen -R '[10.0.0.5]:2222' -f" in caught.value.hint


def test_a_key_of_a_type_that_is_not_known_of_this_machine_counts_as_changed(world: World) -> None:
    world.keys().check(KEY)

    with pytest.raises(HostKeyError, match="host key has changed"):
        world.keys().check(RSA)


def test_one_of_several_known_keys_is_enough(world: World) -> None:
    world.know(f"10.0.0.5 {RSA}\n10.0.0.5 {KEY}\n")

    world.keys().check(KEY)

    assert world.keys().algorithms() == ("ssh-rsa", "ssh-ed25519")


def test_a_revoked_key_is_refused_even_where_it_is_known(world: World) -> None:
    world.know(f"10.0.0.5 {KEY}\n@revoked * {KEY}\n")

    with pytest.raises(HostKeyError, match="is revoked"):
        world.keys().check(KEY)


@pytest.mark.parametrize("pin", [KEY.fingerprint, f"{KEY.fingerprint}=", str(KEY), f"{KEY} root@node-1"])
def test_a_pinned_key_is_trusted_without_a_file(world: World, pin: str) -> None:
    world.keys(replace(TARGET, host_keys=(pin,))).check(KEY)

    assert not world.ours.exists()


def test_another_key_than_the_pinned_is_refused_even_where_it_is_known(world: World) -> None:
    world.know(f"10.0.0.5 {OTHER}\n")

    with pytest.raises(HostKeyError, match="none of the pinned ones"):
        world.keys(replace(TARGET, host_keys=(KEY.fingerprint,))).check(OTHER)


def test_the_types_of_pinned_keys_are_asked_for(world: World) -> None:
    world.know(f"10.0.0.5 {KEY}\n")

    assert world.keys(replace(TARGET, host_keys=(str(RSA), KEY.fingerprint))).algorithms() == ("ssh-rsa",)


def test_insecure_trusts_and_warns_each_time(world: World) -> None:
    keys = world.keys(replace(TARGET, host_key_policy="insecure"))
    keys.check(KEY)
    keys.check(OTHER)

    assert [type(event) for event in world.events] == [Warned, Warned]
    assert not world.ours.exists()
