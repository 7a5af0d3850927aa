"""The commands that talk to image registries, as one types them."""

from __future__ import annotations

import base64
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.cli.app import run
from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from sealpy.testing.registry import FakeRegistry, Fault

SECRET = "correct horse battery"

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEALPY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry.running() as running:
        yield running


@pytest.fixture
def name(home: Path, registry: FakeRegistry) -> str:
    """Have an image here, and give its name."""
    text = f"{registry.address}/team/shop:1"
    a_stored_image(Store(home / "images"), {"etc/motd": b"hi\n"}, name=text)
    return text


def told(capsys: Capture, *arguments: str) -> str:
    """Run a command that must succeed, and give what it wrote to stdout."""
    assert run(arguments) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys: Capture, *arguments: str, code: int = 5) -> str:
    """Run a command that must fail, and give what it said."""
    assert run(arguments) == code
    return capsys.readouterr().err


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_an_image_travels_by_push_and_pull(capsys: Capture, name: str) -> None:
    pushed = told(capsys, "push", name)
    told(capsys, "rmi", name)
    assert told(capsys, "pull", name) == pushed
    assert name in told(capsys, "images")


def test_json_says_what_was_moved(capsys: Capture, name: str) -> None:
    first = json.loads(told(capsys, "push", name, "--output", "json").splitlines()[-1])
    again = json.loads(told(capsys, "push", name, "--output", "json").splitlines()[-1])
    assert (first["sent"], again["sent"], again["bytes"], again["present"]) == (3, 0, 0, 3)
    pulled = json.loads(told(capsys, "pull", name, "--output", "json").splitlines()[-1])
    assert pulled == {"name": name, "digest": first["digest"]}


def test_a_packed_copy_is_pushed_under_a_digest_of_its_own(capsys: Capture, name: str, home: Path) -> None:
    stored = Store(home / "images").resolve(name).digest
    words = ("push", name, "--compression-format", "gzip", "--output", "json")
    first, again = (json.loads(told(capsys, *words).splitlines()[-1]) for _ in range(2))
    assert (first["sent"], again["sent"], again["present"]) == (3, 0, 3)
    assert first["stored_digest"] == again["stored_digest"] == stored
    told(capsys, "rmi", name)
    pulled = json.loads(told(capsys, "pull", name, "--output", "json").splitlines()[-1])
    assert pulled["digest"] == first["digest"] == again["digest"] != stored
    assert "etc/motd" in told(capsys, "inspect", name, "--files")


def test_an_index_is_pushed_with_packed_images(capsys: Capture, name: str, registry: FakeRegistry, home: Path) -> None:
    index = f"{registry.address}/team/shop:all"
    told(capsys, "manifest", "create", index, name)
    words = ("manifest", "push", index, "--compression-format", "gzip", "--output", "json")
    pushed = json.loads(told(capsys, *words).splitlines()[-1])
    assert pushed["stored_digest"] == Store(home / "images").resolve(index).digest != pushed["digest"]
    _, data = registry.manifests["team/shop", "all"]
    [entry] = json.loads(data)["manifests"]
    _, data = registry.manifests["team/shop", entry["digest"]]
    assert {layer["mediaType"].rpartition("+")[2] for layer in json.loads(data)["layers"]} == {"gzip"}


def test_two_images_for_one_platform_make_no_index(capsys: Capture, name: str, home: Path) -> None:
    a_stored_image(Store(home / "images"), {"etc/other": b"x"}, name="other:1")
    said = refused(capsys, "manifest", "create", "both:1", name, "other:1")
    assert f"'{name}' and 'other:1' are both for linux/amd64" in said
    assert "both:1" not in told(capsys, "images")


def test_what_is_listed_and_neither_here_nor_there_is_told_with_what_is_like_it(capsys: Capture, name: str) -> None:
    said = refused(capsys, "manifest", "create", "all:1", name.replace("shop", "shp"))
    assert f"did you mean '{name}', which is here?" in said


def test_an_image_can_have_another_name_there(capsys: Capture, name: str, registry: FakeRegistry) -> None:
    told(capsys, "push", name, f"{registry.address}/other:2")
    assert ("other", "2") in registry.manifests
    assert told(capsys, "search", f"{registry.address}/other").splitlines()[1:] == [f"{registry.address}/other   2"]


