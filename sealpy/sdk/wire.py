"""Steps, results and contexts as JSON, for the pipe between sealpy and a plugin's process."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any

from sealpy.sdk.hooks import HookPoint
from sealpy.sdk.plugin import PluginContext, PluginFailure, PluginHost
from sealpy.sdk.steps import Ask, Call, Fetch, On, Put, Result, Run, Send, Step, Wait

__all__ = [
    "WireError",
    "decode_context",
    "decode_result",
    "decode_step",
    "encode_context",
    "encode_result",
    "encode_step",
]

JSON = dict[str, object]


class WireError(ValueError):
    """Refuse a message that is not what the protocol says."""


def encode_step(step: Step) -> JSON:
    """Turn a step into JSON; raises PluginFailure for what is no step, or holds a function and cannot travel."""
    match step:
        case On():
            return {"kind": "on", "address": step.address, "step": encode_step(step.step)}
        case Run():
            run = {"sample": _pack(step.sample), "check": step.check, "live": step.live}
            return {"kind": "run", **_command(step), **run}
        case Ask():
            return {"kind": "ask", **_command(step)}
        case Fetch():
            return {"kind": "fetch", "title": step.title, "path": step.path, "sensitive": step.sensitive}
        case Wait() if step.argv:
            words = {"title": step.title, "argv": list(step.argv)}
            return {"kind": "wait", **words, "timeout": step.timeout, "pause": step.pause}
        case Put():
            words = {"title": step.title, "path": step.path, "content": _pack(step.content)}
            return {"kind": "put", **words, "mode": step.mode, "sensitive": step.sensitive}
        case Wait() | Send() | Call():
            raise PluginFailure(
                f"step {step.title!r} ({type(step).__name__}) holds a function of the plugin, which cannot leave its"
                " process; use Run, Put, or a Wait with a command"
            )
        case _:
            raise PluginFailure(f"gave {_short(step)}, which is no step")


def _command(step: Ask | Run) -> JSON:
    return {
        "title": step.title,
        "argv": list(step.argv),
        "stdin": _pack(step.stdin),
        "env": [list(pair) for pair in step.env],
        "timeout": step.timeout,
        "sensitive": step.sensitive,
    }


def decode_step(data: object) -> Step:
    """Read a step back; raises WireError."""
    fields = _Fields(data)
    kind = fields.text("kind")
    if kind == "on":
        inner = decode_step(fields.any("step"))
        if isinstance(inner, On):
            raise WireError("an 'on' inside an 'on'")
        return On(fields.text("address"), inner)
    if kind not in _DECODERS:
        raise WireError(f"kind {kind!r} of step is not known")
    try:
        return _DECODERS[kind](fields)
    except ValueError as error:
        raise WireError(str(error)) from error


def _ask(fields: _Fields) -> Step:
    return Ask(fields.text("title"), *fields.words("argv"), **_given(fields, _COMMAND))


def _run(fields: _Fields) -> Step:
    return Run(fields.text("title"), *fields.words("argv"), **_given(fields, _COMMAND | _RUN))


def _fetch(fields: _Fields) -> Step:
    return Fetch(fields.text("title"), fields.text("path"), **_given(fields, _SENSITIVE))


def _wait(fields: _Fields) -> Step:
    return Wait(fields.text("title"), *fields.words("argv"), **_given(fields, _WAIT))


def _put(fields: _Fields) -> Step:
    path, content = fields.text("path"), fields.bytes("content")
    return Put(fields.text("title"), path, content, **_given(fields, _PUT))


# What a step may say, and how it is read; what it does not say is as the step itself has it.
_Readers = Mapping[str, Callable[["_Fields", str], Any]]


def _given(fields: _Fields, readers: _Readers) -> dict[str, Any]:
    return {name: read(fields, name) for name, read in readers.items() if fields.has(name)}


_DECODERS: Mapping[str, Callable[[_Fields], Step]] = {
    "ask": _ask,
    "run": _run,
    "fetch": _fetch,
    "wait": _wait,
    "put": _put,
}


def encode_result(result: Result) -> JSON:
    """Turn a result into JSON; its `value` stays behind, as only a `Call` has one."""
    streams = {"stdout": _pack(result.stdout), "stderr": _pack(result.stderr)}
    return {"exit_status": result.exit_status, **streams, "sample": result.sample}


def decode_result(data: object) -> Result:
    """Read a result back; raises WireError."""
    fields = _Fields(data)
    return Result(
        exit_status=int(fields.number("exit_status")),
        stdout=fields.bytes("stdout"),
        stderr=fields.bytes("stderr"),
        sample=fields.flag("sample"),
    )


def encode_context(context: PluginContext) -> JSON:
    """Turn a context into JSON; the functions stay behind."""
    return {
        "plugin": context.plugin,
        "type": context.type,
        "hook": context.hook.value,
        "data": context.data,
        "cluster": context.cluster,
        "leader": context.leader,
        "hosts": [
            {"address": host.address, "name": host.name, "roles": list(host.roles), "env": dict(host.env)}
            for host in context.hosts
        ],
        "masters": list(context.masters),
        "workers": list(context.workers),
        "rootfs": context.rootfs,
        "env": dict(context.env),
        "rehearsal": context.rehearsal,
        "on": context.on,
        "timeout": context.timeout,
        "home": context.home,
    }


def decode_context(data: object) -> PluginContext:
    """Read a context back; raises WireError."""
    fields = _Fields(data)
    return PluginContext(
        plugin=fields.text("plugin"),
        type=fields.text("type"),
        hook=HookPoint(fields.text("hook")),
        data=fields.text("data"),
        cluster=fields.text("cluster"),
        leader=fields.text("leader"),
        hosts=tuple(_host(_Fields(host)) for host in fields.list("hosts")),
        masters=fields.words("masters"),
        workers=fields.words("workers"),
        rootfs=fields.text("rootfs"),
        env=fields.texts("env"),
        rehearsal=fields.flag("rehearsal"),
        on=fields.text("on"),
        timeout=fields.number("timeout"),
        home=fields.text("home"),
    )


def _host(fields: _Fields) -> PluginHost:
    address, name = fields.text("address"), fields.text("name")
    return PluginHost(address, name, fields.words("roles"), fields.texts("env"))


class _Fields:
    """Take typed fields out of what came over the pipe, and believe nothing."""

    def __init__(self, data: object) -> None:
        if not isinstance(data, dict):
            raise WireError(f"{_short(data)} stands where an object must")
        self._data: Mapping[str, object] = data

    def any(self, key: str) -> object:
        if key not in self._data:
            raise WireError(f"{key!r} is missing")
        return self._data[key]

    def has(self, key: str) -> bool:
        return key in self._data

    def text(self, key: str) -> str:
        if not isinstance(value := self.any(key), str):
            raise WireError(f"{key!r} is {_short(value)}, not text")
        return value

    def number(self, key: str) -> float:
        value = self.any(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WireError(f"{key!r} is {_short(value)}, not a number")
        return value

    def flag(self, key: str) -> bool:
        if not isinstance(value := self.any(key), bool):
            raise WireError(f"{key!r} is {_short(value)}, neither true nor false")
        return value

    def bytes(self, key: str) -> bytes:
        return b64decode(self.text(key), validate=True)

    def list(self, key: str) -> list[object]:
        if not isinstance(value := self.any(key), list):
            raise WireError(f"{key!r} is {_short(value)}, not a list")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        words = self.list(key)
        return tuple(_word(key, word) for word in words)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        pairs = self.list(key)
        return tuple(_pair(key, pair) for pair in pairs)

    def texts(self, key: str) -> dict[str, str]:
        if not isinstance(value := self.any(key), dict):
            raise WireError(f"{key!r} is {_short(value)}, not an object")
        return {str(name): _word(key, word) for name, word in value.items()}


def _word(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise WireError(f"{key!r} holds {_short(value)}, not text")
    return value


def _pair(key: str, value: object) -> tuple[str, str]:
    match value:
        case [str(name), str(text)]:
            return name, text
        case _:
            raise WireError(f"{key!r} holds {_short(value)}, not a name and a text")


def _pack(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line of the terminal


_SENSITIVE = {"sensitive": _Fields.flag}
_COMMAND = {"stdin": _Fields.bytes, "env": _Fields.pairs, "timeout": _Fields.number} | _SENSITIVE
_RUN = {"sample": _Fields.bytes, "check": _Fields.flag, "live": _Fields.flag}
_WAIT = {"timeout": _Fields.number, "pause": _Fields.number}
_PUT = {"mode": lambda fields, key: int(fields.number(key))} | _SENSITIVE
