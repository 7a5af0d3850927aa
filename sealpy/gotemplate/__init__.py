"""the `.tmpl` files of cluster images, as Go's text/template renders them.

Two decisions are sealpy's own, because a half-empty kubeadm file is found out much later: to put out a key that nobody
gave is an error (Go writes `<no value>`), and so is a `printf` whose value does not fit (Go writes `%!d(string=x)`). To
ask for such a key in `if`, `with`, `range`, `and`, `or`, `not`, `eq` and `ne` is none.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from sealpy.gotemplate.evaluator import evaluate
from sealpy.gotemplate.functions import FUNCTIONS
from sealpy.gotemplate.nodes import Template
from sealpy.gotemplate.parser import parse

__all__ = ["NO_VALUE", "render"]


NO_VALUE = "<no value>"
"""What Go puts out for a key that nobody gave."""


def render(text: str, values: Mapping[str, object], *, name: str, missing: str | None = None) -> str:
    """Fill a template; raises TemplateError with file, line and expression.

    Values are text, numbers, truth values, lists and mappings of these; None is as good as missing. `name` is what
    messages call the file. All values that are missing are reported together, unless `missing` is what is put out for
    each: that is for reading a template whose values are not all known yet.
    """
    return evaluate(_parsed(text, name), values, missing=missing)


@functools.lru_cache(maxsize=256)  # a template is filled for each host, and read for all of them once
def _parsed(text: str, name: str) -> Template:
    return parse(text, name=name, functions=FUNCTIONS)
