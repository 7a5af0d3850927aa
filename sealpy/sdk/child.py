"""The process in which a plugin's code lives: takes calls from one pipe, answers with steps as data on another.

One JSON object a line. The host calls, the child answers, always in turn:

    {"call": "load", "file" | "archive" | "module", "context"} → {"ready": "steps" | "run"}
    {"call": "start", "host"}                                  → {"step"} | {"done"} | {"failed"}
    {"call": "result" | "error", "host", …}                    → {"step"} | {"done"} | {"failed"}
    {"call": "end"}                                            (no answer: the process ends)

Standard output and standard error belong to the plugin. The standard library alone, and as little of it as will do:
what is imported here is waited for each time a plugin is called.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from types import GeneratorType, ModuleType
from typing import IO

from sealpy.sdk.hooks import HookPoint
from sealpy.sdk.leash import adopt_orphans, die_with
from sealpy.sdk.plugin import PluginContext, PluginFailure, PluginHost
from sealpy.sdk.steps import On, Result, Step, StepFailedError
from sealpy.sdk.wire import decode_context, decode_result, encode_step

__all__ = ["main"]

Message = dict[str, object]
Work = Generator[Step, Result, None]

_MAIN = "__main__.py"


def main() -> None:
    """Serve the calls that come over the inherited file descriptors named in argv, until told to end."""
    calls, answers, lifeline = (int(word) for word in sys.argv[2:5])
    for descriptor in (calls, answers, lifeline):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 - takes no keyword; what the plugin starts has no part
    die_with(lifeline)
    adopt_orphans()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper: nothing replaced it yet
    with os.fdopen(calls, "rb") as reader, os.fdopen(answers, "wb") as writer:
        _Server(reader, writer).serve()


class _MistakeError(PluginFailure):
    """Tell the author of a plugin how one is written."""


class _Server:
    """Answer one call after the other."""

    def __init__(self, reader: IO[bytes], writer: IO[bytes]) -> None:
        self._reader = reader
        self._writer = writer
        self._begin: Callable[[str], Work] = _nothing_loaded
        self._work: dict[str, Work] = {}

    def serve(self) -> None:
        while (message := self._receive())["call"] != "end":
            try:
                answer = self._answer(message)
            except BaseException as error:  # noqa: BLE001 - whatever the plugin raises, sys.exit too, is told to the host
                answer = {"failed": _describe(error)}
            self._send(answer)

    def _receive(self) -> Message:
        line = self._reader.readline()
        message = json.loads(line) if line else {"call": "end"}
        if not isinstance(message, dict):
            raise TypeError("a call must be an object")
        return message

    def _send(self, message: Message) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._writer.write(json.dumps(message).encode() + b"\n")
        self._writer.flush()

    def _answer(self, message: Message) -> Message:
        match message:
            case {"call": "load", "context": data, **code}:
                plugin, context = _load(code), decode_context(data)
                style, self._begin = _open(plugin, context, self._channel)
                return {"ready": style}
            case {"call": "start", "host": str(host)}:
                self._work[host] = self._begin(host)
                return self._advance(host, next)
            case {"call": "result", "host": str(host), "result": data}:
                result = decode_result(data)
                return self._advance(host, lambda work: work.send(result))
            case {"call": "error", "host": str(host), **failure}:
                error = _failure(failure)
                return self._advance(host, lambda work: work.throw(error))
            case _:
                raise ValueError(f"call {message.get('call')!r} is not known")

    def _advance(self, host: str, move: Callable[[Work], Step]) -> Message:
        try:
            step = move(self._work[host])
        except StopIteration:
            return {"done": True}
        return {"step": encode_step(step)}

    def _channel(self, address: str, step: Step) -> Result:
        """Carry one step of the imperative style to the host and wait for what became of it."""
        if isinstance(step, On):
            raise PluginFailure("context.run and context.ask name the host themselves")
        self._send({"step": encode_step(On(address, step))})
        match self._receive():
            case {"call": "result", "result": result}:
                return decode_result(result)
            case {"call": "error", **failure}:
                raise _failure(failure)
            case _:
                raise SystemExit("sealpy ended the call")


def _nothing_loaded(_host: str) -> Work:
    raise ValueError("nothing is loaded")


def _load(code: Message) -> object:
    """Get what the plugin's author called `Plugin`."""
    match code:
        case {"file": str(name)}:
            with open(name, "rb") as file:  # noqa: PTH123 - pathlib costs 5 ms
                return _execute(name, file.read()).Plugin
        case {"archive": str(name)}:
            import zipimport  # noqa: PLC0415 - not needed for files

            sys.path.insert(0, os.path.abspath(name))  # noqa: PTH100 - likewise
            return _execute(_MAIN, zipimport.zipimporter(name).get_data(_MAIN)).Plugin
        case {"module": str(name), "attribute": str(attribute)}:
            import importlib  # noqa: PLC0415 - not needed for files

            found: object = importlib.import_module(name)
            for part in attribute.split("."):
                found = getattr(found, part)
            return found
        case _:
            raise ValueError("load names neither a file, nor an archive, nor a module")


