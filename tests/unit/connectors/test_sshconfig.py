"""~/.ssh/config as ssh_config(5) has it, and the line of what cannot be read."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from sealpy.connectors.sshconfig import SshConfig
from sealpy.errors import ConfigError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config"


def written(config: Path, text: str) -> SshConfig:
    config.write_text(text)
    config.chmod(0o600)
    return SshConfig.read(config)


def ports(found: SshConfig, *names: str) -> str:
    """Give the port of each machine, `-` where the file says nothing."""
    settings = [found.lookup(name) for name in names]
    return " ".join(given["port"][0].word if "port" in given else "-" for given in settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Port 1", "1 1 1"),
        ("Host 10.0.0.5\nPort 1", "1 - -"),
        ("Host 10.0.0.*\n  Port 1", "1 1 -"),
        ("Host 10.0.0.? !10.0.0.6\n  Port 1", "1 - -"),
        ("Host 10.0.0.6 BASTION\n  Port 1", "- 1 1"),
        ("Host *\nPort 1\nHost 10.0.0.5\nPort 2", "1 1 1"),
        ("Host 10.0.0.5\nPort 2\nHost *\nPort 1", "2 1 1"),
        ("host=10.0.0.5\n\tPORT = 2", "2 - -"),
        ('Host "10.0.0.5"\nPort "2" # the other one', "2 - -"),
        ("# Port 9\n\nHost 10.0.0.5 # not 10.0.0.6\nPort 2", "2 - -"),
        ("Match all\nPort 1", "1 1 1"),
        ("Match host 10.0.0.5,bastion\nPort 1", "1 - 1"),
        ("Match !host 10.0.0.5\nPort 1", "- 1 1"),
        ("Host bastion\nHostName b.site\nMatch host b.site\nPort 1", "- - 1"),
        ("Host bastion\nHostName b.site\nMatch originalhost bastion\nPort 1", "- - 1"),
        ("Match user admin\nPort 1", "- - -"),
        ("Host bastion\nUser admin\nMatch user admin,root host bastion\nPort 1", "- - 1"),
        (f"Match localuser {getpass.getuser()}\nPort 1", "1 1 1"),
        ("Match exec /bin/true\nSendEnv LANG", "- - -"),
        ("Host [x]\nPort 1", "- - -"),
    ],
)
def test_blocks_speak_of_the_machines_that_they_name_and_the_first_word_counts(
    config: Path, text: str, expected: str
) -> None:
    assert ports(written(config, text), "10.0.0.5", "10.0.0.6", "bastion") == expected


def test_the_account_that_is_settled_elsewhere_is_the_one_that_conditions_ask_for(config: Path) -> None:
    found = written(config, "Match user admin\nPort 1")
    assert found.lookup("10.0.0.5", user="admin")["port"][0].word == "1"


def test_key_files_are_collected_and_everything_else_is_not(config: Path) -> None:
    found = written(config, "Host a\nIdentityFile one\nUser x\nHost *\nIdentityFile two\nUser y").lookup("a")
    assert [setting.word for setting in found["identityfile"]] == ["one", "two"]
    assert [setting.word for setting in found["user"]] == ["x"]


def test_every_setting_knows_its_place(config: Path) -> None:
    found = written(config, "# first\nHost a\n\n  Port 2").lookup("a")
    assert str(found["port"][0].place) == f"{config}:4"


def test_included_files_stand_where_they_are_included(config: Path) -> None:
    (config.parent / "conf.d").mkdir()
    (config.parent / "conf.d" / "2.conf").write_text("Port 2\nHost 10.0.0.6\nPort 6")
    (config.parent / "conf.d" / "1.conf").write_text("Host bastion\nInclude conf.d/deeper")
    (config.parent / "conf.d" / "deeper").write_text("Port 1")
    found = written(config, "Host 10.0.0.5 bastion\nInclude conf.d/*.conf missing/*\nHost *\nPort 9")
    assert ports(found, "10.0.0.5", "10.0.0.6", "bastion") == "2 9 1"


def test_a_file_may_be_included_by_its_whole_path_and_from_home(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(config.parent))
    (config.parent / "a").write_text("Host 10.0.0.5\nPort 1")
    (config.parent / "b").write_text("Host 10.0.0.6\nPort 2")
    assert ports(written(config, f'Include "{config.parent}/a" ~/b'), "10.0.0.5", "10.0.0.6") == "1 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Host *\nPort", ":2: 'Port' has no value"),
        ("Host *\nUser #x", ":2: 'User' has no value"),
        ('IdentityFile "~/my key', ":1: a quote is not closed"),
        ("Include config", "includes itself"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(config: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        written(config, text)
    assert message in caught.value.message
    assert str(config) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Match exec 'test -f x'\nUser x", ":1: whether 'Match exec' is so cannot be told here"),
        ("Match host 10.0.0.5 final\nUser x", ":1: whether 'Match final' is so cannot be told here"),
        ("Match tagged\nPort 1", ":1: 'Match tagged' lacks its value"),
    ],
)
def test_a_condition_that_cannot_be_decided_is_an_error_for_whom_it_concerns(
    config: Path, text: str, message: str
) -> None:
    found = written(config, text)
    with pytest.raises(ConfigError) as caught:
        found.lookup("10.0.0.5")
    assert caught.value.message.endswith(message)


def test_a_condition_that_cannot_be_decided_is_nobodys_else(config: Path) -> None:
    assert ports(written(config, "Match host 10.0.0.5 exec x\nPort 1"), "10.0.0.6") == "-"


def test_a_file_that_others_can_write_is_refused(config: Path) -> None:
    written(config, "Port 1")
    config.chmod(0o666)
    with pytest.raises(ConfigError, match="others than you can write to it"):
        SshConfig.read(config)


def test_a_file_that_is_not_there_is_named(config: Path) -> None:
    with pytest.raises(ConfigError, match=r"config: No such file or directory"):
        SshConfig.read(config)
