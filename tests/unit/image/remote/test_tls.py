"""Whom we speak to, and how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sealpy.errors import ConfigError, RemoteError
from sealpy.image.reference import Reference
from sealpy.image.remote.settings import read_settings
from sealpy.image.remote.tls import Tls, is_loopback
from sealpy.testing.registry import FakeRegistry
from tests.certificates import speaking_tls
from tests.unit.image.remote.client import Client


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost:5000", True), ("127.0.0.1", True), ("127.9.9.9:1", True), ("[::1]:5000", True),
        ("10.0.0.1:5000", False), ("localhost.example.com", False), ("[fe80::1]", False),
    ],
)  # fmt: skip
def test_this_machine_is_known(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert Tls().allows_plain(host) is expected
    assert Tls(insecure=True).allows_plain(host)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a certificate for 127.0.0.1 that nobody knows, with its key in the same file."""
    speaking_tls(tmp_path / "registry.pem")
    return tmp_path / "registry.pem"


def test_a_certificate_that_nobody_knows_is_refused_also_on_this_machine(client: Client, certificate: Path) -> None:
    with FakeRegistry.running(tls=speaking_tls(certificate)) as registry:
        client.registry = registry
        with pytest.raises(RemoteError, match="certificate verify failed") as caught:
            client.push(client.image())
        assert "--ca FILE" in caught.value.hint
        assert registry.seen == []


@pytest.mark.parametrize("insecure", [False, True])
def test_an_authority_or_blind_trust_opens_it(client: Client, certificate: Path, *, insecure: bool) -> None:
    with FakeRegistry.running(tls=speaking_tls(certificate)) as registry:
        client.registry = registry
        tls = Tls(insecure=True) if insecure else Tls(ca=certificate)
        client.push(client.image(), remotes=client.remotes(tls=tls))
        assert ("team/shop", "1") in registry.manifests
    assert any("trusted" in warning for warning in client.warnings) is insecure


def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("hello")
    with pytest.raises(ConfigError, match="it holds no certificate"):
        Tls(ca=tmp_path / "x.pem").context()
    with pytest.raises(ConfigError, match="no such file"):
        Tls(ca=tmp_path / "y.pem").context()


def test_nobody_there_is_told_at_once(client: Client) -> None:
    image = client.image()
    client.registry.address = "127.0.0.1:9"
    with pytest.raises(RemoteError, match=r"no answer from '127.0.0.1:9': .*refused"):
        client.push(image, client.name())
    assert client.pauses == []


def test_a_certificate_for_another_name_is_told_as_such(client: Client, certificate: Path) -> None:
    with FakeRegistry.running(tls=speaking_tls(certificate)) as registry:
        registry.address = registry.address.replace("127.0.0.1", "localhost")
        client.registry = registry
        with pytest.raises(RemoteError, match="mismatch") as caught:
            client.push(client.image(), remotes=client.remotes(tls=Tls(ca=certificate)))
    assert "a name that its certificate is for" in caught.value.hint


def test_a_proxy_is_used_but_for_this_machine_and_named_when_it_does_not_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client.push(client.image())
    name = Reference.parse("registry.example.com/x:1")
    with pytest.raises(RemoteError, match=r"the proxy on the way to 'registry\.example\.com': .*refused") as caught:
        client.pull(name)
    assert "HTTPS_PROXY" in caught.value.hint
    assert client.pauses == []


# ---- registries.yaml


def test_the_file_of_the_operator_is_read(tmp_path: Path) -> None:
    path = tmp_path / "registries.yaml"
    assert read_settings(path) == {}
    path.write_text(
        "docker.io:\n  mirrors: [a.example:5000/hub, b.example]\n"
        "c.example:\n  ca: /x.pem\n  insecure: true\n  chunk: 5\n"
    )
    found = read_settings(path)
    assert found["docker.io"].mirrors == ("a.example:5000/hub", "b.example")
    assert found["c.example"].tls == Tls(Path("/x.pem"), insecure=True)
    assert found["c.example"].chunk == 5


def test_the_example_in_the_readme_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "README.md").read_text(encoding="utf-8")
    example = text.split("## Registries", 1)[1].split("```yaml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "registries.yaml").write_text(example)
    found = read_settings(tmp_path / "registries.yaml")
    assert found["docker.io"].mirrors == ("mirror.example.com:5000/hub",)
    assert found["registry.example.com:5000"].chunk == 50_000_000


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("docker.io:\n  miror: [a.example]\n", 2, "no field 'miror'"),
        ("docker.io:\n  mirrors: a.example\n", 2, "'mirrors' is not a list of registries"),
        ("docker.io:\n  mirrors:\n  - a.example\n  - nodots\n", 4, "mirror 'nodots' has no domain"),
        ("docker.io:\n  mirrors:\n  - https://a.example\n", 3, "image name"),
        ("docker.io:\n  insecure: maybe\n", 2, "'insecure' is not true or false"),
        ("docker.io:\n  chunk: 4M\n", 2, "'chunk' is not a number of bytes"),
        ("- docker.io\n", 1, "not a mapping"),
        ("docker.io: [\n", 2, "expected"),
        ("docker.io:\n  ca: /etc/\x07ca.pem\n", 2, "special characters are not allowed"),
        ("docker.io:\n  ca: /etc/\xe9.pem\n", 2, "not in UTF-8"),
    ],
)
def test_what_is_wrong_in_it_is_told_with_its_place(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = tmp_path / "registries.yaml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError) as caught:
        read_settings(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert message in caught.value.message
    assert caught.value.hint


def test_a_file_that_cannot_be_read_is_told_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "registries.yaml").mkdir()
    with pytest.raises(ConfigError, match=r"registries\.yaml: cannot be read: is a directory$"):
        read_settings(tmp_path / "registries.yaml")


def test_settings_reach_the_registry(client: Client, certificate: Path, tmp_path: Path) -> None:
    with FakeRegistry.running(tls=speaking_tls(certificate)) as registry:
        client.registry = registry
        (tmp_path / "registries.yaml").write_text(json.dumps({registry.address: {"ca": str(certificate)}}))
        client.push(client.image(), remotes=client.remotes(settings=read_settings(tmp_path / "registries.yaml")))
