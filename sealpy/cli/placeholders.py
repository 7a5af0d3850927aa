"""What stands in the help for the value of an option: one word for one thing, in every command."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["placeholder"]

# An option that is spelled alike has the same word everywhere, unless its command names another.
_OPTIONS: Final = {
    "--apps": "APP",
    "--arch": "ARCH",
    "--authfile": "FILE",
    "--ca": "FILE",
    "--cluster": "CLUSTER",
    "--cmds": "COMMAND",
    "--file": "FILE",
    "--ignored-image-list": "FILE",
    "--input": "PATH",
    "--masters": "HOSTS",
    "--name": "CLUSTER",
    "--nodes": "HOSTS",
    "--os": "OS",
    "--passwd": "PASSWORD",
    "--password": "PASSWORD",
    "--pk": "FILE",
    "--pk-passwd": "PASSPHRASE",
    "--platform": "PLATFORM",
    "--port": "PORT",
    "--provider": "<local>",
    "--tag": "NAME",
    "--user": "USER",
    "--username": "USER",
    "--variant": "VARIANT",
}


def placeholder(param: Any, ctx: Any) -> str:
    """Give the word for what a parameter takes, such as `FILE` or `<text|json>`; empty for a flag."""
    if getattr(param, "is_flag", False):
        return ""
    if param.metavar:
        return str(param.metavar).strip("[]")
    known = next((_OPTIONS[spelling] for spelling in param.opts if spelling in _OPTIONS), "")
    return known or str(param.make_metavar(ctx) if hasattr(param, "make_metavar") else param.display_type(ctx))
