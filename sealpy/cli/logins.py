"""The options that say how hosts are reached, alike in every command that reaches any.

Those that name new machines and a login for all of them are alike where machines are only looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from sealpy.disk import expanded
from sealpy.errors import ConfigError, did_you_mean, known_words

if TYPE_CHECKING:
    from sealpy.inventory import Logins

__all__ = [
    "HostKeysOption",
    "JumpOption",
    "KeyPasswordOption",
    "MastersOption",
    "NodesOption",
    "PasswordOption",
    "PortOption",
    "PrivateKeyOption",
    "SshConfigOption",
    "UserOption",
    "logins_of",
]

MastersOption = Annotated[str, typer.Option("--masters", "-m", help="Control planes: 10.0.0.1,10.0.0.4-10.0.0.5.")]
NodesOption = Annotated[str, typer.Option("--nodes", "-n", help="Workers, likewise.")]
UserOption = Annotated[str, typer.Option("--user", "-u", help="Account on the machines.")]
PasswordOption = Annotated[str, typer.Option("--passwd", "-p", help="Its password; '-' asks for it.")]
PortOption = Annotated[int | None, typer.Option("--port", help="Port of sshd, default 22.", min=1, max=65535)]
PrivateKeyOption = Annotated[Path | None, typer.Option("--pk", help="Private key.")]
KeyPasswordOption = Annotated[str, typer.Option("--pk-passwd", help="Its passphrase; '-' asks for it.")]
JumpOption = Annotated[str, typer.Option("--jump", metavar="HOST,…", help="Go there through these.")]
HostKeysOption = Annotated[
    str,
    typer.Option(
        "--host-keys",
        metavar="<strict|accept-new|insecure>",
        help="Which host keys are taken in this run: known ones, new ones too (as without it), or any.",
    ),
]
SshConfigOption = Annotated[
    str, typer.Option("--ssh-config", metavar="FILE", help="Read this instead of ~/.ssh/config; 'none' for nothing.")
]


def logins_of(host_keys: str, ssh_config: str) -> Logins:
    """Read the config of SSH and the policy for host keys; raises ConfigError."""
    from sealpy.connectors.sshconfig import SshConfig
    from sealpy.connectors.target import HostKeyPolicy
    from sealpy.inventory import Logins

    policies: dict[str, HostKeyPolicy] = {policy: policy for policy in get_args(HostKeyPolicy)}
    if host_keys and host_keys not in policies:
        near = did_you_mean(host_keys, policies) or known_words(policies)
        raise ConfigError(f"--host-keys: there is no policy '{host_keys}'", hint=near)
    policy = policies.get(host_keys)
    if ssh_config == "none":
        return Logins(policy=policy)
    if ssh_config:
        return Logins(SshConfig.read(expanded(ssh_config)), policy)
    usual = Path.home() / ".ssh" / "config"
    return Logins(SshConfig.read(usual) if usual.is_file() else SshConfig(), policy)
