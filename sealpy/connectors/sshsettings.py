"""What `~/.ssh/config` says of one machine, as values; what we cannot obey is an error with its place."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sealpy.connectors.sshconfig import Setting, Settings, SshConfig
from sealpy.connectors.target import HostKeyPolicy
from sealpy.disk import expanded
from sealpy.errors import ConfigError

__all__ = ["SshSettings", "proxy_command", "settings_of"]

_NONE = "none"
_WAYS = ("proxyjump", "proxycommand")
_FLAGS = {"yes": True, "true": True, "no": False, "false": False}
# `no` and `off` let a changed key pass in OpenSSH. Here it stops the login: that is given up by `--host-keys insecure`
# alone, which a person types for one run and sees a warning for.
_POLICIES: Mapping[str, HostKeyPolicy] = {
    "yes": "strict",
    "ask": "accept-new",
    "accept-new": "accept-new",
    "no": "accept-new",
    "off": "accept-new",
}
_REFUSED = {
    "proxyusefdpass": ("ProxyUseFdpass", "let the program of `ProxyCommand` carry the bytes itself"),
    "bindinterface": ("BindInterface", "let the routes of this machine choose the interface"),
    "bindaddress": ("BindAddress", "let the routes of this machine choose the address"),
    "revokedhostkeys": ("RevokedHostKeys", "write the keys as `@revoked * …` into your known_hosts"),
}
_TOKEN = re.compile(r"%(.)|\$\{(\w+)\}")
_PLAIN = re.compile(r"[\w.:@%+,=/-]*", re.ASCII)
_LENGTHS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True, kw_only=True)
class SshSettings:
    """Hold what the file says of a machine; empty, 0 and None mean that it says nothing.

    `jump` are the hops as they are written, `[]` of them for `ProxyJump none`; `proxy` is the line of a `ProxyCommand`,
    which `proxy_command` makes whole. Times are seconds.
    """

    host_name: str = ""
    port: int = 0
    user: str = ""
    jump: tuple[str, ...] | None = None
    proxy: Setting | None = None
    identity_files: tuple[Path, ...] | None = None
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    agent: str = ""
    known_hosts: tuple[Path, ...] | None = None
    host_key_policy: HostKeyPolicy | None = None
    host_key_alias: str = ""
    connect_timeout: float = 0.0
    keep_alive: float = 0.0


def settings_of(config: SshConfig, name: str, *, user: str = "", ways: bool = True) -> SshSettings:
    """Give what a config says of the machine `name`; raises ConfigError with file and line.

    `user` is the account when something else has settled it. Without `ways` what leads to the machine is passed over,
    as something else leads there.
    """
    found = config.lookup(name, user=user)
    # Of the two the one that is read first counts, also when it says `none`.
    way = next((keyword for keyword in found if keyword in _WAYS), "") if ways else ""
    others = set(_WAYS) - {way} | (set() if way == "proxycommand" else {"proxyusefdpass"})
    found = {keyword: given for keyword, given in found.items() if keyword not in others}
    _refuse(found)
    tokens = _tokens(found, name, user)
    jump, proxy = _one(found, "proxyjump"), _one(found, "proxycommand")
    return SshSettings(
        host_name=tokens["h"] if "hostname" in found else "",
        port=_port(found),
        user=tokens["r"] if "user" in found else "",
        jump=None if jump is None else _hops(jump, tokens),
        proxy=proxy if proxy and proxy.word.lower() != _NONE else None,
        identity_files=_paths(found.get("identityfile"), tokens),
        certificate_files=_paths(found.get("certificatefile"), tokens) or (),
        identities_only=_flag(_one(found, "identitiesonly")),
        agent=_agent(_one(found, "identityagent"), tokens),
        known_hosts=_known_hosts(_one(found, "userknownhostsfile"), tokens),
        host_key_policy=_policy(_one(found, "stricthostkeychecking")),
        host_key_alias=given.word if (given := _one(found, "hostkeyalias")) else "",
        connect_timeout=_seconds(_one(found, "connecttimeout")),
        keep_alive=_seconds(_one(found, "serveraliveinterval")),
    )


def proxy_command(setting: Setting | None, *, name: str, host: str, port: int, user: str) -> str:
    """Give the command of a `ProxyCommand` line, for a shell; raises ConfigError where a value is no plain word."""
    if setting is None:
        return ""
    tokens = {"%": "%", "h": host, "n": name, "p": str(port), "r": user}

    def value(match: re.Match[str]) -> str:
        if match[1] not in tokens:
            raise _unknown(match[0], tokens, setting)
        if not _PLAIN.fullmatch(tokens[match[1]]):
            what = f"ProxyCommand: {match[0]} is '{tokens[match[1]]}', which no shell would take as it is"
            raise ConfigError(what, place=setting.place, hint="letters, digits and `. _ - : @ % + , = /` do")
        return tokens[match[1]]

    return re.sub(r"%(.?)", value, setting.word)


def _one(found: Settings, keyword: str) -> Setting | None:
    given = found.get(keyword)
    return given[0] if given else None


def _refuse(found: Settings) -> None:
    for keyword, (name, hint) in _REFUSED.items():
        setting = _one(found, keyword)
        if setting is not None and setting.word.lower() not in {_NONE, "no"}:
            raise ConfigError(f"{name} is not supported", place=setting.place, hint=hint)


def _tokens(found: Settings, name: str, user: str) -> dict[str, str]:
    given, account, port = _one(found, "hostname"), _one(found, "user"), _one(found, "port")
    host = given.word.replace("%%", "%").replace("%h", name) if given else name
    alias = _one(found, "hostkeyalias")
    return {
        "%": "%",
        "d": str(Path.home()),
        "h": host,
        "i": str(os.getuid()),
        "k": alias.word if alias else name,
        "n": name,
        "p": port.word if port else "22",
        "r": account.word if account else user or getpass.getuser(),
        "u": getpass.getuser(),
    }


def _filled(setting: Setting, word: str, tokens: Mapping[str, str]) -> str:
    def replace(match: re.Match[str]) -> str:
        found = tokens.get(match[1]) if match[1] else os.environ.get(match[2])
        if found is None:
            raise _unknown(match[0], tokens, setting)
        return found

    return _TOKEN.sub(replace, word)


def _unknown(token: str, tokens: Mapping[str, str], setting: Setting) -> ConfigError:
    known = ", ".join(f"%{token}" for token in tokens)
    return ConfigError(f"'{token}' means nothing here", place=setting.place, hint=f"known here: {known}")


def _paths(settings: list[Setting] | None, tokens: Mapping[str, str]) -> tuple[Path, ...] | None:
    if settings is None:
        return None
    words = [(setting, word) for setting in settings for word in setting.words if word.lower() != _NONE]
    return tuple(dict.fromkeys(expanded(_filled(setting, word, tokens)) for setting, word in words))


def _known_hosts(setting: Setting | None, tokens: Mapping[str, str]) -> tuple[Path, ...] | None:
    return _paths([setting] if setting else None, tokens)


def _agent(setting: Setting | None, tokens: Mapping[str, str]) -> str:
    """Give the path of the agent's socket, or `none`; empty for the one that the environment names."""
    if setting is None or setting.word == "SSH_AUTH_SOCK":
        return ""
    if setting.word.lower() == _NONE:
        return _NONE
    word = os.environ.get(setting.word[1:], "") if re.fullmatch(r"\$\w+", setting.word) else setting.word
    return str(expanded(_filled(setting, word, tokens))) if word else ""


