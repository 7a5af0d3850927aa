"""sealpy login: log in to an image registry."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sealpy.cli.asking import ask, can_ask
from sealpy.cli.remotes import AuthFile, Ca, Insecure, open_credentials, open_remotes

__all__ = ["command", "registry_of"]


def command(
    ctx: typer.Context,
    registry: Annotated[str, typer.Argument(metavar="REGISTRY", help="Domain of the registry, with its port.")],
    *,
    user: Annotated[str, typer.Option("-u", "--username", help="User; asked for when it is left out.")] = "",
    password: Annotated[
        str, typer.Option("-p", "--passwd", "--password", help="Password; else it is asked for.", show_default=False)
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    insecure: Insecure = False,
    ca: Ca = None,
    authfile: AuthFile = None,
) -> None:
    """Log in to an image registry.

    The login is tried first. What is kept stands in 'auth.json' in the home of sealpy, mode 0600, or with the helper
    program that this file names.

    Examples:
        sealpy login registry.example.com -u ann
        sealpy login registry.example.com -u ann --password-stdin < password.txt
    """
    from sealpy.cli.cluster import Given, ask_secrets
    from sealpy.connectors.secret import Secret
    from sealpy.errors import ConfigError
    from sealpy.image.remote.credentials import Credential

    domain = registry_of(registry)
    if password_stdin and password:
        raise ConfigError("two passwords: -p and --password-stdin", hint="give one of them")
    if not user and (password_stdin or not can_ask()):
        raise ConfigError("no user to log in as", hint=f"sealpy login {domain} -u USER --password-stdin")
    user = user or ask(f"user for {domain}")
    if password_stdin:
        word = sys.stdin.read().removesuffix("\n").removesuffix("\r")
        ctx.obj.secrets.add(word)
    else:
        (word,) = ask_secrets(ctx.obj, Given("-p", password or "-", f"password of {user} for {domain}"))
    if not word:
        raise ConfigError("the password is empty", hint="type it, or give it by --password-stdin")
    remotes = open_remotes(ctx.obj, insecure=insecure, ca=ca, authfile=authfile)
    credential = Credential(user, Secret(word))
    remotes.registry(domain, credential=credential).ping()
    where = open_credentials(ctx.obj, authfile).keep(domain, credential)
    if ctx.obj.is_json:
        ctx.obj.json({"registry": domain, "user": user, "kept_in": where})
    else:
        ctx.obj.text(f"{domain}: logged in as {user}; kept in {where}")


def registry_of(text: str) -> str:
    """Read the domain of a registry, as people write it: with `https://` before it or a path behind it too."""
    from sealpy.errors import BadReferenceError, ConfigError
    from sealpy.image.reference import Reference

    domain = text.partition("://")[2] or text
    domain = domain.partition("/")[0]
    if domain in {"docker.io", "index.docker.io", "registry-1.docker.io"}:
        return "docker.io"
    try:
        found = Reference.parse(f"{domain}/x")
    except BadReferenceError as error:
        raise ConfigError(f"registry {text!r}: not a domain", hint="write domain[:port]") from error
    if found.domain != domain:
        message = f"registry {text!r}: not a domain"
        raise ConfigError(message, hint=f"write domain[:port]; for one without dots {domain}:443")
    return domain
