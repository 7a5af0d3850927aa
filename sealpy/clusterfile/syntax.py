"""What is wrong with a text that is no YAML, in words that help."""

from __future__ import annotations

import re

import yaml

from sealpy.errors import Place, Problem

__all__ = ["syntax_problem"]

_STARS = re.compile(r":\s+\*{2,}\s*(#|$)")
_HINTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (_STARS, "stars stand for a secret that was taken out", "write the real value in quotes, or `passwordFrom:`"),
    (re.compile(r"^\s+\.\.\.\s*$"), "'...' is a placeholder", "write the fields it stands for, or remove it"),
    (re.compile(r"^\s*//"), "'//' begins no comment", "begin comments with '#'"),
    (re.compile(r"^ *\t"), "the line is indented by a tab", "indent by blanks"),
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
    context = f" {error.context}:" if error.context else ""
    return Problem(
        f"this is no YAML:{context} {error.problem}", Place(name, stopped + 1), "check indentation and quotes"
    )
