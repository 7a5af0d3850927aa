"""What the command line says of how hosts are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.cli.logins import logins_of
from sealpy.errors import ConfigError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path


def config(path: Path, user: str) -> Path:
    path.write_text(f"User {user}\n")
    path.chmod(0o600)
    return path


def user_of(ssh_config: str) -> str:
    given = logins_of("", ssh_config).config.lookup("10.0.0.1").get("user")
    return given[0].word if given else ""


def test_the_usual_config_is_read_unless_another_is_named_or_none(home: Path) -> None:
    assert user_of("") == ""
    config(home / ".ssh" / "config", "usual")
    config(home / "other", "other")
    assert user_of("") == "usual"
    assert user_of(str(home / "other")) == "other"
    assert user_of("~/other") == "other"
    assert user_of("none") == ""


def test_a_config_that_was_named_must_be_there(home: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere: No such file"):
        logins_of("", str(home / "nowhere"))


@pytest.mark.parametrize("policy", ["strict", "accept-new", "insecure"])
def test_each_policy_for_host_keys_can_be_asked_for(policy: str) -> None:
    assert logins_of(policy, "").policy == policy


@pytest.mark.parametrize(("word", "hint"), [("Strikt", "did you mean 'strict'?"), ("ssh", "known here: accept-new")])
def test_a_policy_that_is_none_is_refused_with_the_nearest(word: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"--host-keys: there is no policy '{word}'") as caught:
        logins_of(word, "")
    assert caught.value.hint.startswith(hint)
