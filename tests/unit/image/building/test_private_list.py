"""The file behind --image-list-with-auth: what it names, who logs in where, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.errors import ConfigError
from sealpy.image.building.private_list import ListedCredentials, PrivateList, read_private_list

GOOD = """\
- registry: hub.site:5000
  username: robot
  password: 0123
  images: [team/shop:1, "hub.site:5000/team/web:2"]   # with the domain or without
- registry: docker.io
  username: other
  passwordFrom: {env: HUB_PASSWORD}
  images:
    - mysql:8
    - team/shop:1
"""

TWICE = """\
- {registry: a.b, username: u, password: p, images: [x]}
- {registry: a.b, username: u, password: q, images: [x]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "auth.yaml"


def read(file: Path, text: str, *, mode: int = 0o600) -> PrivateList:
    file.write_text(text)
    file.chmod(mode)
    return read_private_list(file)


def test_names_are_of_the_registry_of_their_section(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PASSWORD", "geheim")
    found = read(file, GOOD)
    assert [(str(one.reference), one.place.line, one.spot.file) for one in found.mentions] == [
        ("hub.site:5000/team/shop:1", 4, "--image-list-with-auth"),
        ("hub.site:5000/team/web:2", 4, "--image-list-with-auth"),
        ("docker.io/library/mysql:8", 9, "--image-list-with-auth"),
        ("docker.io/team/shop:1", 10, "--image-list-with-auth"),
    ]
    assert {name: (login.user, login.password.reveal()) for name, login in found.logins.items()} == {
        "hub.site:5000/team/shop": ("robot", "0123"),
        "hub.site:5000/team/web": ("robot", "0123"),
        "docker.io/library/mysql": ("other", "geheim"),
        "docker.io/team/shop": ("other", "geheim"),
    }
    assert "geheim" not in repr(found)
    assert not found.notices


def test_a_login_is_for_the_images_of_its_section_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PASSWORD", "geheim")
    kept = file.with_name("auth.json")
    kept.write_text('{"auths": {"hub.site:5000": {"auth": "a2VwdDpzZWNyZXQ="}}}')
    secrets: list[str] = []
    logins = ListedCredentials((kept,), read(file, GOOD).logins, keep_secret=secrets.append)
    assert logins.find("hub.site:5000", "team/shop").user == "robot"
    assert logins.find("hub.site:5000", "team/other").user == "kept"
    assert not logins.find("quay.io", "team/shop")
    assert logins.scope("hub.site:5000", "team/shop") != logins.scope("hub.site:5000", "team/other")


def test_a_file_that_others_can_read_is_told(file: Path) -> None:
    text = "- {registry: a.b, username: u, password: p, images: [x]}\n"
    (notice,) = read(file, text, mode=0o644).notices
    assert str(notice) == f"{file}: others on this machine can read its passwords"
    assert notice.hint == f"chmod 600 {file}"
    assert not read(file, text, mode=0o600).notices


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {registry: a.b, username: u, images: [x]}", "1: there is no password"),
        ("- {registry: a.b, password: p, images: [x]}", "1: there is no username"),
        ("- {username: u, password: p, images: [x]}", "1: there is no registry"),
        ("- {registry: a.b, username: u, password: p}", "1: there are no images"),
        ("- {registry: a.b, username: u, password: p, images: x}", "1: there are no images"),
        ("- {registry: a.b, username: u, pasword: p, images: [x]}", "1: 'pasword' is not known"),
        (
            "- registry: a.b\n  username: u\n  password: p\n  passwordFrom: {env: X}\n  images: [x]",
            "1: there are both a password and a passwordFrom",
        ),
        (
            "- registry: a.b\n  username: u\n  passwordFrom: {vault: X}\n  images: [x]",
            "3: passwordFrom is one of env, file, command",
        ),
        (
            "- registry: a.b\n  username: u\n  password: p\n  images:\n  - x\n  - quay.io/y:1",
            "6: 'quay.io/y:1' is of registry 'quay.io', and the login is for 'a.b'",
        ),
        ("- {registry: a.b, username: u, password: p, images: ['X Y']}", "1: image name 'a.b/X Y'"),
        (
            "- registry: https://a.b\n  username: u\n  password: p\n  images: [a.b/x]",
            "1: image name 'https://a.b/x': 'https:' is no domain",
        ),
        ("- just a text", "1: there is no registry"),
        (
            TWICE,
            "2: 'a.b/x' has two logins",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str, file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(file, text)
    assert any(str(problem).startswith(f"{file}:{told}") for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize("text", ["a: b", "", "- [", "- password: 'geheim\n", "\tx: y"])
def test_what_is_no_list_is_refused_without_a_word_of_its_text(text: str, file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(file, text)
    assert str(file) in str(caught.value)
    assert "geheim" not in f"{caught.value} {caught.value.__cause__}"
    assert "{registry, username, password, images}" in caught.value.hint


def test_a_file_that_is_not_there_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        read_private_list(file)


def test_a_password_that_is_not_found_is_told(file: Path) -> None:
    sections = "".join(
        f"- registry: {domain}\n  username: u\n  passwordFrom: {{env: {name}}}\n  images: [x]\n"
        for domain, name in (("a.b", "NOBODY_SET_IT"), ("c.d", "NOR_THIS"))
    )
    with pytest.raises(ConfigError) as caught:
        read(file, sections)
    assert [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems] == [
        "3: passwordFrom env 'NOBODY_SET_IT': the variable is not set",
        "7: passwordFrom env 'NOR_THIS': the variable is not set",
    ]
