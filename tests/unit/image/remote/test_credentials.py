"""Logins, wherever they are kept."""

from __future__ import annotations

import base64
import json
import os
import shlex
import stat
from pathlib import Path

import pytest

from sealpy.connectors.secret import Secret
from sealpy.errors import ConfigError
from sealpy.image.remote.credentials import Credential, Credentials, auth_files

SECRET = "correct: horse"


def coded(user: str, password: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "auth.json"


def found(file: Path, domain: str, path: str = "") -> tuple[str, str]:
    credential = Credentials([file]).find(domain, path)
    return credential.user, credential.password.reveal()


def test_files_are_asked_in_the_order_of_the_documentation(tmp_path: Path) -> None:
    env = {"HOME": "/home/ann", "XDG_RUNTIME_DIR": "/run/user/1"}
    assert [str(path) for path in auth_files(Path("/home/ann/.sealpy"), env)] == [
        "/home/ann/.sealpy/auth.json",
        "/home/ann/.sealer/auth.json",
        "/run/user/1/containers/auth.json",
        "/home/ann/.config/containers/auth.json",
        "/home/ann/.docker/config.json",
    ]
    assert auth_files(tmp_path, {**env, "REGISTRY_AUTH_FILE": "/x.json"}) == (Path("/x.json"),)
    assert auth_files(tmp_path, {**env, "REGISTRY_AUTH_FILE": "/x.json"}, authfile=Path("y")) == (Path("y"),)
    assert auth_files(tmp_path, {**env, "DOCKER_CONFIG": "/d"})[-1] == Path("/d/config.json")


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("registry.example.com", "registry.example.com"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v1/", "registry.example.com"),
        ("localhost:5000", "localhost:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_registry_is_known_by_every_name_that_tools_give_it(file: Path, key: str, domain: str) -> None:
    file.write_text(json.dumps({"auths": {key: coded("ann")}}))
    assert found(file, domain, "team/shop") == ("ann", SECRET)
    assert found(file, f"other.{domain}") == ("", "")


def test_the_longest_name_that_fits_is_taken(file: Path) -> None:
    keys = {"r.example": "all", "r.example/team": "team", "r.example/team/shop": "shop"}
    file.write_text(json.dumps({"auths": {key: coded(user) for key, user in keys.items()}}))
    assert [found(file, "r.example", path)[0] for path in ("x", "team/x", "team/shop", "team/shopping")] == [
        "all", "team", "shop", "team",
    ]  # fmt: skip


def test_the_first_file_with_a_login_wins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(json.dumps({"auths": {"r.example": coded(name)}}))
    assert Credentials([tmp_path / "none", tmp_path / "b", tmp_path / "a"]).find("r.example").user == "b"


def test_an_identity_token_is_a_login_too(file: Path) -> None:
    file.write_text(json.dumps({"auths": {"r.example": {"auth": "", "identitytoken": "tok-secret"}}}))
    seen: list[str] = []
    credential = Credentials([file], keep_secret=seen.append).find("r.example")
    assert (credential.identity_token.reveal(), seen) == ("tok-secret", ["tok-secret"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"auths": {"r.example": {"auth": "c2VjcmV0"}}}', "is not user:password"),
        ('{"auths": {"r.example": {"auth": "%%%secret"}}}', "is not base64"),
        ('{"auths": "secret"}', "'auths' is not an object"),
        ("secret", ":1: not JSON"),
        ("[]", "not an object of JSON"),
    ],
)
def test_a_file_that_is_wrong_is_told_without_what_is_in_it(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        Credentials([file]).find("r.example")
    assert str(file) in caught.value.message
    assert "secret" not in f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}"


def test_what_is_not_there_or_empty_is_no_login(file: Path) -> None:
    assert not Credentials([file]).find("r.example")
    file.write_text("")
    assert not Credentials([file]).find("r.example")


# ---- login and logout


def test_a_login_is_kept_for_its_owner_alone_and_forgotten_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "auth.json"
    credentials = Credentials([file])
    assert credentials.keep("r.example", Credential("ann", Secret(SECRET))) == str(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert found(file, "r.example") == ("ann", SECRET)
    assert credentials.forget("r.example") == str(file)
    assert credentials.forget("r.example") == ""
    assert not credentials.find("r.example")


def test_what_else_stands_in_the_file_stays(file: Path) -> None:
    file.write_text(json.dumps({"auths": {"other.example": coded("bob")}, "HttpHeaders": {"X": "y"}}))
    file.chmod(0o644)
    Credentials([file]).keep("docker.io", Credential("ann", Secret(SECRET)))
    document = json.loads(file.read_text())
    assert document["HttpHeaders"] == {"X": "y"}
    assert found(file, "other.example") == ("bob", SECRET)
    assert found(file, "docker.io") == ("ann", SECRET)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_login_takes_the_place_of_the_older_one_under_another_key(file: Path) -> None:
    file.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": coded("old")}}))
    Credentials([file]).keep("docker.io", Credential("new", Secret(SECRET)))
    assert found(file, "docker.io") == ("new", SECRET)
    assert "old" not in file.read_text()
    assert Credentials([file]).forget("docker.io")
    assert json.loads(file.read_text())["auths"] == {}


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, file: Path) -> None:
    (tmp_path / "real.json").write_text("{}")
    file.symlink_to(tmp_path / "real.json")
    Credentials([file]).keep("r.example", Credential("ann", Secret(SECRET)))
    assert file.is_symlink()
    assert found(tmp_path / "real.json", "r.example")[0] == "ann"


@pytest.mark.parametrize("text", ["{ mine", '{"auths": ["mine"]}', '{"credHelpers": "mine"}'])
def test_a_file_that_is_wrong_is_not_overwritten(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError):
        Credentials([file]).keep("r.example", Credential("ann", Secret(SECRET)))
    with pytest.raises(ConfigError):
        Credentials([file]).forget("r.example")
    assert file.read_text() == text


def test_what_is_null_in_the_file_holds_no_login(file: Path) -> None:
    file.write_text('{"auths": null, "credHelpers": null}')
    assert not Credentials([file]).forget("r.example")
    Credentials([file]).keep("r.example", Credential("ann", Secret(SECRET)))
    assert found(file, "r.example") == ("ann", SECRET)


# ---- helpers

HELPER = """#!/bin/sh
# A helper that keeps logins in files, and notes the words of its command line.
echo "$*" >> {log}
read -r given
place() {{ echo {kept}/"$(echo "$1" | tr '/:' '__')"; }}
case "$1" in
  get)
    cat "$(place "$given")" 2>/dev/null && exit
    echo "credentials not found in native keychain"
    exit 1 ;;
  store) echo "$given" > "$(place "$(echo "$given" | sed 's/.*"ServerURL": "\\([^"]*\\)".*/\\1/')")" ;;
  erase) rm -f "$(place "$given")" ;;
  *) exit 9 ;;
esac
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the helper `test`, and give the file where it notes its command lines."""
    kept, path = tmp_path / "kept", tmp_path / "log"
    kept.mkdir()
    program = tmp_path / "bin" / "docker-credential-test"
    program.parent.mkdir()
    program.write_text(HELPER.format(log=shlex.quote(str(path)), kept=shlex.quote(str(kept))))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return path


@pytest.mark.parametrize("document", [{"credsStore": "test"}, {"credHelpers": {"r.example": "test"}}])
def test_a_helper_keeps_gives_and_forgets_logins_and_never_sees_one_in_its_words(
    file: Path, log: Path, document: dict[str, object]
) -> None:
    file.write_text(json.dumps(document))
    credentials = Credentials([file])
    assert not credentials.find("r.example")
    assert credentials.keep("r.example", Credential("ann", Secret(SECRET))) == "helper docker-credential-test"
    assert found(file, "r.example", "team/shop") == ("ann", SECRET)
    assert SECRET not in file.read_text()
    assert credentials.forget("r.example") == "helper docker-credential-test"
    assert not credentials.find("r.example")
    assert set(log.read_text().splitlines()) == {"get", "store", "erase"}


@pytest.mark.parametrize(("domain", "key"), [("r.example", "r.example"), ("docker.io", "https://index.docker.io/v1/")])
def test_a_helper_for_all_registries_is_asked_once_by_the_name_that_docker_uses(
    file: Path, tmp_path: Path, log: Path, domain: str, key: str
) -> None:
    file.write_text(json.dumps({"auths": {domain: {}}, "credsStore": "test"}))
    assert not Credentials([file]).find(domain, "team/shop")
    assert len(log.read_text().splitlines()) == 1
    Credentials([file]).keep(domain, Credential("ann", Secret(SECRET)))
    [kept] = (tmp_path / "kept").iterdir()
    assert kept.name == key.replace("/", "_").replace(":", "_")
    assert found(file, domain, "team/shop") == ("ann", SECRET)


def test_a_helper_for_one_registry_is_not_asked_for_another(file: Path, log: Path) -> None:
    file.write_text(json.dumps({"credHelpers": {"r.example": "test"}}))
    assert not Credentials([file]).find("other.example")
    assert not log.exists()


@pytest.mark.parametrize(("name", "message"), [("none", "is not among the programs"), ("../x", "is not among")])
def test_a_helper_that_is_not_there_is_told_with_the_file_that_names_it(file: Path, name: str, message: str) -> None:
    file.write_text(json.dumps({"credsStore": name}))
    with pytest.raises(ConfigError, match=message) as caught:
        Credentials([file]).find("r.example")
    assert str(file) in caught.value.message


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo secret; exit 3", "'get' failed with exit status 3"),
        ("echo secret", "its answer for 'r.example' is no login"),
    ],
)
def test_a_helper_that_fails_is_told_without_its_words(
    file: Path, tmp_path: Path, log: Path, script: str, message: str
) -> None:
    (tmp_path / "bin" / "docker-credential-test").write_text(f"#!/bin/sh\n{script}\n")
    file.write_text(json.dumps({"credsStore": "test"}))
    with pytest.raises(ConfigError, match=message) as caught:
        Credentials([file]).find("r.example")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"
    assert not log.exists()
