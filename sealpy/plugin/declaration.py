"""Read what a plugin's file says of itself, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from sealpy.errors import Place, PluginError, did_you_mean, known_words
from sealpy.sdk import HookPoint

__all__ = ["AT_ONCE", "DEADLINE", "Declaration", "read_declaration"]

DEADLINE = 600.0  # seconds of its own time that a plugin has at one hook point
AT_ONCE = 16  # hosts that a plugin works on at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Hold the literals at the top of a plugin's file and at the top of its class.

    `phases` are the hook points at which the type may be used (none: at all), `default` those at which a document
    that names no action fires, `timeout` the seconds of its own time that it has at one hook point, `parallel` how many
    hosts it works on at once. `selects` is false for a type whose documents do not choose hosts by `on`, but say there
    something of their own. `once` tells that it is called once at a hook point and looks after the hosts itself; what
    cannot be read is taken for a plugin that is called for each host.
    """

    type: str
    summary: str = ""
    phases: tuple[HookPoint, ...] = ()
    default: tuple[HookPoint, ...] = ()
    timeout: float = DEADLINE
    parallel: int = AT_ONCE
    selects: bool = True
    once: bool = False
    version: str = ""


def read_declaration(name: str, content: bytes, *, type_: str = "", attribute: str = "Plugin") -> Declaration:
    """Read a plugin's source; raises PluginError with the place of what is wrong or missing.

    What was installed has its type and attribute from its entry point; a bare file must say both itself.
    """
    module = _parse(name, content)
    names = dict(_top_names(module))
    if not type_:
        for wanted in ("PluginType", "Plugin"):
            if wanted not in names:
                raise PluginError(
                    f"no '{wanted}' at the top level of the file",
                    place=Place(name),
                    hint='a plugin has two: PluginType = "MY_TYPE", and Plugin, a class, instance or function',
                )
    plugin = names.get(attribute)
    attributes = dict(_assignments(plugin.body)) if isinstance(plugin, ast.ClassDef) else {}
    return Declaration(
        type=type_ or _type(name, names["PluginType"]),
        summary=_summary(module, plugin),
        phases=_points(name, attributes.get("phases")),
        default=_points(name, attributes.get("default")),
        timeout=_timeout(name, attributes.get("timeout")),
        parallel=_parallel(name, attributes.get("parallel")),
        selects=_selects(name, attributes.get("selects")),
        once=_once(plugin),
        version=_version(names.get("__version__")),
    )


def _parse(name: str, content: bytes) -> ast.Module:
    try:
        return ast.parse(content, filename=name)
    except (SyntaxError, ValueError) as error:
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
        raise PluginError(
            f"not Python: {error.args[0]}", place=Place(name, line), hint="mend the file, or take it away"
        ) from error


def _top_names(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    yield from _assignments(module.body)
    for node in module.body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name, node
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((alias.asname or alias.name, node) for alias in aliases)
            case _:
                pass


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value
            case _:
                pass


def _type(name: str, node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
        return node.value
    line = getattr(node, "lineno", 0)
    raise PluginError("PluginType must be a text, written out", place=Place(name, line), hint='PluginType = "MY_TYPE"')


def _points(name: str, node: ast.expr | None) -> tuple[HookPoint, ...]:
    if node is None:
        return ()
    items = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return tuple(_point(name, item) for item in items)


def _point(name: str, node: ast.expr) -> HookPoint:
    known = {member.name: member for member in HookPoint} | {member.value: member for member in HookPoint}
    match node:
        case ast.Constant(value=str(word)) | ast.Attribute(value=ast.Name(id="HookPoint"), attr=word):
            if word in known:
                return known[word]
        case _:
            word = ast.unparse(node)
    points = [point.value for point in HookPoint]
    hint = did_you_mean(word, points) or known_words(points)
    raise PluginError(f"'{word}' is no hook point", place=Place(name, node.lineno), hint=hint)


def _timeout(name: str, node: ast.expr | None) -> float:
    match node:
        case None:
            return DEADLINE
        case ast.Constant(value=int() | float() as seconds) if seconds is not True and seconds > 0:
            return float(seconds)
        case _:
            raise PluginError(
                "timeout must be a number of seconds, written out", place=Place(name, node.lineno), hint="timeout = 60"
            )


def _parallel(name: str, node: ast.expr | None) -> int:
    match node:
        case None:
            return AT_ONCE
        case ast.Constant(value=int() as hosts) if hosts is not True and hosts > 0:
            return hosts
        case _:
            raise PluginError(
                "parallel must be a number of hosts, written out", place=Place(name, node.lineno), hint="parallel = 1"
            )


def _selects(name: str, node: ast.expr | None) -> bool:
    match node:
        case None:
            return True
        case ast.Constant(value=bool() as selects):
            return selects
        case _:
            raise PluginError(
                "selects must be True or False, written out", place=Place(name, node.lineno), hint="selects = False"
            )


def _once(plugin: ast.AST | None) -> bool:
    match plugin:
        case ast.FunctionDef():
            return True
        case ast.ClassDef(body=body):
            return bool({"run", "Run"} & {node.name for node in body if isinstance(node, ast.FunctionDef)})
        case _:
            return False


def _version(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _summary(module: ast.Module, plugin: ast.AST | None) -> str:
    own = ast.get_docstring(plugin) if isinstance(plugin, ast.ClassDef | ast.FunctionDef) else None
    text = own or ast.get_docstring(module) or ""
    return text.strip().splitlines()[0].rstrip(".") if text.strip() else ""
