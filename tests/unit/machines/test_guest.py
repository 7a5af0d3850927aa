from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealpy.errors import MachineError, NotReadyError
from sealpy.machines import guest as module
from sealpy.machines.guest import Guest

KEY = "ssh-ed25519 AAAAlab"


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guest:
    monkeypatch.setattr(os, "chown", lambda *_: None)  # so that the tests need not be root
    return Guest(name="lab-1", unit="sealpy-lab-1", directory=tmp_path, address="10.99.0.11", base="base-1")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_machine_has_its_own_name_keys_and_identity(guest: Guest) -> None:
    public = guest.furnish(authorized_key=KEY, password="pw-1")

    upper = guest.directory / "upper"
    assert (upper / "etc/hostname").read_text() == "lab-1\n"
    assert "10.99.0.11 lab-1\n" in (upper / "etc/hosts").read_text()
    assert len((upper / "etc/machine-id").read_text()) == 33
    assert (upper / "etc/ssh/ssh_host_ed25519_key.pub").read_text() == f"{public}\n"
    assert (upper / "root/.ssh/authorized_keys").read_text() == f"{KEY}\n"
    assert (upper / "root/.passwords").read_text() == "root:pw-1\nadmin:pw-1\n"


def test_secrets_are_for_their_owners_and_the_rest_of_the_root_is_for_all(guest: Guest) -> None:
    guest.furnish(authorized_key=KEY, password="pw-1")

    upper = guest.directory / "upper"
    for place in ("", "etc", "etc/ssh", "home"):
        assert mode(upper / place) == 0o755, place
    for place in ("root", "root/.ssh", "home/admin", "home/admin/.ssh"):
        assert mode(upper / place) == 0o700, place
    assert mode(upper / "etc/ssh/ssh_host_ed25519_key") == 0o600
    assert mode(upper / "root/.passwords") == 0o600


def test_a_machine_is_furnished_once_and_keeps_what_was_changed_since(guest: Guest) -> None:
    first = guest.furnish(authorized_key=KEY, password="pw-1")
    (guest.directory / "upper/etc/hosts").write_text("changed\n")

    assert guest.furnish(authorized_key=KEY, password="pw-1") == first
    assert (guest.directory / "upper/etc/hosts").read_text() == "changed\n"


def test_what_was_half_furnished_is_furnished_anew(guest: Guest) -> None:
    (guest.directory / "upper.part/etc").mkdir(parents=True)
    (guest.directory / "upper.part/etc/stray").write_text("")

    guest.furnish(authorized_key=KEY, password="pw-1")

    assert not (guest.directory / "upper/etc/stray").exists()


def test_two_machines_have_different_keys(tmp_path: Path, guest: Guest) -> None:
    other = Guest(name="lab-2", unit="sealpy-lab-2", directory=tmp_path / "2", address="10.99.0.12", base="base-1")

    assert guest.furnish(authorized_key=KEY, password="pw") != other.furnish(authorized_key=KEY, password="pw")


def test_disks_are_plain_directories_and_a_colon_in_a_path_does_not_end_it(tmp_path: Path) -> None:
    odd = Guest(name="lab-1", unit="sealpy-lab-1", directory=tmp_path / "a:b", address="10.99.0.11", base="base-1")

    words = odd._nspawn()

    assert rf"--bind={tmp_path}/a\:b/disk/containerd:/var/lib/containerd" in words
    assert "--machine=sealpy-lab-1" in words


def test_the_last_line_on_the_console_is_told_without_its_colors(guest: Guest) -> None:
    assert guest.last_words() == ""

    (guest.directory / "console.log").write_text("[\x1b[0;32m  OK  \x1b[0m] Started\nmount: no such file\n\n")

    assert guest.last_words() == "mount: no such file"


def test_a_machine_that_answers_is_waited_for_no_longer(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["no route to host", "connection refused", ""])
    monkeypatch.setattr(module, "_greeting_missing", lambda _: next(answers))
    monkeypatch.setattr(module, "_PAUSE", 0)

    guest.wait(lambda: True)


def test_a_machine_that_ends_is_told_at_once_with_its_last_words(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_greeting_missing", lambda _: "no route to host")
    (guest.directory / "console.log").write_text("mount: wrong fs type\n")

    with pytest.raises(MachineError, match="lab-1: ended while it started: mount: wrong fs type") as caught:
        guest.wait(lambda: False)

    assert "console.log" in caught.value.hint


def test_a_machine_that_never_answers_is_told_with_what_was_seen_last(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_greeting_missing", lambda _: "connection refused")
    monkeypatch.setattr(module, "_DEADLINE", -1.0)

    with pytest.raises(NotReadyError, match="last seen: connection refused"):
        guest.wait(lambda: True)
