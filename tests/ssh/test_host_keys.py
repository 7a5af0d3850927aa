"""Trust in a machine is settled before any secret is sent."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sealpy.connectors.secret import Secret
from sealpy.connectors.target import Target
from sealpy.errors import AuthError, HostKeyError
from sealpy.events import HostKeyAccepted, Warned
from sealpy.testing.sshd import Sshd, make_key, sshd
from tests.faults import Fault
from tests.ssh.conftest import Client
from tests.ssh.recorder import recorder

pytestmark = pytest.mark.ssh


def target(server: Sshd) -> Target:
    return Target(address=server.address, port=server.port, private_key=server.client_key)


def fingerprint(server: Sshd) -> str:
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(server.host_key)], check=True, capture_output=True, text=True
    ).stdout
    return shown.split()[1]


def test_the_key_of_a_first_meeting_is_shown_and_written_down_once(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        for _ in range(2):
            assert client.to(server).run(("true",)).ok

        shown = HostKeyAccepted(host="127.0.0.1", algorithm="ssh-ed25519", fingerprint=fingerprint(server))
        assert client.events == [shown]
        assert client.known_hosts.read_text() == f"[127.0.0.1]:{server.port} {server.host_key_line}\n"
        assert client.known_hosts.stat().st_mode & 0o777 == 0o600


def test_openssh_reads_what_was_written(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        client.to(server).connect()

        assert subprocess.run(
            ["ssh-keygen", "-F", f"[127.0.0.1]:{server.port}", "-f", str(client.known_hosts)],
            check=False,
            capture_output=True,
        ).stdout


def test_a_changed_key_stops_before_any_login_and_the_hint_mends_it(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        client.to(server).connect()
        port = server.port
    with sshd(tmp_path / "b", port=port) as impostor:
        with pytest.raises(HostKeyError, match="host key has changed") as caught:
            client.to(impostor).run(("true",))

        assert caught.value.host == "127.0.0.1"
        assert "userauth" not in impostor.log.read_text()
        assert "Accepted" not in impostor.log.read_text()
        command = caught.value.hint.partition("anew: ")[2]
        subprocess.run(shlex.split(command), check=True, capture_output=True)
        assert client.to(impostor).run(("true",)).ok


def test_a_key_of_another_type_than_known_is_a_changed_key(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        client.to(server).connect()
    with (
        sshd(tmp_path / "a", host_key_kind="ecdsa", port=server.port) as other,
        pytest.raises(HostKeyError, match="host key has changed"),
    ):
        client.to(other).connect()


def test_a_machine_with_several_keys_is_asked_for_the_known_one(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", host_key_kind="rsa") as server:
        client.to(server).connect()
    more = make_key(tmp_path / "a" / "more")
    both = {"HostKey": f"{more}\nHostKey {tmp_path / 'a' / 'host_rsa'}"}
    with sshd(tmp_path / "a", both, host_key_kind="rsa", port=server.port) as server:
        assert client.to(server).run(("true",)).ok

    assert [event.algorithm for event in client.events if isinstance(event, HostKeyAccepted)] == ["ssh-rsa"]


def test_the_users_known_hosts_are_trusted_and_not_touched(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        client.ssh_dir.mkdir()
        theirs = client.ssh_dir / "known_hosts"
        theirs.write_text(f"[127.0.0.1]:{server.port} {server.host_key_line}\n")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(theirs)], check=True, capture_output=True)
        hashed = theirs.read_text()

        assert client.to(server, replace(target(server), host_key_policy="strict")).run(("true",)).ok

        assert hashed.startswith("|1|")
        assert theirs.read_text() == hashed
        assert not client.known_hosts.exists()


def test_strict_refuses_the_unknown_and_says_which_line_would_do(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        strict = replace(target(server), host_key_policy="strict")
        with pytest.raises(HostKeyError, match="unknown and the policy is 'strict'") as caught:
            client.to(server, strict).connect()

        line = caught.value.hint.partition(f"{client.known_hosts}: ")[2]
        client.known_hosts.write_text(line)
        assert client.to(server, strict).run(("true",)).ok


def test_pinned_keys_are_the_only_ones_that_count(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        for pin in (fingerprint(server), server.host_key_line):
            assert client.to(server, replace(target(server), host_keys=(pin,))).run(("true",)).ok
        client.to(server).connect()  # known by now, which does not help
        with pytest.raises(HostKeyError, match="none of the pinned"):
            client.to(server, replace(target(server), host_keys=("SHA256:somethingelse",))).connect()


def test_insecure_takes_any_key_says_so_and_learns_nothing(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        assert client.to(server, replace(target(server), host_key_policy="insecure")).run(("true",)).ok

    assert [type(event) for event in client.events] == [Warned]
    assert not client.known_hosts.exists()


@pytest.mark.parametrize("pinned", [False, True], ids=["known", "pinned"])
def test_a_machine_with_another_key_gets_no_secret(
    client: Client,
    tmp_path: Path,
    pinned: bool,  # noqa: FBT001 - a case
    fault: Fault,
) -> None:
    expected, other = make_key(tmp_path / "expected"), make_key(tmp_path / "other")
    line = " ".join(expected.with_suffix(".pub").read_text().split()[:2])
    with recorder(other) as thief:
        way_in = Target(
            address="127.0.0.1", port=thief.port, user="admin", password=Secret("geheim"), private_key=other
        )
        if pinned:
            way_in = replace(way_in, host_keys=(line,))
        else:
            client.known_hosts.write_text(f"[127.0.0.1]:{thief.port} {line}\n")
        with pytest.raises(HostKeyError):
            client.reach(way_in).connect()
        assert thief.got == []

        with pytest.raises(AuthError):  # the recorder does record: a person who insists gives the secrets away
            client.reach(replace(way_in, host_keys=(), host_key_policy="insecure")).connect()
        assert thief.got == ["publickey admin ssh-ed25519", "password admin geheim"]
    trust = "pinned" if pinned else "known"
    fault(f"another host key than the one {trust}", "login", seen="stopped before key and password are sent")


def test_over_ipv6_a_machine_is_known_by_its_address(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a", {"ListenAddress": "::1"}) as server:
        assert client.to(server).run(("echo", "hello")).text == "hello"

        assert client.known_hosts.read_text() == f"[::1]:{server.port} {server.host_key_line}\n"
        client.known_hosts.write_text("")
        with pytest.raises(HostKeyError, match=rf"^\[::1\]:{server.port}: host key ssh-ed25519 .* is unknown"):
            client.to(server, replace(target(server), host_key_policy="strict")).connect()


# ---- certificates


def certified(directory: Path, kind: str, *options: str, name: str = "127.0.0.1") -> dict[str, str]:
    """Let an authority of that type sign the host key of a server to come; gives the server's settings."""
    directory.mkdir()
    authority, key = directory / "authority", make_key(directory / f"host_{kind}", kind=kind)
    if not authority.exists():
        make_key(authority, kind=kind)
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "db", "-h", *(("-n", name) if name else ()), *options]
    subprocess.run([*sign, f"{key}.pub"], check=True)
    return {"HostCertificate": f"{key}-cert.pub"}


