"""What in a Clusterfile is a secret: it is never saved with the cluster, nor shown.

A secret is

- every password that is written out: of logins, keys, sudo, registries;
- the value of a variable of `env` whose name or value looks like one (`DB_PASSWORD`, `postgres://user:password@host`);
- the text of a Config that makes a Secret (`process: …|toSecret`), and that of any Config, or file of an app, in which
  something looks like one.

Saved are the name, and every reference: `passwordFrom`, `dataFrom`, and a variable of `env` by its name alone. Commands
and the texts of plugins are programs, and are saved as they are: they read a secret from their environment. Documents
for kubeadm hold none, since tokens and keys in them are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sealpy.clusterfile.types import WITHHELD, AppConfig, AppFile, Cluster, Clusterfile, Config, HostEntry, Ssh

__all__ = ["holds_secret", "is_secret", "secret_values", "without_secrets"]

_WORD = (
    r"(?:passw(?:or)?d|passphrase|secret|token|credentials?|(?:api|access|private|secret|encryption|signing)[-_.]?key"
    r"|(?<![A-Za-z])(?:pass|pwd))\d*"
)
_NAME = re.compile(rf".*{_WORD}", re.IGNORECASE)
# `password: x`, `"password": "x"`, `password=x`, and `- name: PASSWORD` with `value: x` in the next line. What stands
# before the word is not looked at: a text may be one line of a megabyte.
_GIVEN = re.compile(
    rf"""{_WORD}(?:["']?[ \t]*=|["']?[ \t]*:(?=[ \t])|["']:|["']?[ \t]*\n[ \t]*["']?value["']?[ \t]*:)"""
    r"[ \t]*(?P<value>[^\s,}\]][^\n]*)",
    re.IGNORECASE,
)
_CREDENTIAL = re.compile(
    r"://[^\s/:@]*:[^\s/@]+@"  # postgres://user:password@host
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]+-----END)?"
    r"|(?<=authorization: )(?:bearer|basic) \S+",
    re.IGNORECASE,
)
_SECRET = re.compile(r"^kind:[ \t]*[\"']?Secret\b", re.MULTILINE)
_NONE = frozenset({"", "true", "false", "null", "~", "none", "|", ">", "|-", ">-", "|+", ">+"})  # no value of its own
_REFERENCES = ("$", "{{", "#")


def is_secret(name: str, value: str) -> bool:
    """Tell whether the value of a variable looks like a secret; those of `PASSWORD_FILE` and `SECRET_NAME` do not."""
    named = bool(_NAME.fullmatch(name)) and _gives_away(value)
    return named or bool(_CREDENTIAL.search(value))


def holds_secret(text: str) -> bool:
    """Tell whether something in the text of a file looks like a secret."""
    blocks = any(match["value"].strip()[:1] in {"|", ">"} for match in _GIVEN.finditer(text))
    return blocks or any(_secrets_in(text)) or bool(_SECRET.search(text))


def _secrets_in(text: str) -> Iterator[str]:
    for match in _GIVEN.finditer(text):
        value = match["value"].strip().rstrip(",}]").strip().strip("\"'")
        if _gives_away(value):
            yield value
    yield from (match[0] for match in _CREDENTIAL.finditer(text))


def _gives_away(value: str) -> bool:
    return value.lower() not in _NONE and not value.startswith(_REFERENCES)


def secret_values(clusterfile: Clusterfile) -> Iterator[str]:
    """Yield what must not be shown of the environment and of the data of Configs and apps."""
    cluster, apps = clusterfile.cluster, [app for one in clusterfile.applications for app in one.configs]
    for env in (cluster.env, *(entry.env for entry in cluster.hosts), *(app.env for app in apps)):
        yield from (value for name, value in env.items() if is_secret(name, value))
    files = [file for app in apps for file in app.files]
    for text in (*(config.data for config in clusterfile.configs), *(file.data for file in files)):
        yield from _secrets_in(text)


def without_secrets(clusterfile: Clusterfile) -> Clusterfile:
    """Leave out every secret, and name it instead; a host that had its own password logs in as the cluster says."""
    applications = tuple(
        replace(application, configs=tuple(_bare_app(config) for config in application.configs))
        for application in clusterfile.applications
    )
    configs = tuple(_bare_config(config) for config in clusterfile.configs)
    return replace(clusterfile, cluster=_bare_cluster(clusterfile.cluster), configs=configs, applications=applications)


def _bare_cluster(cluster: Cluster) -> Cluster:
    ssh = _bare_ssh(cluster.ssh)
    local, external = cluster.registry.local, cluster.registry.external
    registry = replace(
        cluster.registry,
        local=replace(local, password=""),
        external=replace(external, password="") if external else None,
    )
    hosts = tuple(_bare_host(entry, ssh) for entry in cluster.hosts)
    env, named = _bare_env(cluster.env)
    args, of_commands = _bare_env(cluster.cmd_args)
    return replace(
        cluster,
        ssh=ssh,
        hosts=hosts,
        registry=registry,
        env=env,
        env_from=_names(cluster.env_from, named, of_commands),
        cmd_args={**args, **dict.fromkeys(of_commands, "")},  # by its name a command still finds it in the environment
    )


def _bare_host(entry: HostEntry, ssh: Ssh) -> HostEntry:
    env, named = _bare_env(entry.env)
    login = _inheriting(_bare_ssh(entry.ssh), ssh)
    return replace(entry, ssh=login, env=env, env_from=_names(entry.env_from, named))


def _bare_ssh(ssh: Ssh) -> Ssh:
    hops = tuple(replace(hop, ssh=_bare_ssh(hop.ssh)) for hop in ssh.jump)
    return replace(ssh, password="", private_key_password="", sudo_password="", jump=hops)


def _inheriting(ssh: Ssh, cluster: Ssh) -> Ssh:
    return replace(
        ssh,
        password_from=ssh.password_from or cluster.password_from,
        private_key_password_from=ssh.private_key_password_from or cluster.private_key_password_from,
        sudo_password_from=ssh.sudo_password_from or cluster.sudo_password_from,
    )


def _bare_env(env: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Give what may be kept, and the names of what may not."""
    plain = {name: value for name, value in env.items() if not is_secret(name, value)}
    return plain, tuple(name for name in env if name not in plain)


def _names(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))


def _bare_config(config: Config) -> Config:
    secret = "toSecret" in config.process or holds_secret(config.data)
    return replace(config, data="", withheld=WITHHELD) if config.data and secret else config


def _bare_app(config: AppConfig) -> AppConfig:
    env, named = _bare_env(config.env)
    files = tuple(_bare_file(file) for file in config.files)
    return replace(config, env=env, env_from=_names(config.env_from, named), files=files)


def _bare_file(file: AppFile) -> AppFile:
    return replace(file, data="", withheld=WITHHELD) if holds_secret(file.data) else file
