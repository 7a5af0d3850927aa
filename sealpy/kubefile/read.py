"""Nodes → instructions: arguments and variables put in, every problem of the file at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sealpy.errors import KubefileError, Place, Problem, counted
from sealpy.kubefile import rules
from sealpy.kubefile.grammar import GRAMMAR
from sealpy.kubefile.instructions import Instruction, Kubefile
from sealpy.kubefile.parse import Node, parse
from sealpy.kubefile.reader import Reader
from sealpy.kubefile.words import Variables, WordError

__all__ = ["Draft", "draft", "read"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold what could be read of a Kubefile, and every problem in its text.

    `unread` are the names of the instructions that could not be read, in capitals as far as they are known.
    """

    kubefile: Kubefile
    problems: tuple[Problem, ...]
    unread: frozenset[str]


def read(text: str, *, name: str, build_args: Mapping[str, str], arch: str) -> Kubefile:
    """Read the text of a Kubefile; raises one KubefileError that holds every problem."""
    found = draft(text, name=name, build_args=build_args, arch=arch)
    if found.problems:
        raise KubefileError(f"{name}: {counted(len(found.problems), 'problem')}", problems=found.problems)
    return found.kubefile


def draft(text: str, *, name: str, build_args: Mapping[str, str], arch: str) -> Draft:
    """Read the text of a Kubefile as far as that goes."""
    nodes, problems = parse(text, name=name)
    reader = Reader(name, Variables(build_args, arch))
    instructions: list[Instruction] = []
    unread: set[str] = set()
    if foreign := rules.foreign(nodes, GRAMMAR, name):
        problems = [foreign]
    else:
        for node in nodes:
            try:
                instructions += _instructions(reader, node)
            except WordError as error:
                unread.add(node.name)
                said = f"{node.name}: {error.message}" if node.name in GRAMMAR else error.message
                problems.append(Problem(said, Place(name, node.line), error.hint))
        problems += rules.check(nodes, instructions, GRAMMAR, name)
        problems += rules.unused_arguments(reader.variables, instructions, name)
    problems.sort(key=lambda problem: problem.place.line if problem.place else 0)
    kubefile = Kubefile(instructions=tuple(instructions), notices=tuple(reader.notices))
    return Draft(kubefile, tuple(problems), frozenset(unread))


def _instructions(reader: Reader, node: Node) -> list[Instruction]:
    read_one = GRAMMAR.get(node.name)
    if read_one is None:
        raise rules.unknown(node, GRAMMAR)
    return list(read_one(reader, node))