def _hops(setting: Setting, tokens: Mapping[str, str]) -> tuple[str, ...]:
    if setting.word.lower() == _NONE:
        return ()
    return tuple(_filled(setting, hop.strip(), tokens) for hop in "".join(setting.words).split(","))


def _port(found: Settings) -> int:
    setting = _one(found, "port")
    if setting is None:
        return 0
    if not setting.word.isdecimal() or not 0 < int(setting.word) < 1 << 16:
        raise ConfigError(f"'{setting.word}' is no port", place=setting.place, hint="write a number from 1 to 65535")
    return int(setting.word)


def _flag(setting: Setting | None) -> bool:
    if setting is None:
        return False
    if setting.word.lower() not in _FLAGS:
        raise ConfigError(f"'{setting.word}' is neither yes nor no", place=setting.place, hint="write yes or no")
    return _FLAGS[setting.word.lower()]


def _policy(setting: Setting | None) -> HostKeyPolicy | None:
    if setting is None:
        return None
    if setting.word.lower() not in _POLICIES:
        known = ", ".join(_POLICIES)
        raise ConfigError(f"'{setting.word}' is none of {known}", place=setting.place, hint="write yes or accept-new")
    return _POLICIES[setting.word.lower()]


def _seconds(setting: Setting | None) -> float:
    """Read `15`, `15s`, `1m`; `none` and 0 say nothing."""
    if setting is None or setting.word.lower() == _NONE:
        return 0.0
    match = re.fullmatch(r"(\d+)([smh]?)", setting.word.lower())
    if not match:
        raise ConfigError(f"'{setting.word}' is no length of time", place=setting.place, hint="write seconds")
    return float(match[1]) * _LENGTHS[match[2]]