def line_of(directory: Path, marker: str = "@cert-authority", names: str = "127.0.0.*") -> str:
    return f"{marker} {names} {(directory / 'authority.pub').read_text()}"


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_a_machine_that_an_authority_certifies_is_known(client: Client, tmp_path: Path, kind: str) -> None:
    settings = certified(tmp_path / "a", kind)
    client.ssh_dir.mkdir()
    (client.ssh_dir / "known_hosts").write_text(line_of(tmp_path / "a"))
    with sshd(tmp_path / "a", settings, host_key_kind=kind) as server:
        assert (
            client.to(server, replace(target(server), host_key_policy="strict")).run(("echo", "hello")).text == "hello"
        )
    assert client.events == []
    assert not client.known_hosts.exists()


@pytest.mark.parametrize(
    ("options", "name", "told"),
    [
        (("-V", "20200101:20200102"), "127.0.0.1", "it is valid from 20.* to 2020-01-0"),
        ((), "other.site", "it is for 'other.site'"),
        (("-O", "force-command=true"), "127.0.0.1", "it demands 'force-command'"),
    ],
)
def test_a_certificate_that_does_not_hold_stops_before_any_login(
    client: Client, tmp_path: Path, options: tuple[str, ...], name: str, told: str
) -> None:
    settings = certified(tmp_path / "a", "ed25519", *options, name=name)
    client.known_hosts.write_text(line_of(tmp_path / "a"))
    with sshd(tmp_path / "a", settings) as server:
        with pytest.raises(HostKeyError, match=f"does not hold: {told}"):
            client.to(server).connect()
        assert "Accepted" not in server.log.read_text()


def test_an_authority_for_other_machines_does_not_count_and_a_revoked_one_stops(client: Client, tmp_path: Path) -> None:
    settings = certified(tmp_path / "a", "ed25519", name="")
    client.known_hosts.write_text(line_of(tmp_path / "a", names="*.site"))
    with sshd(tmp_path / "a", settings) as server:
        with pytest.raises(HostKeyError, match="is unknown and the policy is 'strict'"):
            client.to(server, replace(target(server), host_key_policy="strict")).connect()
        client.known_hosts.write_text(line_of(tmp_path / "a") + line_of(tmp_path / "a", "@revoked", "*"))
        with pytest.raises(HostKeyError, match=r"the authority that certifies host key .* is revoked"):
            client.to(server).connect()


def test_a_revoked_host_key_stops_though_it_is_known(client: Client, tmp_path: Path) -> None:
    with sshd(tmp_path / "a") as server:
        client.to(server).connect()
        client.known_hosts.write_text(f"{client.known_hosts.read_text()}@revoked * {server.host_key_line}\n")
        with pytest.raises(HostKeyError, match=r"host key SHA256:.* is revoked"):
            client.to(server).connect()
