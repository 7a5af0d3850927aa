from __future__ import annotations

import pytest

from sealpy.kubefile.parse import HereDocument, Node, parse


def nodes(text: str) -> list[Node]:
    found, problems = parse(text, name="Kubefile")
    assert problems == []
    return found


CUT = [
    ("", []),
    ("# only a comment\n\n   \n", []),
    ("FROM scratch", [("FROM", "scratch", 1, 1)]),
    ("\ufefffrom scratch\r\n", [("FROM", "scratch", 1, 1)]),
    ("FROM scratch\n\n  # indented\n\tCOPY a b  \n", [("FROM", "scratch", 1, 1), ("COPY", "a b", 4, 4)]),
    ("CMD a \\\n  && b", [("CMD", "a   && b", 1, 2)]),
    ("CMD a \\  \n# comment\n\n  && b\nCMD c", [("CMD", "a   && b", 1, 4), ("CMD", "c", 5, 5)]),
    ("CMD a \\\\\nCMD b", [("CMD", "a \\\\", 1, 1), ("CMD", "b", 2, 2)]),
    ("CMD a \\", [("CMD", "a", 1, 1)]),
    ("# escape=`\nCMD a `\nb\\\nCMD c", [("CMD", "a b\\", 2, 3), ("CMD", "c", 4, 4)]),
    ('CMD [ "a",\n  "b" ]\nCMD c', [("CMD", '[ "a", "b" ]', 1, 2), ("CMD", "c", 3, 3)]),
    ('CMD [ "$A" = b ] && c\nCMD d', [("CMD", '[ "$A" = b ] && c', 1, 1), ("CMD", "d", 2, 2)]),
    ('CMD ["{.items[0]", "b"]', [("CMD", '["{.items[0]", "b"]', 1, 1)]),
    ('CMD ["never closed\nCMD d', [("CMD", '["never closed', 1, 1), ("CMD", "d", 2, 2)]),
]


@pytest.mark.parametrize(("text", "expected"), CUT)
def test_a_kubefile_is_cut_into_nodes_with_their_lines(text: str, expected: list[tuple[str, str, int, int]]) -> None:
    assert [(node.name, node.text, node.line, node.end) for node in nodes(text)] == expected


def test_a_here_document_belongs_to_its_instruction() -> None:
    first, second = nodes("RUN <<EOT\n# text\nFROM x\nEOT\nCMD b")
    assert first.here == (HereDocument("EOT", "# text\nFROM x\n"),)
    assert (first.end, second.line) == (4, 5)


def test_a_here_document_with_a_dash_loses_its_tabs() -> None:
    (node,) = nodes("CMD cat <<-'EOT' | x\n\t\ta\n\tEOT\n")
    assert node.here == (HereDocument("EOT", "a\n", quoted=True),)


def test_several_here_documents_follow_one_another() -> None:
    (node,) = nodes("RUN cat <<A <<B\n1\nA\n2\nB\n")
    assert node.here == (HereDocument("A", "1\n"), HereDocument("B", "2\n"))


@pytest.mark.parametrize("text", ["CMD cat <<<EOT", "RUN echo 'a <<b'", 'RUN echo "a \\" <<b"', "RUN echo $((1<<N))"])
def test_what_only_looks_like_one_is_no_here_document(text: str) -> None:
    (node,) = nodes(text)
    assert node.here == ()


def test_a_here_document_of_copy_may_be_named_like_a_file() -> None:
    (node,) = nodes("COPY <<a.yaml <<'b-1.txt' etc/\n1\na.yaml\n2\nb-1.txt\n")
    assert node.here == (HereDocument("a.yaml", "1\n"), HereDocument("b-1.txt", "2\n", quoted=True))


@pytest.mark.parametrize(
    ("text", "problem"),
    [("RUN <<EOT\nx\n", "Kubefile:1: '<<EOT' is not closed"), ("# escape=x\n", "Kubefile:1: '# escape=x' is not")],
)
def test_what_cannot_be_cut_is_a_problem_with_its_line(text: str, problem: str) -> None:
    _, problems = parse(text, name="Kubefile")
    assert str(problems[0]).startswith(problem)
