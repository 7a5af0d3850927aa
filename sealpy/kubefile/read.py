"""Nodes → instructions: arguments and variables put in, every problem of the file at once."""

from __future__ import annotations

from collections.abc import Mapping

from sealpy.errors import KubefileError, Place, Problem, counted
from sealpy.kubefile import rules
from sealpy.kubefile.grammar import GRAMMAR
from sealpy.kubefile.instructions import Instruction, Kubefile
from sealpy.kubefile.parse import Node, parse
from sealpy.kubefile.reader import Reader
from sealpy.kubefile.words import Variables, WordError

__all__ = ["read"]


def read(text: str, *, name: str, build_args: Mapping[str, str], arch: str) -> Kubefile:
    """Read the text of a Kubefile; raises one KubefileError that holds every problem."""
    nodes, problems = parse(text, name=name)
    reader = Reader(name, Variables(build_args, arch))
    instructions: list[Instruction] = []
    if foreign := rules.foreign(nodes, GRAMMAR, name):
        problems = [foreign]
    else:
        for node in nodes:
            try:
                instructions += _instructions(reader, node)
            except WordError as error:
                said = f"{node.name}: {error.message}" if node.name in GRAMMAR else error.message
                problems.append(Problem(said, Place(name, node.line), error.hint))
        problems += rules.check(nodes, instructions, GRAMMAR, name)
        problems += rules.unused_arguments(reader.variables, instructions, name)
    if problems:
        problems.sort(key=lambda problem: problem.place.line if problem.place else 0)
        raise KubefileError(f"{name}: {counted(len(problems), 'problem')}", problems=problems)
    return Kubefile(instructions=tuple(instructions), notices=tuple(reader.notices))


def _instructions(reader: Reader, node: Node) -> list[Instruction]:
    read_one = GRAMMAR.get(node.name)
    if read_one is None:
        raise rules.unknown(node, GRAMMAR)
    return list(read_one(reader, node))
