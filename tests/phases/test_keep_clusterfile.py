from __future__ import annotations

from pathlib import Path

from sealpy.engine import Connections, Executor, Journal
from sealpy.phases.keep_clusterfile import KeepClusterfile
from sealpy.testing.builders import a_context
from sealpy.testing.connector import FakeConnector


def perform(home: Path, *, rehearsal: bool) -> None:
    ctx = a_context(home=home, document="kind: Cluster\n", rehearsal=rehearsal)
    journal = Journal(None, run="r", action="apply")
    executor = Executor(Connections(FakeConnector), emit=lambda _: None, journal=journal, rehearsal=rehearsal)
    KeepClusterfile().perform(ctx, executor)


def test_the_clusterfile_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    perform(tmp_path / "mine", rehearsal=False)
    kept = tmp_path / "mine" / "Clusterfile"
    assert kept.read_text() == "kind: Cluster\n"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_rehearsal_keeps_nothing(tmp_path: Path) -> None:
    perform(tmp_path / "mine", rehearsal=True)
    assert not (tmp_path / "mine").exists()
