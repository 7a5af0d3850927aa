from __future__ import annotations

import json

from sealpy.phases.adapt_dns import AdaptDns, without_forward
from sealpy.sdk import Result, Run
from sealpy.testing.builders import a_context, good_facts, walk

COREFILE = """\
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30
}"""
WITHOUT = """\
.:53 {
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    cache 30
}"""


def test_forward_is_taken_out_with_its_block_and_nothing_else() -> None:
    assert without_forward(COREFILE) == WITHOUT
    assert without_forward(WITHOUT) == WITHOUT
    assert without_forward(".:53 {\n    forward . 10.0.0.1\n    cache\n}") == ".:53 {\n    cache\n}"


def test_coredns_is_left_alone_where_every_host_has_a_name_server() -> None:
    assert AdaptDns().skip(a_context()) == "every host has a name server"


def test_one_host_without_a_name_server_is_enough_since_coredns_may_run_there() -> None:
    ctx = a_context()
    ctx.facts["10.0.0.2"] = good_facts(nameservers=())
    assert AdaptDns().skip(ctx) == ""
    steps, _ = walk(AdaptDns().steps(ctx, "10.0.0.1"), lambda _step: Result(stdout=COREFILE.encode()))
    patch = steps[1]
    assert isinstance(patch, Run)
    assert json.loads(patch.stdin) == {"data": {"Corefile": WITHOUT + "\n"}}


def test_a_corefile_that_was_adapted_before_is_not_written_again() -> None:
    steps, _ = walk(AdaptDns().steps(a_context(), "10.0.0.1"), lambda _step: Result(stdout=WITHOUT.encode()))
    assert len(steps) == 1
