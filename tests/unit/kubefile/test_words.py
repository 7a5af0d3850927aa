from __future__ import annotations

import pytest

from sealpy.kubefile.words import Variables, WordError, split

SPLIT = [
    ("a b\tc", ["a", "b", "c"], ""),
    ('A="b c" d', ['A="b c"', "d"], ""),
    ("A='b \"c' d", ["A='b \"c'", "d"], ""),
    (r"a\ b c", [r"a\ b", "c"], ""),
    ("a b # it's a comment", ["a", "b"], "# it's a comment"),
    ("a#b '#c'", ["a#b", "'#c'"], ""),
    ("A=${B:-c d} ${E:-${F:-g h}} }", ["A=${B:-c d}", "${E:-${F:-g h}}", "}"], ""),
    (r"\${B c} '${D' e", [r"\${B", "c}", "'${D'", "e"], ""),
    ("", [], ""),
]

EXPAND = [
    ("plain", "plain"),
    ("$A/${A}b", "1/1b"),
    ("'$A'", "$A"),
    ('"$A b"', "1 b"),
    (r"\$A", "$A"),
    (r'"\$A \" \n"', r'$A " \n'),
    (r"a\ b", "a b"),
    ("${NO:-default}", "default"),
    ('${NO:-"two words"}', "two words"),
    ("${NO:-${A}}", "1"),
    ("${NO-x}${EMPTY-x}${EMPTY:-y}", "xy"),
    ("${A:+set}${NO:+set}${EMPTY:+set}${EMPTY+set}", "setset"),
    ("${NO:-}", ""),
    ("${A:?never said}${EMPTY?}", "1"),
    ("${FILE#*/}|${FILE##*/}|${FILE#x}", "b/c.tar.gz|c.tar.gz|a/b/c.tar.gz"),
    ("${FILE%.*}|${FILE%%.*}|${FILE%x}", "a/b/c.tar|a/b/c|a/b/c.tar.gz"),
    ("${FILE/[/x}", "a/b/c.tar.gz"),
    ("${DOTS/./-}|${DOTS//./-}|${DOTS//?/x}", "1-2.3|1-2-3|xxxxx"),
    ("${DOTS//./$A}", "11213"),
    ("$", "$"),
    ("a$(date)", "a$(date)"),
    ("$ARCH", "arm64"),
    ("$GIVEN", "g"),
]

COMMANDS = [
    ("echo ${A} $A", "echo 1 1"),
    ("echo ${A:-x}", "echo 1"),
    ("echo $HOME ${HOME:-x} $(A) ${#A} $1", "echo $HOME ${HOME:-x} $(A) ${#A} $1"),
    (r"echo \$A '$B'", r"echo \$A '$B'"),
    ("echo ${A:-${HOME}} ${A:+$HOME} ${A%1}x ${HOME%1}", "echo 1 ${HOME} x ${HOME%1}"),
    ("$ABC", "$ABC"),
]


def variables() -> Variables:
    made = Variables({"GIVEN": "g"}, "arm64")
    made.declare("A", "1")
    made.env |= {"EMPTY": "", "FILE": "a/b/c.tar.gz", "DOTS": "1.2.3"}
    return made


@pytest.mark.parametrize(("text", "words", "comment"), SPLIT)
def test_words_end_at_blanks_outside_of_quotes(text: str, words: list[str], comment: str) -> None:
    assert split(text) == (words, comment)


@pytest.mark.parametrize(("word", "expanded"), EXPAND)
def test_a_word_loses_its_quotes_and_gains_its_variables(word: str, expanded: str) -> None:
    assert variables().expand(word) == expanded


@pytest.mark.parametrize(("text", "expanded"), COMMANDS)
def test_in_a_command_only_declared_arguments_are_put_in(text: str, expanded: str) -> None:
    assert variables().expand_command(text) == expanded


def test_in_a_here_document_quotes_are_text_and_a_dollar_can_be_escaped() -> None:
    text = """it's "$A" \\n \\$A ${NO:-'x'}\n"""
    assert variables().expand_document(text) == """it's "1" \\n $A 'x'\n"""


def test_what_is_not_closed_is_shown_by_its_first_line() -> None:
    with pytest.raises(WordError) as caught:
        variables().expand_document("a ${A:-x\nand more\n")
    assert caught.value.message == "'a ${A:-x…' is not closed"


# what is not closed → what is to be added, so that typing it is enough
OPEN = [("${A", "write"), ("${A:-x", "add }"), ("${A/", "write ${NAME/pattern/other}")]
OPEN += [("${A//", "write ${NAME/pattern/other}"), ("${A//x/y", "add }"), ("${A/x/", "add }"), ('${A:-"x', 'add "')]


@pytest.mark.parametrize(("word", "hint"), OPEN)
def test_what_closes_a_variable_is_named(word: str, hint: str) -> None:
    with pytest.raises(WordError) as caught:
        variables().expand(word)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "word", ["$NO", "${NO}", "${", "${A", "${NO:?x}", "${NO?}", "${1}", "${A/x}", "${NO%x}", "${A:-x"]
)
def test_a_variable_that_is_not_known_or_not_closed_is_refused(word: str) -> None:
    with pytest.raises(WordError):
        variables().expand(word)


@pytest.mark.parametrize("text", ['a "b', "a 'b", 'a "b\\"'])
def test_a_quote_that_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(WordError):
        split(text)


def test_the_environment_goes_before_an_argument_and_what_is_given_before_its_default() -> None:
    made = Variables({"A": "given"}, "amd64")
    assert made.declare("A", "default") == "given"
    assert made.expand("$A") == "given"
    made.env["A"] = "env"
    assert made.expand("$A") == "env"
