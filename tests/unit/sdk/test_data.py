from __future__ import annotations

import pytest

from sealpy.sdk.data import covers, hosts_problem, is_address, numbered_lines


def test_lines_keep_their_numbers_past_blanks_and_comments() -> None:
    assert list(numbered_lines("# hosts\n\n a  b # c\nd\n")) == [(3, ["a", "b"]), (4, ["d"])]


def test_addresses_of_both_families_are_told_from_words() -> None:
    assert [is_address(text) for text in ("10.0.0.1", "fd00::1", "10.0.0", "host")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "address", "covered"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1,10.0.0.4-10.0.0.7", "10.0.0.6", True),
        ("10.0.0.1,10.0.0.4-10.0.0.7", "10.0.0.3", False),
        ("fd00::1-fd00::ff", "fd00::1f", True),
        ("fd00:0:0::5", "fd00::5", True),
        ("0.0.0.1-0.0.0.9", "::5", False),
    ],
)
def test_a_list_of_hosts_covers_addresses(text: str, address: str, covered: bool) -> None:  # noqa: FBT001 - the expectation
    assert hosts_problem(text) == ""
    assert covers(text, address) is covered


@pytest.mark.parametrize("text", ["", "10.0.0.1,", "10.0.0.1-", "10.0.0.9-10.0.0.1", "10.0.0.1-fd00::1", "a-b-c"])
def test_what_is_no_list_of_hosts_is_told(text: str) -> None:
    assert hosts_problem(text)
    assert not covers(text, "10.0.0.5")