def test_what_is_not_there_is_refused_with_what_to_do(capsys: Capture, registry: FakeRegistry) -> None:
    said = refused(capsys, "pull", f"{registry.address}/team/shop:9")
    assert "manifest unknown" in said
    assert "next: 'sealpy search" in said
    assert "not among the local images" in refused(capsys, "push", f"{registry.address}/team/shop:9")


def test_a_word_that_is_no_platform_is_refused_before_anything_is_asked(
    capsys: Capture, name: str, registry: FakeRegistry
) -> None:
    assert "not a platform" in refused(capsys, "pull", name, "--platform", "amd64", code=2)
    assert registry.seen == []


# ---- login


@pytest.fixture
def locked(registry: FakeRegistry) -> FakeRegistry:
    registry.login = ("ann", SECRET)
    return registry


def test_a_login_is_tried_kept_used_and_forgotten(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path, name: str, locked: FakeRegistry
) -> None:
    assert f"log in: sealpy login {locked.address}" in refused(capsys, "push", name)
    type_in(monkeypatch, f"{SECRET}\n")
    said = told(capsys, "login", locked.address, "-u", "ann", "--password-stdin")
    assert said == f"{locked.address}: logged in as ann; kept in {home / 'auth.json'}\n"
    assert stat.S_IMODE((home / "auth.json").stat().st_mode) == 0o600
    told(capsys, "push", name)
    assert "logged out" in told(capsys, "logout", locked.address)
    refused(capsys, "push", name)
    assert "no login is kept" in refused(capsys, "logout", locked.address, code=2)


def test_a_login_that_is_refused_is_not_kept_and_not_shown(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, home: Path, locked: FakeRegistry
) -> None:
    type_in(monkeypatch, "a wrong password\n")
    assert run(["login", locked.address, "-u", "ann", "--password-stdin"]) == 5
    written = capsys.readouterr()
    assert "the login as 'ann' was refused" in written.err
    assert "wrong password" not in written.out + written.err
    assert not (home / "auth.json").exists()


def test_a_password_among_the_words_is_taken_with_a_warning(capsys: Capture, locked: FakeRegistry) -> None:
    assert run(["login", locked.address, "-u", "ann", "-p", SECRET]) == 0
    written = capsys.readouterr()
    assert "-p: whoever lists the processes of this machine reads it" in written.err
    assert SECRET not in written.out + written.err


def test_a_secret_that_a_registry_repeats_is_not_shown(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, locked: FakeRegistry
) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": f"no {SECRET} here"}]}).encode()
    locked.login = None
    locked.challenge = f'Bearer realm="http://{locked.address}/token"'
    locked.faults.append(Fault("GET /token", times=-1, status=403, body=body))
    type_in(monkeypatch, SECRET)
    said = refused(capsys, "login", locked.address, "-u", "ann", "--password-stdin")
    assert "(403 DENIED)" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-u", "ann", "-p", "x", "--password-stdin"], "two passwords"),
        (["--password-stdin"], "no user to log in as"),
        (["-u", "ann", "--password-stdin"], "the password is empty"),
    ],
)
def test_a_login_that_lacks_something_is_refused(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, locked: FakeRegistry, words: list[str], message: str
) -> None:
    type_in(monkeypatch, "")
    assert message in refused(capsys, "login", locked.address, *words, code=2)
    assert locked.seen == []


@pytest.mark.parametrize("text", ["nodots", "a b", "", "UPPER..CASE"])
def test_what_is_no_registry_is_refused(capsys: Capture, text: str) -> None:
    assert "not a domain" in refused(capsys, "logout", text, code=2)


def test_a_login_of_another_tool_is_used_and_told_at_logout(
    capsys: Capture, tmp_path: Path, name: str, locked: FakeRegistry
) -> None:
    docker = tmp_path / ".docker" / "config.json"
    docker.parent.mkdir()
    coded = base64.b64encode(f"ann:{SECRET}".encode()).decode()
    docker.write_text(json.dumps({"auths": {locked.address: {"auth": coded}}}))
    told(capsys, "push", name)
    assert run(["logout", locked.address]) == 0
    assert f"a login is kept in {docker} too" in capsys.readouterr().err
