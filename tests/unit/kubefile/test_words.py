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
    ("$ABC", "$ABC"),
]


def variables() -> Variables:
    made = Variables({"GIVEN": "g"}, "arm64")
    made.declare("A", "1")
    made.env["EMPTY"] = ""
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


@pytest.mark.parametrize("word", ["$NO", "${NO}", "${", "${A", "${A:?x}", "${1}", "${A:-x"])
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
