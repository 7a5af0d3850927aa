"""How a registry is convinced."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sealpy.errors import RemoteAuthError
from sealpy.image.remote.auth import Challenge, challenges
from sealpy.testing.registry import FakeRegistry, Fault
from tests.unit.image.remote.client import Client

SECRET = "correct horse"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="a b"', [Challenge("basic", {"realm": "a b"})]),
        (
            'Bearer realm="https://t/token",service="s",scope="repository:a/b:pull,push"',
            [Challenge("bearer", {"realm": "https://t/token", "service": "s", "scope": "repository:a/b:pull,push"})],
        ),
        ('Basic realm="x", Bearer realm=y , service=z', [
            Challenge("basic", {"realm": "x"}), Challenge("bearer", {"realm": "y", "service": "z"}),
        ]),
        ('Digest realm="say \\"hi\\""', [Challenge("digest", {"realm": 'say "hi"'})]),
        ("Negotiate", [Challenge("negotiate", {})]),
        ('Bearer realm="never closed', [Challenge("bearer", {})]),
    ],
)  # fmt: skip
def test_a_challenge_is_read(header: str, expected: list[Challenge]) -> None:
    assert list(challenges(header)) == expected


def login(client: Client, user: str, password: str = SECRET) -> None:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    client.authfile.write_text(json.dumps({"auths": {client.registry.address: {"auth": text}}}))


def test_a_login_is_sent_only_to_who_asks_for_one(client: Client, registry: FakeRegistry) -> None:
    login(client, "ann")
    client.push(client.image())
    assert not [seen for seen in registry.seen if "Authorization" in seen.headers]


def test_the_login_that_is_kept_opens_the_registry(client: Client, registry: FakeRegistry) -> None:
    registry.login = ("ann", SECRET)
    login(client, "ann")
    client.push(client.image())
    assert "Authorization" not in registry.seen[0].headers
    assert all("Authorization" in seen.headers for seen in registry.seen[1:])
    assert SECRET in client.secrets


def test_a_wrong_login_is_told_with_where_it_was_found(client: Client, registry: FakeRegistry) -> None:
    registry.login = ("ann", SECRET)
    login(client, "ann", "wrong password")
    with pytest.raises(RemoteAuthError, match="the login as 'ann' was refused") as caught:
        client.push(client.image())
    assert str(client.authfile) in caught.value.hint
    assert "wrong password" not in f"{caught.value.message} {caught.value.hint}"


def test_a_missing_login_is_told_with_what_to_type(client: Client, registry: FakeRegistry) -> None:
    registry.login = ("ann", SECRET)
    with pytest.raises(RemoteAuthError, match="it wants a login") as caught:
        client.push(client.image())
    assert f"sealpy login {registry.address}" in caught.value.hint


def test_a_way_in_that_nobody_here_knows_is_told(client: Client, registry: FakeRegistry) -> None:
    registry.login = ("ann", SECRET)
    registry.faults.append(Fault("GET /v2/$", times=-1, status=401, headers={"WWW-Authenticate": "Negotiate"}))
    with pytest.raises(RemoteAuthError, match="it asks for negotiate"):
        client.push(client.image())


# ---- tokens


@pytest.fixture
def giver(registry: FakeRegistry) -> Iterator[FakeRegistry]:
    """Run a server that gives out tokens, one after the other, and make the registry ask for them."""
    with FakeRegistry.running() as server:
        registry.challenge = f'Bearer realm="http://{server.address}/token",service="fake"'
        registry.token = "token-1"
        answer(server, token="token-1", expires_in=300)
        yield server


def answer(giver: FakeRegistry, status: int = 200, **document: Any) -> None:
    giver.faults[:] = [Fault(".* /token", times=-1, status=status, body=json.dumps(document).encode())]


@pytest.mark.usefixtures("giver")
def test_a_token_is_asked_for_once_for_each_scope(client: Client, giver: FakeRegistry) -> None:
    client.push(client.image())
    asked = [seen.path for seen in giver.seen]
    scopes = ["repository%3Ateam%2Fshop%3Apull%2Cpush", "repository%3Ateam%2Fshop%3Apull"]
    assert len(asked) == len(scopes)
    assert all(f"service=fake&scope={scope}" in path for scope, path in zip(scopes, asked, strict=True))
    assert "token-1" in client.secrets


def test_the_login_goes_to_who_gives_tokens_and_the_token_to_the_registry(
    client: Client, registry: FakeRegistry, giver: FakeRegistry
) -> None:
    login(client, "ann")
    client.push(client.image())
    assert {seen.headers["Authorization"].split()[0] for seen in giver.seen} == {"Basic"}
    assert "account=ann" in giver.seen[0].path
    assert {seen.headers.get("Authorization", "") for seen in registry.seen} <= {"", "Bearer token-1"}


def test_an_identity_token_is_exchanged_in_the_body_of_a_request(client: Client, giver: FakeRegistry) -> None:
    address = client.registry.address
    client.authfile.write_text(json.dumps({"auths": {address: {"identitytoken": "refresh-secret"}}}))
    answer(giver, access_token="token-1")
    client.push(client.image())
    assert {(seen.method, seen.path) for seen in giver.seen} == {("POST", "/token")}
    assert "refresh-secret" in client.secrets


def test_a_token_that_ended_in_the_middle_is_renewed(
    client: Client, registry: FakeRegistry, giver: FakeRegistry
) -> None:
    remotes = client.remotes()
    client.push(client.image(), remotes=remotes)
    registry.token = "token-2"
    answer(giver, token="token-2")
    client.push(client.image(), remotes=remotes)
    assert {seen.headers.get("Authorization", "") for seen in registry.seen} >= {"Bearer token-1", "Bearer token-2"}


@pytest.mark.usefixtures("registry")
def test_a_refused_token_is_told_as_a_refused_login(client: Client, giver: FakeRegistry) -> None:
    login(client, "ann")
    answer(giver, status=401, errors=[{"code": "UNAUTHORIZED", "message": "incorrect password"}])
    with pytest.raises(RemoteAuthError, match=r"'ann' was refused: incorrect password \(401 UNAUTHORIZED\)"):
        client.push(client.image())


@pytest.mark.parametrize("document", [{}, {"token": None}, {"errors": "?"}])
def test_an_answer_without_a_token_is_refused(client: Client, giver: FakeRegistry, document: dict[str, Any]) -> None:
    answer(giver, **document)
    with pytest.raises(Exception, match="token"):
        client.push(client.image())


def test_a_challenge_that_does_not_say_where_is_refused(client: Client, registry: FakeRegistry) -> None:
    registry.challenge = 'Bearer service="x"'
    with pytest.raises(RemoteAuthError, match="it does not say where to get one"):
        client.push(client.image())
