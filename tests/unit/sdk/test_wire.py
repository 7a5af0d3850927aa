"""What travels between sealpy and a plugin's process comes out as it went in, or is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sealpy.sdk import (
    Ask,
    Call,
    Fetch,
    HookPoint,
    On,
    PluginContext,
    PluginFailure,
    PluginHost,
    Put,
    Result,
    Run,
    Step,
    Wait,
)
from sealpy.sdk.wire import (
    WireError,
    decode_context,
    decode_result,
    decode_step,
    encode_context,
    encode_result,
    encode_step,
)

STEPS: list[Step] = [
    Ask("a", "cat", "/x y", stdin=b"\x00\xff", env=[("K", "v w")], timeout=3.5, sensitive=True),
    Run("r", "true", sample=b"s", check=False, live=True, timeout=7.0),
    Fetch("f", "/etc/hosts", sensitive=True),
    Wait("w", "test", "-f", "/x", timeout=9.0, pause=0.5),
    Put("p", "/etc/x", b"\x00\x01", mode=0o600, sensitive=True),
    On("10.0.0.2", Run("r", "true")),
]
CONTEXT = PluginContext(
    plugin="p",
    type="T",
    hook=HookPoint.POST_INIT_HOST,
    data="ä\n",
    cluster="c",
    leader="10.0.0.1",
    hosts=(PluginHost("10.0.0.1", "one", ("master",), {"A": "1"}),),
    masters=("10.0.0.1",),
    workers=(),
    rootfs="/r",
    env={"B": "2"},
    rehearsal=True,
    on="/backup/etcd.db",
    timeout=90.0,
    home="/home/op/.sealpy/clusters/c",
)


def travel(message: dict[str, object]) -> Any:
    return json.loads(json.dumps(message))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
def test_a_step_comes_out_as_it_went_in(step: Step) -> None:
    assert decode_step(travel(encode_step(step))) == step


def test_a_result_comes_out_as_it_went_in() -> None:
    result = Result(exit_status=3, stdout=b"\xff", stderr=b"e", sample=True)
    assert decode_result(travel(encode_result(result))) == result


def test_a_context_comes_out_as_it_went_in() -> None:
    assert decode_context(travel(encode_context(CONTEXT))) == CONTEXT


@pytest.mark.parametrize("step", [Call("c", print), Wait("w", probe=str)], ids=lambda step: type(step).__name__)
def test_a_function_cannot_travel(step: Step) -> None:
    with pytest.raises(PluginFailure, match="holds a function of the plugin, which cannot leave its process"):
        encode_step(step)


RUN = encode_step(Run("r", "true"))
BAD: dict[str, object] = {
    "'run' stands where an object must": "run",
    "'kind' is missing": {},
    "kind 'call' of step is not known": {"kind": "call"},
    "an 'on' inside an 'on'": {"kind": "on", "address": "a", "step": {"kind": "on", "address": "b", "step": RUN}},
    "'title' is 3, not text": RUN | {"title": 3},
    "'argv' is 'true', not a list": RUN | {"argv": "true"},
    "'argv' holds 1, not text": RUN | {"argv": [1]},
    "has no command": RUN | {"argv": []},
    "'env' holds": RUN | {"env": [["A"]]},
    "'timeout' is True, not a number": RUN | {"timeout": True},
    "'check' is 1, neither true nor false": RUN | {"check": 1},
    "base64": RUN | {"stdin": "*"},
}


@pytest.mark.parametrize("reason", BAD)
def test_what_is_no_step_is_refused(reason: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_step(BAD[reason])
    assert reason.casefold() in str(caught.value).casefold()