def _execute(name: str, source: bytes) -> ModuleType:
    """Run a source as a module; tracebacks show its name alone."""
    module = ModuleType(f"sealpy_plugin_{name.removesuffix('.py')}")  # a plugin may be called json.py
    module.__file__ = name
    sys.modules[module.__name__] = module
    exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what the process is for
    return module


def _open(
    plugin: object, context: PluginContext, channel: Callable[[str, Step], Result]
) -> tuple[str, Callable[[str], Work]]:
    """Find out in which style the plugin is written and give the function that begins its work."""
    if isinstance(plugin, type):
        plugin = plugin()
    steps = getattr(plugin, "steps", None)
    run = getattr(plugin, "run", None) or getattr(plugin, "Run", None)
    if steps is not None and run is not None:
        raise _MistakeError("Plugin has both steps() and run(); which one is meant?")
    if steps is not None:
        return "steps", lambda address: _steps(steps, context, context.host(address))
    if run is None and callable(plugin):
        run = plugin
    if run is None:
        raise _MistakeError("Plugin has neither steps(context, host) nor run(context, phase), nor is it a function")
    return "run", lambda _: _run(run, replace(context, channel=channel))


def _steps(steps: Callable[[PluginContext, PluginHost], object], context: PluginContext, host: PluginHost) -> Work:
    work = steps(context, host)
    if work is not None:
        if not isinstance(work, GeneratorType):
            raise _MistakeError("steps() must yield its steps")
        yield from work


def _run(run: Callable[[PluginContext, HookPoint], object], context: PluginContext) -> Work:
    work = run(context, context.hook)
    if isinstance(work, GeneratorType):  # a run() that yields `On(address, step)` does as well
        yield from work


def _failure(data: Message) -> StepFailedError:
    result = data.get("result")
    return StepFailedError(str(data.get("message")), result=decode_result(result) if result is not None else None)


def _describe(error: BaseException) -> Message:
    """Say what the plugin raised: a sentence, and for what its author did not foresee a traceback."""
    if isinstance(error, _MistakeError):
        return {"kind": "mistake", "message": str(error)}
    if isinstance(error, PluginFailure):
        return {"kind": "failure", "message": str(error)}
    if isinstance(error, StepFailedError):
        return {"kind": "step", "message": str(error)}
    if isinstance(error, SystemExit):
        return {"kind": "exit", "message": f"called sys.exit({error.code!r})"}
    import traceback  # noqa: PLC0415 - only a failing plugin waits for it

    here = __file__.rpartition("/")[0]
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(here)]
    told = "".join(traceback.format_exception_only(type(error), error)).strip()
    if isinstance(error, ModuleNotFoundError) and sys.flags.no_site:
        told += ": a file has Python's own and sealpy.sdk; a zipapp brings others"
    return {"kind": "raised", "message": f"raised {told}", "traceback": "".join(traceback.format_list(frames))}
