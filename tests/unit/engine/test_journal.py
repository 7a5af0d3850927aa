from __future__ import annotations

import json
from pathlib import Path

from sealpy.engine import Journal


def test_every_finished_step_is_one_line_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "my-cluster" / "journal.jsonl"
    journal = Journal(path, run="1", action="apply")
    journal.step(host="10.0.0.1", phase="distribute", kind="send", title="send 3 files")
    journal.finish(ok=True)
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == [
        "run.started",
        "step",
        "run.finished",
    ]
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_cut_run_had_done_is_known_to_the_next_run_of_the_same_action(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, run="1", action="apply").mark("plugin a")
    with path.open("a") as file:
        file.write('{"event": "mark", "ident')  # killed while it wrote
    again = Journal(path, run="2", action="apply")
    assert again.done("plugin a")
    assert not again.done("plugin b")
    again.mark("plugin b")
    assert Journal(path, run="3", action="apply").done("plugin b")


def test_a_run_that_ended_well_leaves_nothing_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = Journal(path, run="1", action="apply")
    first.mark("plugin a")
    first.finish(ok=True)
    assert not Journal(path, run="2", action="apply").done("plugin a")


def test_a_rehearsal_leaves_no_journal(tmp_path: Path) -> None:
    journal = Journal(None, run="1", action="apply")
    journal.mark("plugin a")
    journal.finish(ok=True)
    assert list(tmp_path.iterdir()) == []


def test_a_rehearsal_knows_what_a_cut_run_had_done_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, run="1", action="apply").mark("plugin a")
    before = path.read_text()
    rehearsal = Journal.rehearsing(path, run="2", action="apply")
    rehearsal.mark("plugin b")
    assert (rehearsal.done("plugin a"), rehearsal.done("plugin b")) == (True, False)
    assert path.read_text() == before


def test_what_an_apply_had_done_is_undone_by_a_delete_even_if_that_failed(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, run="1", action="apply").mark("plugin a")
    Journal(path, run="2", action="delete").finish(ok=False)
    assert not Journal(path, run="3", action="apply").done("plugin a")
