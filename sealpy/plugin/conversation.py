"""Turn what a plugin yields, here or in its own process, into steps that the engine may perform."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial

from sealpy.errors import CommandError, InterruptedRunError, PluginBrokenError, PluginError, SealpyError
from sealpy.plugin.child import Child
from sealpy.plugin.deadline import Deadline
from sealpy.sdk import Call, On, PlainStep, PluginFailure, Result, Step, StepFailedError, Steps
from sealpy.sdk.wire import WireError, decode_step, encode_result

__all__ = ["child_steps", "supervise"]


def child_steps(child: Child, host: str) -> Steps:
    """Carry on the conversation with a plugin's process about one host; "" stands for the whole hook point."""
    answer = child.exchange({"call": "start", "host": host})
    while "done" not in answer:
        try:
            step = decode_step(answer.get("step"))
        except WireError as error:
            raise PluginBrokenError(f"sent a step that cannot be read: {error}") from error
        try:
            result = yield step
        except StepFailedError as error:
            failed = {"message": str(error), "result": encode_result(error.result) if error.result else None}
            answer = child.exchange({"call": "error", "host": host, **failed})
        else:
            answer = child.exchange({"call": "result", "host": host, "result": encode_result(result)})


def supervise(work: Steps, *, host: str, reachable: frozenset[str], limit: int, deadline: Deadline) -> Steps:
    """Pass steps on to the engine and what became of them back; hold the plugin to what it may do.

    The engine's errors reach the plugin as StepFailedError. One that it does not catch ends its work with the engine's
    error; what else it raises ends it with PluginError. A Ctrl-C is not the plugin's to catch.
    """
    try:
        step = _next(partial(next, work))
        for _ in range(limit):
            if step is None:
                return
            try:
                result = yield deadline.bound(_allowed(step, host, reachable))
            except InterruptedRunError:
                raise
            except SealpyError as error:
                step = _hand_over(work, error)
            else:
                step = _next(partial(work.send, result))
        raise PluginBrokenError(
            f"was ended: it yielded more than {limit} steps", hint="many files travel as one archive"
        )
    finally:
        work.close()


def _next(move: Callable[[], Step]) -> Step | None:
    try:
        return move()
    except StopIteration:
        return None
    except (PluginFailure, StepFailedError) as error:
        raise PluginError(str(error)) from error


def _hand_over(work: Generator[Step, Result, object], error: SealpyError) -> Step | None:
    """Tell the plugin that its step failed; what it does not catch goes on as it was."""
    try:
        return work.throw(StepFailedError(error.message, result=_result(error)))
    except StopIteration:
        return None
    except StepFailedError as same:
        raise error from same
    except PluginFailure as failure:
        raise PluginError(str(failure)) from error


def _result(error: SealpyError) -> Result | None:
    if not isinstance(error, CommandError):
        return None
    return Result(exit_status=error.exit_status, stderr="\n".join(error.tail).encode())


def _allowed(step: object, host: str, reachable: frozenset[str]) -> Step:
    """Check that this is a step, and for a host that is this operation's business."""
    if not isinstance(step, PlainStep | On):
        raise PluginBrokenError(f"yielded {step!r:.60}, which is no step", hint="yield Ask, Run, Put … of sealpy.sdk")
    if isinstance(step, On):
        if step.address not in reachable:
            raise PluginBrokenError(
                f"has no business on host '{step.address}': '{step.step.title}'",
                hint=f"this operation is about {', '.join(sorted(reachable))}",
            )
    elif not host and not isinstance(step, Call):  # which is performed here
        raise PluginBrokenError(f"run() yielded '{step.title}' for no host", hint="yield On(address, step)")
    return replace(step, function=partial(_called, step.function)) if isinstance(step, Call) else step


def _called(function: Callable[[], object]) -> object:
    """Call a built-in plugin's function; what it reports is an error like any other."""
    try:
        return function()
    except PluginFailure as failure:
        raise PluginError(str(failure)) from failure
