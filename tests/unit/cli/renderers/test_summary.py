from __future__ import annotations

from sealpy.cli.renderers.progress import Progress
from sealpy.cli.renderers.summary import summary
from sealpy.events import PhaseFinished, RunStarted

HOSTS = tuple(f"10.0.0.{n}" for n in range(100))


def test_of_many_hosts_only_those_that_failed_are_listed() -> None:
    progress = Progress()
    progress.apply(RunStarted(run="r", action="apply", cluster="c", hosts=HOSTS), time=0)
    failed = (("10.0.0.7", "10.0.0.7: disk full"),)
    progress.apply(PhaseFinished(phase="d", title="Distribute", seconds=2, changed=99, failed=failed), time=2)
    assert list(summary(progress)) == [
        "",
        "HOST       CHANGED   STATE",
        "10.0.0.7   0         failed: disk full",
        "+ 99 hosts, all well",
        "",
        "PHASE        TIME",
        "Distribute   2.0 s",
        "all phases   2.0 s",
        "",
    ]


def test_a_run_without_hosts_and_phases_has_no_tables() -> None:
    assert list(summary(Progress())) == []
