"""What is wrong with a text that is no YAML, in words that help."""

from __future__ import annotations

import re

import yaml

from sealpy.errors import Place, Problem

__all__ = ["syntax_problem"]

_OPENING = {"]": "[", "}": "{"}
_STARS = re.compile(r":\s+\*{2,}\s*(#|$)")
_HINTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (_STARS, "stars stand for a secret that was taken out", "write the real value in quotes, or `passwordFrom:`"),
    (re.compile(r"^\s+\.\.\.\s*$"), "'...' is a placeholder", "write the fields it stands for, or remove it"),
    (re.compile(r"^\s*//"), "'//' begins no comment", "begin comments with '#'"),
    (re.compile(r"^ *\t"), "the line is indented by a tab", "indent by blanks"),
    (re.compile(r"^\s*(- +)?[A-Za-z]\w*:[^\s:/]"), "a blank is missing behind ':'", "write `key: value`"),
    (
        re.compile(r"\{\{"),
        "'{{' looks like a template",
        "a Clusterfile is no template: fill it in, or put it in quotes",
    ),
)


def syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    """Name the line and the likely cause; the cause often stands a line before the one at which the reader stopped."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem("the file holds signs that no text has", Place(name), "save it as UTF-8 text")
    stopped = error.problem_mark.line
    lines = text.split("\n")
    for number in (stopped, stopped - 1):
        line = lines[number] if 0 <= number < len(lines) else ""
        for pattern, message, hint in _HINTS:
            if pattern.search(line):
                return Problem(message, Place(name, number + 1), hint)
    message, hint = _reason(error, error.problem_mark, lines)
    return Problem(message, Place(name, stopped + 1), hint)


def _reason(error: yaml.MarkedYAMLError, at: yaml.Mark, lines: list[str]) -> tuple[str, str]:
    """Say what the reader of YAML did not expect; no value is shown, as it may be a secret."""
    line = lines[at.line] if at.line < len(lines) else ""
    said = error.problem or ""
    if match := re.search(r"expected ',' or '(.)'", said):
        closing = match[1]
        opened = error.context_mark.line + 1 if error.context_mark else at.line + 1
        what = f"'{_OPENING[closing]}' of line {opened}"
        return f"behind {what} ',' or '{closing}' is missing", f"put ',' between its items, and '{closing}' at its end"
    if re.search(r"expected (key|'-' indicator)|expected <block end>", said):
        if line[: at.column].strip():
            return (
                "something stands behind a value",
                "write one field a line, or all of them as {key: value, key: value}",
            )
        if "'-'" in said and error.context_mark and error.context_mark.column == at.column:
            return (
                "the line stands among the items of a list, and is none",
                "begin it with '- ', or indent it otherwise",
            )
        return "the line is not indented as those that it belongs to", "indent it by as many blanks as those"
    if "cannot start any token" in said:
        return f"'{line[at.column : at.column + 1]}' begins no value", "put the value in quotes"
    context = f" {error.context}:" if error.context else ""
    return f"this is no YAML:{context} {error.problem}", "check indentation and quotes"
