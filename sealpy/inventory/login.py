"""How one machine is logged in to: what the Clusterfile says, then `~/.ssh/config`, then the defaults."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from sealpy.clusterfile import Jump, PasswordFrom, Ssh
from sealpy.connectors.secret import Secret
from sealpy.connectors.sshconfig import SshConfig
from sealpy.connectors.sshsettings import SshSettings, proxy_command, settings_of
from sealpy.connectors.target import HostKeyPolicy, Target
from sealpy.disk import expanded
from sealpy.errors import ConfigError, Problem, counted, problems_of
from sealpy.inventory.passwords import find_password

__all__ = ["Logins"]

_HOP = re.compile(r"(?:(?P<user>[^@]+)@)?(?:\[(?P<address>[^\]]+)\]|(?P<host>[^:@]+))(?::(?P<port>\d+))?")
_DEEPEST = 8  # jump hosts whose own settings lead through jump hosts


@dataclass(frozen=True, slots=True)
class Logins:
    """Make targets; `policy`, when it is given, is put over what any file says of host keys."""

    config: SshConfig = field(default_factory=SshConfig)
    policy: HostKeyPolicy | None = None

    def of(self, addresses: tuple[str, ...], ssh: Ssh) -> Iterator[Target]:
        """Give the target of each address; each reference to a secret is followed once.

        Raises ConfigError with every key that cannot be used, and every secret that is not found.
        """
        problems: list[Problem] = []
        targets: list[Target] = []
        secrets = _Secrets.of(ssh, problems)
        with _gathering(problems):
            jumps = tuple(self._jump(jump, problems) for jump in ssh.jump) if ssh.jump else None
            for address in addresses:
                settings = settings_of(self.config, address, user=ssh.user, ways=jumps is None)
                target = self._target(address, ssh, secrets, settings, default_user="root")
                way = self._way(settings.jump, depth=0) if jumps is None else jumps
                targets.append(replace(target, jumps=way))
        for target in {target.agent: target for target in targets}.values():
            _check_key(target, ssh, problems)
        match tuple(dict.fromkeys(problems)):
            case ():
                yield from targets
            case (one,):
                raise ConfigError(one.message, place=one.place, hint=one.hint)
            case several:
                raise ConfigError(f"{counted(len(several), 'problem')} with a login", problems=several)

    def _jump(self, jump: Jump, problems: list[Problem]) -> Target:
        settings = settings_of(self.config, jump.host, user=jump.ssh.user, ways=False)
        secrets = _Secrets.of(jump.ssh, problems)
        target = self._target(jump.host, jump.ssh, secrets, settings, default_user=getpass.getuser())
        _check_key(target, jump.ssh, problems)
        return target

    def _way(self, hops: tuple[str, ...] | None, *, depth: int) -> tuple[Target, ...]:
        """Give the machines of a `ProxyJump`; what leads to the first of them is its own affair, as in OpenSSH."""
        if depth > _DEEPEST:
            raise ConfigError("ProxyJump of ~/.ssh/config leads in a circle", hint="a jump host needs `ProxyJump none`")
        way: tuple[Target, ...] = ()
        for number, written in enumerate(hops or ()):
            match = _HOP.fullmatch(written.removeprefix("ssh://"))
            if match is None:
                hint = "write user@host:port, where host alone is enough"
                raise ConfigError(f"ProxyJump of ~/.ssh/config: '{written}' is no jump host", hint=hint)
            host = match["address"] or match["host"]
            ssh = Ssh(user=match["user"] or "", port=int(match["port"] or 0))
            settings = settings_of(self.config, host, user=ssh.user, ways=not number)
            way += self._way(settings.jump, depth=depth + 1)
            way += (self._target(host, ssh, _Secrets(), settings, default_user=getpass.getuser()),)
        return way

    def _target(self, address: str, ssh: Ssh, secrets: _Secrets, settings: SshSettings, *, default_user: str) -> Target:
        usual = Target(address=address)
        user, port = ssh.user or settings.user or default_user, ssh.port or settings.port or usual.port
        host = settings.host_name or address
        return Target(
            address=address,
            port=port,
            user=user,
            password=secrets.password,
            private_key=expanded(ssh.private_key) if ssh.private_key else None,
            private_key_password=secrets.key_password,
            sudo_password=secrets.sudo_password,
            host_key_policy=self.policy or ssh.host_key_policy or settings.host_key_policy or usual.host_key_policy,
            host_keys=ssh.host_keys,
            host_name=settings.host_name,
            proxy_command=proxy_command(settings.proxy, name=address, host=host, port=port, user=user),
            known_as=settings.host_key_alias,
            user_known_hosts=settings.known_hosts,
            identity_files=settings.identity_files,
            certificate_files=settings.certificate_files,
            identities_only=settings.identities_only,
            agent=settings.agent,
            connect_timeout=settings.connect_timeout or usual.connect_timeout,
            keep_alive=settings.keep_alive or usual.keep_alive,
        )


@dataclass(frozen=True, slots=True)
class _Secrets:
    """Hold the secrets of a login, found where the Clusterfile says that they are."""

    password: Secret | None = None
    key_password: Secret | None = None
    sudo_password: Secret | None = None

    @classmethod
    def of(cls, ssh: Ssh, problems: list[Problem]) -> Self:
        """Find them; what is not found is added to the problems."""
        given: tuple[tuple[str, PasswordFrom | None, str], ...] = (
            (ssh.password, ssh.password_from, "passwordFrom"),
            (ssh.private_key_password, ssh.private_key_password_from, "pkPasswdFrom"),
            (ssh.sudo_password, ssh.sudo_password_from, "sudoPasswdFrom"),
        )
        found: list[Secret | None] = [None] * len(given)
        for number, (text, source, key) in enumerate(given):
            with _gathering(problems):
                found[number] = find_password(text, source, field=key)
        return cls(*found)


@contextmanager
def _gathering(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        problems += problems_of(error)


def _check_key(target: Target, ssh: Ssh, problems: list[Problem]) -> None:
    """See that the private key that is named can be used; no host needs to refuse it to find that out."""
    if target.private_key is None:
        return
    from sealpy.connectors.keys import why_unusable  # noqa: PLC0415 - half of paramiko, which only a key needs

    if (why := why_unusable(target)) is None:
        return
    lost = ssh.private_key_password_from and not target.private_key_password  # which is told already
    if not (lost and target.private_key.is_file()):
        problems.append(Problem(f"private key '{target.private_key}': {why.reason}", ssh.key_place, why.hint))
