"""A login is what the Clusterfile says, then ~/.ssh/config, then the defaults."""

from __future__ import annotations

import getpass
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from sealpy.clusterfile import Jump, PasswordFrom, Ssh
from sealpy.connectors.secret import Secret
from sealpy.connectors.sshconfig import SshConfig
from sealpy.connectors.target import Target
from sealpy.errors import ConfigError, Place
from sealpy.inventory import Logins
from sealpy.machines.keys import KeyPair

ADDRESS = "10.0.0.5"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def logins(home: Path, text: str) -> Logins:
    config = home / "config"
    config.write_text(text)
    config.chmod(0o600)
    return Logins(SshConfig.read(config))


def target(home: Path, text: str, ssh: Ssh | None = None) -> Target:
    (found,) = logins(home, text).of((ADDRESS,), ssh or Ssh())
    return found


def test_without_any_word_it_is_root_at_port_22() -> None:
    assert list(Logins().of((ADDRESS,), Ssh())) == [Target(address=ADDRESS)]


def test_the_config_says_what_the_clusterfile_does_not(home: Path) -> None:
    found = target(
        home,
        "Host 10.0.0.*\n HostName h-%h.site\n Port 2222\n User admin\n IdentityFile ~/keys/%r@%n\n IdentityFile none\n"
        " IdentitiesOnly yes\n IdentityAgent none\n CertificateFile ${HOME}/c-cert.pub\n UserKnownHostsFile ~/a ~/b\n"
        " StrictHostKeyChecking yes\n HostKeyAlias five\n ConnectTimeout 1m\n ServerAliveInterval 5\n",
    )
    assert found == Target(
        address=ADDRESS,
        host_name="h-10.0.0.5.site",
        port=2222,
        user="admin",
        identity_files=(home / "keys/admin@10.0.0.5",),
        identities_only=True,
        agent="none",
        certificate_files=(home / "c-cert.pub",),
        user_known_hosts=(home / "a", home / "b"),
        host_key_policy="strict",
        known_as="five",
        connect_timeout=60.0,
        keep_alive=5.0,
    )
    assert found.endpoint == "10.0.0.5 (h-10.0.0.5.site:2222)"
    assert found.known_hosts_name == "five"


def test_the_clusterfile_wins(home: Path) -> None:
    (home / "k").write_bytes(KeyPair.generate().private)
    ssh = Ssh(user="ops", port=22, private_key="~/k", host_key_policy="accept-new", jump=(Jump(host="other"),))
    found = target(home, "Port 2\nUser admin\nStrictHostKeyChecking yes\nProxyJump bastion\n", ssh)
    assert (found.user, found.port, found.private_key) == ("ops", 22, home / "k")
    assert found.host_key_policy == "accept-new"
    assert [hop.address for hop in found.jumps] == ["other"]


def test_what_is_said_for_this_run_wins_over_both(home: Path) -> None:
    config = logins(home, "StrictHostKeyChecking yes").config
    (found,) = Logins(config, "insecure").of((ADDRESS,), Ssh(host_key_policy="strict", jump=(Jump(host="j"),)))
    assert [found.host_key_policy, found.jumps[0].host_key_policy] == ["insecure", "insecure"]


@pytest.mark.parametrize("word", ["no", "off", "ask", "accept-new"])
def test_no_word_of_the_config_lets_a_changed_key_pass(home: Path, word: str) -> None:
    assert target(home, f"StrictHostKeyChecking {word}").host_key_policy == "accept-new"


def test_each_jump_host_has_its_own_settings_and_the_first_its_own_way(home: Path) -> None:
    found = target(
        home,
        f"Host {ADDRESS}\n ProxyJump ops@first:2200,second\n"
        "Host first\n HostName first.site\n User nobody\n ProxyJump gate\n IdentityFile ~/first\n"
        "Host second\n User two\n Port 22022\n ProxyJump never\n"
        "Host gate\n ProxyCommand none\n",
    )
    assert found.jumps == (
        Target(address="gate", user=getpass.getuser()),
        Target(address="first", host_name="first.site", user="ops", port=2200, identity_files=(home / "first",)),
        Target(address="second", user="two", port=22022),
    )


def test_a_jump_host_gets_no_secret_of_the_machines_behind_it(home: Path) -> None:
    ssh = Ssh(password="geheim", private_key_password="phrase", sudo_password="su", jump=(Jump(host="j"),))
    hop = target(home, "User admin", ssh).jumps[0]
    assert (hop.password, hop.private_key_password, hop.sudo_password) == (None, None, None)


def test_a_jump_host_of_the_clusterfile_has_the_secrets_that_stand_there() -> None:
    hop = Jump(host="j", ssh=Ssh(user="ops", password="its own"))
    (found,) = Logins().of((ADDRESS,), Ssh(password="geheim", jump=(hop,)))
    assert found.jumps == (Target(address="j", user="ops", password=Secret("its own")),)


def test_a_way_that_leads_in_a_circle_is_told(home: Path) -> None:
    with pytest.raises(ConfigError, match="leads in a circle"):
        target(home, "ProxyJump bastion")


def test_of_proxyjump_and_proxycommand_the_first_one_counts(home: Path) -> None:
    assert target(home, f"Host {ADDRESS}\nProxyJump j\nProxyCommand nc %h %p").jumps
    assert target(home, f"Host {ADDRESS}\nProxyJump none\nProxyCommand nc %h %p").jumps == ()
    assert target(home, f"Host {ADDRESS}\nProxyCommand none\nProxyJump j").jumps == ()


