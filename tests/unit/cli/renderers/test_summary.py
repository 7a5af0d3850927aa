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


def test_what_became_of_a_host_is_folded_to_the_width_of_the_screen() -> None:
    progress = Progress()
    progress.apply(RunStarted(run="r", action="apply", cluster="c", hosts=HOSTS[:1]), time=0)
    failed = (
        ("10.0.0.0", "10.0.0.0: cannot log in as 'root': it refuses the key ~/.ssh/id_ed25519, and asks for none"),
    )
    progress.apply(PhaseFinished(phase="d", title="Connect", seconds=2, changed=0, failed=failed), time=2)
    assert list(summary(progress, screen=80))[1:4] == [
        "HOST       CHANGED   STATE",
        "10.0.0.0   0         failed: cannot log in as 'root': it refuses the key",
        "                     ~/.ssh/id_ed25519, and asks for none",
    ]
