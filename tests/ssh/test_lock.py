"""One run at a time on a cluster: the lock lives as long as the connection, and as long as what it had begun."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from sealpy.connectors.ssh import SshConnector
from sealpy.errors import HostError
from sealpy.phases.connect import _LOG_IN
from sealpy.sdk import Result
from sealpy.testing.sshd import Sshd, sshd
from tests.faults import Fault
from tests.ssh.conftest import Client
from tests.ssh.test_kube_door import END_THE_CONNECTION

pytestmark = pytest.mark.ssh


def log_in(connector: SshConnector, lock: Path, who: str, *, wait: int = 20) -> Result:
    return connector.run(("sh", "-c", _LOG_IN, "sh", str(lock), who, str(wait)), timeout=wait + 10)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "run" / "x.lock"


def killed(client: Client, server: Sshd, lock: Path, *, meanwhile: str) -> None:
    """Hold the lock, begin a command, and lose the connection as a run does that is killed."""
    connector = client.to(server)
    assert log_in(connector, lock, "the first").text == "0"
    with pytest.raises(HostError):
        connector.run(("sh", "-c", f"({END_THE_CONNECTION}) & {meanwhile}"))


def test_the_second_run_is_told_who_is_busy_until_the_first_one_ends(
    client: Client, tmp_path: Path, lock: Path
) -> None:
    with sshd(tmp_path / "a") as server:
        first, second = client.to(server), client.to(server)
        assert log_in(first, lock, "ann@here, process 1").text == "0"
        refused = log_in(second, lock, "bob")
        assert (refused.exit_status, refused.reason) == (75, "ann@here, process 1")
        first.close()
        assert log_in(second, lock, "bob").exit_status == 0


def test_a_run_that_was_killed_holds_nobody_up(client: Client, tmp_path: Path, lock: Path, fault: Fault) -> None:
    with sshd(tmp_path / "a") as server:
        killed(client, server, lock, meanwhile="sleep 1")
        begun = time.monotonic()
        assert log_in(client.to(server), lock, "the second").exit_status == 0
    seconds = time.monotonic() - begun
    fault("a run loses its connection, its lock with it", "login", seen="the next run enters", second=seconds)


def test_what_a_killed_run_had_begun_is_waited_for(client: Client, tmp_path: Path, lock: Path, fault: Fault) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    with sshd(tmp_path / "a") as server:
        begun = time.monotonic()
        killed(client, server, lock, meanwhile=f"until [ -e '{go}' ]; do sleep 0.1; done; sleep 1; touch '{done}'")
        assert not done.exists()
        threading.Timer(2.0, go.touch).start()  # the second is there by then, or comes while that command lasts
        assert log_in(client.to(server), lock, "the second").exit_status == 0
        assert done.exists()
        seconds = time.monotonic() - begun
        assert seconds > 3
    seen = "the next run waits for that command"
    fault("likewise, in the middle of a command of 3 s", "login", seen=seen, second=seconds)


def test_one_run_may_reach_a_machine_by_two_addresses(client: Client, tmp_path: Path, lock: Path) -> None:
    with sshd(tmp_path / "a") as server:
        begun = time.monotonic()
        assert [log_in(client.to(server), lock, "ann, process 1").exit_status for _ in range(3)] == [0, 0, 0]
        assert time.monotonic() - begun < 20
        assert log_in(client.to(server), lock, "bob, process 2").exit_status == 75


def test_of_those_who_come_at_once_exactly_one_wins(client: Client, tmp_path: Path, lock: Path) -> None:
    with sshd(tmp_path / "a") as server:
        connectors = [client.to(server) for _ in range(4)]
        won: list[int] = []

        def race(connector: SshConnector) -> None:
            if log_in(connector, lock, f"process {id(connector)}").exit_status == 0:
                won.append(1)

        threads = [threading.Thread(target=race, args=(connector,)) for connector in connectors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [1]
