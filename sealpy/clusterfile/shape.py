"""What the shapes of documents share: strict names, metadata, logins. The text below a field is what users read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from sealpy.clusterfile.fields import Flag, JumpHost, Port, hops, refused
from sealpy.clusterfile.types import HostKeyPolicy

__all__ = ["JumpModel", "LoginModel", "Metadata", "Model", "PasswordFromModel", "SshModel"]


class Model(BaseModel):
    """Be strict about names, and take a key without a value as not written."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: object) -> object:
        if not isinstance(data, Mapping):
            return data
        known = {field.alias for field in cls.model_fields.values()}
        return {key: value for key, value in data.items() if value is not None or key not in known}


class Metadata(Model):
    """Name a document; what Kubernetes adds is let pass."""

    name: Annotated[str, Field(min_length=1)]
    """Name of the document, by which messages call it."""
    namespace: str = ""
    """Let pass; it means nothing here."""
    labels: dict[str, str | None] = {}
    """Let pass; they mean nothing here."""
    annotations: dict[str, str | None] = {}
    """Let pass; they mean nothing here."""
    annotation: dict[str, str | None] = {}
    """Let pass: an early document of the ancestor writes it so."""
    creation_timestamp: str = ""
    """Let pass: Kubernetes writes it."""


class PasswordFromModel(Model):
    """Say where a secret is to be found when it is needed: one of three."""

    env: str = ""
    """Name of a variable in the environment of sealpy."""
    file: str = ""
    """Path of a file on this machine; its first line is the secret."""
    command: str = ""
    """Shell command on this machine that writes the secret, such as `pass show lab`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([source for source in (self.env, self.file, self.command) if source]) != 1:
            raise refused("one source is needed", "write one of env: NAME, file: PATH, command: TEXT")
        return self


class LoginModel(Model):
    """Say how to log in to one machine."""

    user: str = ""
    """Account to log in by; others than root work through sudo. Default: what ~/.ssh/config says, else root."""
    port: Port | None = None
    """Port of sshd. Default: what ~/.ssh/config says, else 22."""
    passwd: str = ""
    """Password. Whoever reads the file reads it: better `passwordFrom`, or `-p -` on the command line."""
    password_from: PasswordFromModel | None = None
    """Where the password is found when it is needed."""
    pk: str = ""
    """Path of a private key on this machine. Default: the keys of the agent, then ~/.ssh/id_*."""
    pk_passwd: str = ""
    """Passphrase of the key; better `pkPasswdFrom`."""
    pk_passwd_from: PasswordFromModel | None = None
    """Where the passphrase is found when it is needed."""
    host_key_policy: HostKeyPolicy | None = None
    """What to do with a host key that is not known: `accept-new` (keep it, and show it) or `strict` (refuse)."""
    host_keys: list[str] = []
    """Host keys that are right, as known_hosts has them: `ssh-ed25519 AAAA…`; any other is refused."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for name, text, source in self.secrets():
            if text and source:
                raise refused(f"'{name}' is given twice: as text and by reference", "keep one of the two")
        return self

    def secrets(self) -> Iterator[tuple[str, str, PasswordFromModel | None]]:
        """Yield each secret: its key, the text, and the reference that may stand instead."""
        yield "passwd", self.passwd, self.password_from
        yield "pkPasswd", self.pk_passwd, self.pk_passwd_from


def _or_text(schema: dict[str, Any]) -> None:
    """Say in a schema that a text may stand instead of a list."""
    listed = {key: schema.pop(key) for key in ("type", "items") if key in schema}
    schema["anyOf"] = [listed, {"type": "string"}]


class JumpModel(LoginModel):
    """Name a machine on the way."""

    host: JumpHost
    """Name or address of the machine."""


class SshModel(LoginModel):
    """Say how to log in, and through which machines."""

    sudo_passwd: str = ""
    """Password that sudo asks for; better `sudoPasswdFrom`. Default: that of the login."""
    sudo_passwd_from: PasswordFromModel | None = None
    """Where the password of sudo is found when it is needed."""
    jump: Annotated[list[JumpModel], BeforeValidator(hops), Field(json_schema_extra=_or_text)] = []
    """Machines to go through, in order: mappings, or a text as `ssh -J` takes it: ops@bastion:2222,second."""
    encrypted: Flag = False
    """Refused when true: passwords that older versions of the ancestor encrypted cannot be read."""

    def secrets(self) -> Iterator[tuple[str, str, PasswordFromModel | None]]:
        """Yield that of sudo too."""
        yield from super().secrets()
        yield "sudoPasswd", self.sudo_passwd, self.sudo_passwd_from

    @model_validator(mode="after")
    def _not_encrypted(self) -> Self:
        if self.encrypted:
            raise refused("passwords encrypted by older versions cannot be read", "write `passwordFrom:` instead")
        return self
