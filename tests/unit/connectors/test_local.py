from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sealpy.connectors.local import LocalConnector
from sealpy.errors import CommandTimeoutError, HostError, TransferError


@pytest.fixture
def local() -> Iterator[LocalConnector]:
    made = LocalConnector("10.0.0.5")
    yield made
    made.close()


def test_it_speaks_under_the_address_it_was_given(local: LocalConnector) -> None:
    with pytest.raises(HostError, match=r"^10\.0\.0\.5: cannot run this command") as caught:
        local.run(("echo", "\0"))

    assert caught.value.host == "10.0.0.5"


def test_it_forwards_nothing_because_all_is_here(local: LocalConnector) -> None:
    with local.forward("127.0.0.1", 6443) as address:
        assert address == ("127.0.0.1", 6443)


def test_the_error_of_a_command_past_its_time_holds_what_it_said(local: LocalConnector) -> None:
    for allowed in (0.3, 3, 30):  # a busy machine may take its time to begin
        with pytest.raises(CommandTimeoutError) as caught:
            local.run(("sh", "-c", "echo pulling; echo slow >&2; sleep 60"), timeout=allowed)
        if "slow" in caught.value.tail:
            break

    assert caught.value.tail[:2] == ("pulling", "slow")
    assert caught.value.message.startswith("10.0.0.5: ")


def test_a_stream_past_its_time_is_ended(local: LocalConnector, tmp_path: Path) -> None:
    late = tmp_path / "late"
    with pytest.raises(CommandTimeoutError):
        local.stream(("sh", "-c", f"sleep 60; touch {late}"), [b"x"], timeout=0.2)

    assert local.run(("true",)).ok
    assert not late.exists()


def test_a_stream_that_fails_early_tells_why(local: LocalConnector) -> None:
    result = local.stream(("sh", "-c", "echo no space >&2; exit 1"), (b"x" * 65536 for _ in range(1000)))

    assert (result.exit_status, result.reason) == (1, "no space")


def test_a_stream_that_is_only_half_taken_is_no_success(local: LocalConnector) -> None:
    with pytest.raises(TransferError, match="before its input did"):
        local.stream(("head", "-c", "10"), (b"x" * 65536 for _ in range(1000)))


def test_much_input_that_a_command_does_not_want_is_no_failure(local: LocalConnector) -> None:
    assert local.run(("echo", "same"), stdin=b"x" * 1_000_000).text == "same"


def test_lines_of_a_command_with_much_input_are_told_too(local: LocalConnector) -> None:
    lines: list[str] = []

    local.run(("sh", "-c", "cat >/dev/null; echo one; echo two >&2"), stdin=b"x" * 1_000_000, on_line=lines.append)

    assert lines == ["one", "two"]


def test_a_shell_that_is_gone_is_begun_anew(local: LocalConnector) -> None:
    with pytest.raises(HostError, match="so its outcome is unknown"):
        local.run(("sh", "-c", "kill -9 $PPID $(awk '{print $4}' /proc/$PPID/stat)"))

    assert local.run(("echo", "again")).text == "again"


def test_a_failing_source_of_bytes_ends_the_command(local: LocalConnector, tmp_path: Path) -> None:
    whole = tmp_path / "whole"

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        local.stream(("sh", "-c", f"cat && touch {whole}"), broken())

    local.run(("true",))
    assert not whole.exists()
