from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealpy.errors import KubefileError
from sealpy.kubefile import App, AppCmds, Arg, Cmd, Cmds, Copy, Env, From, Instruction, Label, Launch, Run, load, loads


def read(text: str, **build_args: str) -> tuple[Instruction, ...]:
    return loads(f"FROM scratch\n{text}\n", build_args=build_args).instructions[1:]


def problems(text: str, **build_args: str) -> list[str]:
    with pytest.raises(KubefileError) as caught:
        loads(text, build_args=build_args)
    return [f"{problem} -> {problem.hint}" for problem in caught.value.problems]


MEANT: list[tuple[str, Instruction]] = [
    ("COPY a b c", Copy(line=2, sources=("a", "b"), destination="c")),
    ("copy ./bin /", Copy(line=2, sources=("./bin",), destination="/")),
    ('COPY "a b" c', Copy(line=2, sources=("a b",), destination="c")),
    ("COPY a b # comment", Copy(line=2, sources=("a",), destination="b")),
    ("COPY ${ARCH}/a $ARCH/b", Copy(line=2, sources=("amd64/a",), destination="amd64/b")),
    ("CMD helm install x --set a=1,b=2", Cmd(line=2, commands=("helm install x --set a=1,b=2",))),
    ("CMD  kubectl apply -f dir/*", Cmd(line=2, commands=("kubectl apply -f dir/*",))),
    ("CMD\tx", Cmd(line=2, commands=("x",))),
    ("CMD echo CMD y # z", Cmd(line=2, commands=("echo CMD y # z",))),
    ('CMD ["a, b", "c"]', Cmd(line=2, commands=("a, b", "c"))),
    ('CMD ["a"] # comment', Cmd(line=2, commands=("a",))),
    ('CMD ["a"] && b', Cmd(line=2, commands=('["a"] && b',))),
    ("CMD [ -f x ] && y", Cmd(line=2, commands=("[ -f x ] && y",))),
    ("CMDS kubectl get nodes", Cmds(line=2, commands=("kubectl get nodes",))),
    ('CMDS "/opt/x" y', Cmds(line=2, commands=('"/opt/x" y',))),
    ('CMDS "$HOME/my dir/x" y', Cmds(line=2, commands=('"$HOME/my dir/x" y',))),
    ('CMD "kubectl"', Cmd(line=2, commands=('"kubectl"',))),
    ("LAUNCH a b", Launch(line=2, apps=("a", "b"))),
    ('LAUNCH ["a","b"]', Launch(line=2, apps=("a", "b"))),
    ('LABEL "k"="v w" x=\'y\'', Label(line=2, values={"k": "v w", "x": "y"})),
    ('APPCMDS x\t["a", "b"]', AppCmds(line=2, app="x", commands=("a", "b"))),
    ("APPCMDS x  a b", AppCmds(line=2, app="x", commands=("a b",))),
    ("ENV A b c # comment", Env(line=2, values={"A": "b c"})),
    ("ENV A=1 B='# x' # comment", Env(line=2, values={"A": "1", "B": "# x"})),
    ("RUN a && b", Run(line=2, command="a && b")),
    ("APP x local://a https://h/b", App(line=2, name="x", sources=("local://a", "https://h/b"))),
    ("ARG A=1,B=2", Arg(line=2, name="A", value="1,B=2")),
    ("ARG A", Arg(line=2, name="A")),
]


@pytest.mark.parametrize(("text", "meaning"), MEANT)
def test_an_instruction_means_what_its_author_means(text: str, meaning: Instruction) -> None:
    assert read(text) == (meaning,)


def test_a_comment_behind_an_instruction_is_dropped_with_a_notice() -> None:
    found = loads('FROM scratch # base\nCMD ["a"] # run\n')
    assert [str(notice) for notice in found.notices] == [
        "Kubefile:1: FROM: '# base' is taken for a comment",
        "Kubefile:2: CMD: '# run' is taken for a comment",
    ]


def test_an_argument_given_goes_before_its_default() -> None:
    text = "ARG TAG=v1\nFROM x:${TAG}\nCMD echo $TAG\n"
    assert loads(text).instructions[1:] == (From(line=2, image="x:v1"), Cmd(line=3, commands=("echo v1",)))
    assert loads(text, build_args={"TAG": "v2"}).instructions[1] == From(line=2, image="x:v2")


def test_a_base_named_by_an_undeclared_variable_needs_the_argument() -> None:
    assert "--build-arg TAG=..." in problems("FROM x:${TAG}\n")[0]
    assert loads("FROM x:${TAG}\n", build_args={"TAG": "v2"}).instructions == (From(line=1, image="x:v2"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM scratch\nARG VERSION=1\n", "did you mean 'VERSION'?"),
        ("FROM scratch\nARG Other=1\n", "the Kubefile declares Other"),
        ("FROM scratch\n", "the Kubefile declares no ARG"),
    ],
)
def test_an_argument_that_nothing_uses_is_an_error_with_the_nearest_name(text: str, expected: str) -> None:
    assert problems(text, VERSON="2") == [f"Kubefile: --build-arg VERSON: no instruction uses it -> {expected}"]