@pytest.mark.parametrize(
    ("written", "ssh", "made"),
    [
        ("nc %h %p", Ssh(), "nc db.site 2222"),
        ("nc %h %p", Ssh(port=22022), "nc db.site 22022"),
        ("""sh -c 'exec "$0" %n 100%% # %r' ${NC}""", Ssh(), """sh -c 'exec "$0" 10.0.0.5 100% # admin' ${NC}"""),
        ("to %r", Ssh(user="ops"), "to ops"),
    ],
)
def test_a_proxycommand_is_for_a_shell_and_knows_who_and_where(home: Path, written: str, ssh: Ssh, made: str) -> None:
    found = target(home, f"HostName db.site\nPort 2222\nUser admin\nProxyCommand {written}\n", ssh)
    assert (found.proxy_command, found.jumps) == (made, ())


def test_the_first_jump_host_may_be_reached_by_a_program(home: Path) -> None:
    text = f"Host {ADDRESS}\n ProxyJump first,second\nHost first second\n ProxyCommand to %h"
    first, second = target(home, text).jumps
    assert (first.proxy_command, second.proxy_command) == ("to first", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ProxyCommand nc %h %Z", "'%Z' means nothing here"),
        ("ProxyCommand nc %h %", "'%' means nothing here"),
        ("ProxyCommand nc %r\n  User $(reboot)", "ProxyCommand: %r is '$(reboot)', which no shell would take"),
        ("ProxyCommand nc %h %p\n  ProxyUseFdpass yes", "ProxyUseFdpass is not supported"),
        ("BindAddress 10.0.0.1", "BindAddress is not supported"),
        ("RevokedHostKeys /etc/revoked", "RevokedHostKeys is not supported"),
        ("Port ssh", "'ssh' is no port"),
        ("IdentitiesOnly maybe", "'maybe' is neither yes nor no"),
        ("StrictHostKeyChecking perhaps", "'perhaps' is none of yes, ask"),
        ("ConnectTimeout soon", "'soon' is no length of time"),
        ("IdentityFile ~/%Z", "'%Z' means nothing here"),
        ("IdentityFile ~/${NOBODY_SET_IT}", "'${NOBODY_SET_IT}' means nothing here"),
    ],
)
def test_what_cannot_be_obeyed_is_told_with_its_line(home: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        target(home, f"Host *\n  {line}\n")
    assert re.match(rf"{home}/config:[23]: {re.escape(message)}", caught.value.message)
    assert caught.value.hint


def test_a_home_that_nobody_has_is_a_path_like_any_other(home: Path) -> None:
    lines = ("Include", "IdentityFile", "CertificateFile", "UserKnownHostsFile", "IdentityAgent")
    text = "".join(f"{line} ~nobody-here/x\n" for line in lines)
    with pytest.raises(ConfigError, match="private key '~nobody-here/x': no such file"):
        target(home, text, Ssh(private_key="~nobody-here/x"))
    found = target(home, text)
    assert (found.agent, found.identity_files) == ("~nobody-here/x", (Path("~nobody-here/x"),))


def test_with_a_way_of_the_clusterfile_the_configs_is_not_asked_for(home: Path) -> None:
    found = target(home, "ProxyCommand nc %h %p\nProxyUseFdpass yes", Ssh(jump=(Jump(host="j"),)))
    assert (found.jumps[0].address, found.proxy_command) == ("j", "")


def test_everything_that_is_wrong_with_a_login_is_told_at_once_and_each_with_its_place() -> None:
    ssh = Ssh(
        private_key="/nowhere/key",
        key_place=Place("Clusterfile", 4),
        password_from=PasswordFrom("env", "NOBODY_SET_IT", Place("Clusterfile", 5)),
        jump=(Jump(host="j", ssh=Ssh(private_key="/nowhere/jump", key_place=Place("Clusterfile", 6))),),
    )
    with pytest.raises(ConfigError) as caught:
        list(Logins().of((ADDRESS, "10.0.0.6"), ssh))
    assert [str(problem) for problem in caught.value.problems] == [
        "Clusterfile:5: passwordFrom env 'NOBODY_SET_IT': the variable is not set",
        "Clusterfile:6: private key '/nowhere/jump': no such file",
        "Clusterfile:4: private key '/nowhere/key': no such file",
    ]
    assert all(problem.hint for problem in caught.value.problems)


def test_a_locked_key_is_opened_by_its_passphrase(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked_key(home / "key", b"phrase")
    monkeypatch.setenv("KEY_PHRASE", "phrase")
    ssh = Ssh(private_key="~/key", private_key_password_from=PasswordFrom("env", "KEY_PHRASE"))
    assert [found.private_key for found in Logins().of((ADDRESS,), ssh)] == [home / "key"]


def test_of_a_locked_key_whose_passphrase_is_not_found_only_that_is_told(home: Path) -> None:
    locked_key(home / "key", b"phrase")
    ssh = Ssh(private_key="~/key", private_key_password_from=PasswordFrom("env", "NOBODY_SET_IT"))
    with pytest.raises(ConfigError) as caught:
        list(Logins().of((ADDRESS,), ssh))
    assert caught.value.message == "pkPasswdFrom env 'NOBODY_SET_IT': the variable is not set"


def locked_key(path: Path, phrase: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    encryption = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(1).build(phrase)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption))
