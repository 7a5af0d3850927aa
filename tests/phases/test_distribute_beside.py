"""A host of the registry is given another image beside the one before, once, and loses that one at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from sealpy.context import Context
from sealpy.image.store import Store
from sealpy.phases.distribute_beside import DistributeBeside, RemoveSuperseded, has_image
from sealpy.sdk import Ask, Result, Run, Send, Step
from sealpy.testing.builders import a_context, a_stored_image, good_facts

MASTER, WORKER = "10.0.0.1", "10.0.0.2"
THERE = b"file 644 ab - registry/old\n=ab  registry/old\n"


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    made = a_context(image=a_stored_image(Store(tmp_path), {"bin/kubelet": b"new", "registry/new": b"n"}))
    for name, host in (("a", MASTER), ("b", WORKER)):
        made.facts[host] = good_facts(name, marks={"rootfs": "before"})
    return made


def deliver(ctx: Context, host: str, *, there: bytes = THERE) -> tuple[list[Step], object]:
    """Answer what is asked, and give what else is to be done, and what comes of it."""
    done: list[Step] = []
    steps = DistributeBeside().steps(ctx, host)
    answer = Result()
    try:
        step = next(steps)
        while True:
            if isinstance(step, Ask):
                answer = Result(stdout=there if "registry has" in step.title else b"")
            else:
                done.append(step)
                answer = Result()
            step = steps.send(answer)
    except StopIteration as end:
        return done, end.value


def test_what_the_registry_had_is_kept_and_a_cut_run_finds_both(ctx: Context) -> None:
    (send, mark), keeps = deliver(ctx, MASTER)
    assert isinstance(send, Send | Run)
    assert isinstance(mark, Run)
    assert keeps
    together = send.argv[-1]
    assert together != ctx.tree(MASTER).digest
    ctx.facts[MASTER] = good_facts("a", marks={"rootfs": together, mark.argv[-2]: mark.argv[-1]})
    assert has_image(ctx, MASTER)
    assert deliver(ctx, MASTER) == ([], True), "there is still something to take away"
    ctx.facts[MASTER] = good_facts("a", marks={"rootfs": "another", mark.argv[-2]: mark.argv[-1]})
    assert not has_image(ctx, MASTER), "the mark is of files that are not there any more"


@pytest.mark.parametrize(("host", "there"), [(WORKER, THERE), (MASTER, b"")])
def test_a_host_that_keeps_nothing_has_the_image_alone(ctx: Context, host: str, there: bytes) -> None:
    (send,), keeps = deliver(ctx, host, there=there)
    assert isinstance(send, Send | Run)
    assert (send.argv[-1], keeps) == (ctx.tree(host).digest, False)
    ctx.facts[host] = good_facts(marks={"rootfs": ctx.tree(host).digest})
    assert deliver(ctx, host) == ([], False)


def test_only_who_kept_something_is_concerned_at_the_end(ctx: Context) -> None:
    assert RemoveSuperseded().skip(ctx)
    DistributeBeside().finish(ctx, {MASTER: True, WORKER: False})
    assert (RemoveSuperseded().hosts(ctx), RemoveSuperseded().skip(ctx)) == ((MASTER,), "")
