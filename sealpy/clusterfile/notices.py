"""What is worth telling of a document that is in order: it stops nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sealpy.clusterfile.document import Document, Location
from sealpy.clusterfile.findings import Findings
from sealpy.clusterfile.models import ClusterSpec, LoginModel, PluginDocument, SshModel
from sealpy.clusterfile.secrets import holds_secret, is_secret

__all__ = ["notice_env", "notice_passwords", "notice_programs", "notice_registry", "unusual"]

_REFERENCES = {"passwd": "passwordFrom", "pkPasswd": "pkPasswdFrom", "sudoPasswd": "sudoPasswdFrom"}
_QUOTED = re.compile(r"([\"']).*\1", re.DOTALL)
_SHELL_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def notice_env(document: Document, location: Location, env: Mapping[str, str], findings: Findings) -> None:
    """Tell which names scripts cannot use, which values have quotes that are part of them, and which are secrets."""
    for name, value in env.items():
        if _QUOTED.fullmatch(value):
            hint = "leave them out if they are not meant: nothing takes them away"
            findings.notice(document, location, f"the quotes of '{name}' are part of its value", hint=hint)
        if not _SHELL_NAME.fullmatch(name):
            hint = "templates see it; for scripts use letters, digits and '_'"
            findings.notice(document, location, f"'{name}' is no name of a shell variable", hint=hint)
        if is_secret(name, value):
            hint = f"write '{name}' alone, and export it: scale-up and delete then find it where they need it"
            findings.notice(
                document, location, f"'{name}' looks like a secret, and is saved without its value", hint=hint
            )


def notice_programs(document: Document, texts: Iterable[tuple[Location, str]], findings: Findings) -> None:
    """Tell that a command or script, which is saved as it is, holds what looks like a secret."""
    for location, text in texts:
        if holds_secret(text):
            hint = "let it read a variable, and name that in `env`, which is saved without its value"
            message = "what looks like a secret in it is saved with the cluster"
            findings.notice(document, location, message, hint=hint)


def notice_passwords(document: Document, spec: ClusterSpec, findings: Findings) -> None:
    """Tell that a password can be read by whoever reads the file; once, at the first one."""
    for location, source in _passwords(spec):
        hint = f"write {source}: {{env: NAME}}, {{file: PATH}} or {{command: …}} instead"
        findings.notice(document, location, "whoever reads this file reads the password", hint=hint)
        return


def notice_registry(document: Document, spec: ClusterSpec, findings: Findings) -> None:
    """Tell that an account travels where everyone on the way can read it."""
    local = spec.registry.local_registry
    if local.insecure and local.username:
        location = ("spec", "registry", "localRegistry", "insecure")
        findings.notice(
            document, location, "the account travels readable", hint="leave `insecure` out: TLS needs nothing"
        )


def _passwords(spec: ClusterSpec) -> Iterator[tuple[Location, str]]:
    """Yield where passwords are written out, and the key that would refer to each instead."""
    yield from _logins(("spec", "ssh"), spec.ssh)
    for index, host in enumerate(spec.hosts):
        yield from _logins(("spec", "hosts", index, "ssh"), host.ssh)
    registries = {"localRegistry": spec.registry.local_registry, "externalRegistry": spec.registry.external_registry}
    for key, registry in registries.items():
        if registry and registry.password:
            yield ("spec", "registry", key, "password"), "passwordFrom"


def _logins(location: Location, ssh: LoginModel) -> Iterator[tuple[Location, str]]:
    for key, text, _ in ssh.secrets():
        if text:
            yield (*location, key), _REFERENCES[key]
    for index, hop in enumerate(ssh.jump if isinstance(ssh, SshModel) else ()):
        yield from _logins((*location, "jump", index), hop)


def unusual(document: Document, model: PluginDocument) -> Iterator[tuple[Location, str, str]]:
    """Yield what is read here as its author means it, and elsewhere is not."""
    spec = model.spec
    on = ("spec", "on")
    if spec.on and on not in document.quoted:
        yield on, "the key stands without quotes, which other readers take for `true`", "write 'on':"
    if spec.on.strip().startswith("role="):
        yield on, f"'{spec.on.strip()}' is read as a role, not as a node label", "write the role alone"
    for key, text in (("action", document.text_of("spec", "action")), ("scope", spec.scope)):
        if any(part != part.strip() for part in text.split("|")):
            yield ("spec", key), "blanks round '|' are left out", "write a|b"
    if "/" in spec.scope:
        yield ("spec", "scope"), "'/' is read as '|'", "write a|b"
    if spec.scope.strip() == "master0":
        yield ("spec", "scope"), "'master0' is read as the first master", ""