REFUSED = [
    ("FROM\n", "FROM: an image is missing"),
    ("FROM a .\n", "FROM: takes one image, not also '.'"),
    ("FROM a AS b\n", "a Kubefile has one stage"),
    (
        "FROM --platform=linux/amd46 a\n",
        "FROM: --platform=linux/amd46: processor 'amd46' is unknown -> did you mean 'amd64'",
    ),
    ("FROM --pull=x a\n", "FROM: flag '--pull' is unknown"),
    ("FROM a\nFROM b\n", "FROM stands twice (first on line 1)"),
    ("COPY a b\nFROM a\n", "COPY stands before FROM"),
    ("FROM a\nCOPY --from=0 c d\n", "COPY: --from=0: a Kubefile has one stage"),
    ("FROM a\nCOPY --from=b <<EOF d\nx\nEOF\n", "COPY: --from is for files of an image"),
    ("FROM a\nADD --from=b c d\n", "ADD: flag '--from' is unknown"),
    ("FROM a\nCOPY\n", "COPY: source and destination are missing"),
    ("FROM a\nARG a-b\n", "ARG: 'a-b' cannot be a name"),
    ("FROM a\nENV X\n", "ENV: 'X' has no value"),
    ("FROM a\nENV X=1 Y\n", "ENV: 'Y' is not NAME=value"),
    ("FROM a\nAPP\n", "APP: the name of an app is missing"),
    ("FROM a\nAPP x git://y\n", "APP: scheme 'git' is unknown"),
    ("FROM a\nAPP x local://\n", "APP: 'local://' names nothing"),
    ("FROM a\nAPP x local://a\nCNI x local://b\n", "app 'x' stands twice (first on line 2)"),
    ("FROM a\nAPPCMDS x\n", "APPCMDS: a command is missing"),
    ("FROM a\nAPPENV x\n", "APPENV: a name and a value are missing"),
    ("FROM a\nCMD [1]\n", "CMD: the list holds something that is no text"),
    ("FROM a\nCMD []\n", "CMD: a command is missing"),
    ("FROM a\nCMD a\nCMDS b\n", "CMDS cannot stand beside CMD (line 2)"),
    ("FROM a\nLAUNCH []\n", "LAUNCH: names no app"),
    ('FROM a\nCMDS "kubectl get nodes"\n', 'to a shell -> write ["kubectl get nodes"]'),
    ("FROM a\nCMDS 'a b,c' , 'd'\n", 'to a shell -> write ["a b,c", "d"]'),
    ("FROM a\nCMD \"sh -c 'a b'\"\n", "CMD: a command in quotes is the name of one program"),
    ('FROM a\nAPPCMDS x "kubectl apply -f a"\n', "APPCMDS: a command in quotes is the name of one program"),
    ("FROM a\nMAINTAINER\n", "MAINTAINER: a name is missing"),
    ('FROM a\nKUBEVERSION ">= x"\n', "Kubefile:2: KUBEVERSION: '>= x' is no version or range of versions"),
    ("FROM a\nKUBEVERSION\n", "KUBEVERSION: a version is missing"),
    ("FROM a\nEXPOSE 80\n", "'EXPOSE' has no meaning in a cluster image"),
    ("FROM a\n...\n", "'...' is no instruction"),
    ("pipeline {\n", "it looks like a pipeline of Jenkins"),
    ("A=1\nB=2\n", "it looks like a file of settings"),
    ("<html>\n", "it looks like markup"),
    ("---\nx: y\n", "it looks like Kubernetes YAML"),
    ("abc def\n", "this is no Kubefile: it begins with 'abc def'"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_cannot_be_meant_is_refused_with_what_to_write(text: str, message: str) -> None:
    (problem,) = problems(text)
    assert message in problem
    assert not problem.endswith("-> ")


def test_a_file_is_read_and_named_in_messages(tmp_path: Path) -> None:
    file = tmp_path / "Kubefile"
    file.write_text("FROM x:$V\n")
    assert load(file, build_args={"V": "1"}).instructions == (From(line=1, image="x:1"),)
    with pytest.raises(KubefileError) as caught:
        load(file)
    assert str(caught.value.problems[0]).startswith(f"{file}:1: FROM: variable 'V'")


def test_a_file_that_cannot_be_read_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(KubefileError, match="no such file or directory") as caught:
        load(tmp_path / "missing")
    assert caught.value.hint
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KubefileError, match="the file is no text"):
        load(tmp_path / "binary")


PIECES = ["FROM ", "COPY ", "CMD ", "ENV ", "APP ", "LAUNCH ", "a", "=", " ", "\n", "\\", '"', "'", "[", "]", ",", "$",
          "${", "}", ":-", "<<E", "#", "local://", "\t", "\r"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(KubefileError):
        assert loads(text).instructions
