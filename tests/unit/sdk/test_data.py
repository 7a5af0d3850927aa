from __future__ import annotations

from sealpy.sdk.data import is_address, numbered_lines


def test_lines_keep_their_numbers_past_blanks_and_comments() -> None:
    assert list(numbered_lines("# hosts\n\n a  b # c\nd\n")) == [(3, ["a", "b"]), (4, ["d"])]


def test_addresses_of_both_families_are_told_from_words() -> None:
    assert [is_address(text) for text in ("10.0.0.1", "fd00::1", "10.0.0", "host")] == [True, True, False, False]
