"""sealpy itself on many hosts: a run with a played Kubernetes, runs that find nothing to do, and plain tasks.

The tasks stand beside pyinfra and Ansible, which do the same on the same hosts, in turn. `PEERS` is a virtual
environment that has both: python3 -m venv PEERS && PEERS/bin/pip install pyinfra ansible-core.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sealpy.image.store import Store
from sealpy.testing.builders import a_stored_image
from tests.bench.fleet import Hosts, files, hosts

__all__ = ["Row", "scale"]

_HERE = Path(__file__).parent / "tasks"
_SOURCES = Path("/tmp/sealpy-bench-tasks")  # where the task lists of the peers look for it
_PEERS = Path(os.environ.get("PEERS") or Path.home() / ".cache" / "sealpy" / "tools" / "peers") / "bin"
_HOSTS_PYTHON = Path("/usr/bin/python3")  # what Ansible would find on a host
_PROGRAM = Path(sys.executable).with_name("sealpy")

Row = tuple[str, list[float], list[float], str]
"""What, our seconds, those of the faster peer, and the budget."""

_CLUSTERFILE = """\
kind: Cluster
metadata: {{name: fleet}}
spec:
  image: kubernetes:v1
  ssh: {{pk: {key}, port: "{port}"}}
  hosts:
    - {{ips: [{masters}], roles: [master]}}
    - {{ips: [{nodes}], roles: [node]}}
"""


@dataclass(frozen=True, slots=True)
class _Home:
    """Hold an operator's home, with an image and a Clusterfile for the hosts."""

    directory: Path

    def prepare(self, found: Hosts) -> None:
        a_stored_image(Store(self.directory / "home" / "images"), files(self.directory / "fleet"), name="kubernetes:v1")
        masters, nodes = ", ".join(found.addresses[:3]), ", ".join(found.addresses[3:])
        text = _CLUSTERFILE.format(key=found.key, port=found.port, masters=masters, nodes=nodes)
        (self.directory / "Clusterfile").write_text(text)

    def apply(self) -> tuple[float, list[dict[str, Any]]]:
        """Apply; gives the seconds of the whole process and its events."""
        kubeconfig = self.directory / "kubeconfig"
        env = {**os.environ, "SEALPY_HOME": str(self.directory / "home"), "KUBECONFIG": str(kubeconfig)}
        # the hosts share one network: they cannot play a firewall between them
        command = [_PROGRAM, "apply", "-f", self.directory / "Clusterfile", "--output", "json", "--skip", "ways"]
        seconds, done = _timed(command, env=env)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode:
            sys.exit(f"sealpy apply: {events[-1]}")
        return seconds, events


def scale(runs: int) -> Iterator[Row]:
    """Give every row."""
    with _fleet(5) as (home, _):
        first, _ = home.apply()
        yield "run of 3 + 2 with a played Kubernetes, first on these hosts", [first], [], "5 s"
        again = [home.apply() for _ in range(runs)]
        yield "5 hosts, nothing to change", [seconds for seconds, _ in again], [], "3 s, 3 round trips"
    with _fleet(100) as (home, found):
        home.apply()
        again = [home.apply() for _ in range(runs)]
        trips = max(_round_trips(events) for _, events in again)
        yield f"100 hosts, nothing to change, {trips} round trips a host", [s for s, _ in again], [], "10 s, 3"
        facts = [_phase(events, "gather_facts") for _, events in again]
        yield "facts of 100 hosts", facts, [], "3 s"
        yield (
            "100 hosts, `ssh HOST true` on each, 16 at once",
            [_bare(found) for _ in range(runs)],
            [],
            "none: the floor",
        )
        yield from _tasks(found, home.directory, runs)


class _fleet:  # noqa: N801 - a context manager, written as a function is
    def __init__(self, count: int) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="fleet-"))
        self._hosts = hosts(self._directory / "fleet", count)

    def __enter__(self) -> tuple[_Home, Hosts]:
        found = self._hosts.__enter__()
        home = _Home(self._directory)
        home.prepare(found)
        return home, found

    def __exit__(self, *_: object) -> None:
        self._hosts.__exit__(None, None, None)
        shutil.rmtree(self._directory)


def _round_trips(events: list[dict[str, Any]]) -> int:
    asked = Counter(e["host"] for e in events if e.get("event") == "step.finished" and e["kind"] in {"ask", "fetch"})
    return max(asked.values())


def _bare(found: Hosts) -> float:
    """Log in to every host by the ssh program, with the key exchange that sealpy takes; gives the seconds."""
    options = [f"-o{one}" for one in ("UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=no", "LogLevel=ERROR")]
    options += ["-Fnone", "-oKexAlgorithms=curve25519-sha256", "-oIdentitiesOnly=yes", f"-i{found.key}"]
    words = ["ssh", *options, f"-p{found.port}", "@", "true"]
    seconds, done = _timed(["xargs", "-P16", "-I@", *words], env=os.environ, text="\n".join(found.addresses))
    if done.returncode:
        sys.exit(f"ssh: {done.stderr[-1500:]}")
    return seconds


def _phase(events: list[dict[str, Any]], name: str) -> float:
    return next(float(e["seconds"]) for e in events if e.get("event") == "phase.finished" and e["phase"] == name)


# ---- plain tasks


def _tasks(found: Hosts, directory: Path, runs: int) -> Iterator[Row]:
    _SOURCES.mkdir(exist_ok=True)
    for number in range(3):
        (_SOURCES / str(number)).write_text(f"content {number}\n" * 50)
    ways = _ways(found, directory)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs):
        for name, once in ways.items():
            if name != "ansible" or not number:  # it takes minutes, and the faster one is what counts
                times[name].append(once())
    for peer in ("pyinfra", "ansible"):
        if peer in times:
            yield f"8 tasks on 100 hosts, beside {peer}", times["sealpy"], times[peer], "ratio 0.5"
    if len(times) == 1:
        yield f"8 tasks on 100 hosts; no peers in {_PEERS}", times["sealpy"], [], "ratio 0.5"


def _ways(found: Hosts, directory: Path) -> dict[str, Callable[[], float]]:
    known = directory / "home" / "known_hosts"
    words: list[Path | str] = [",".join(found.addresses), found.key, str(found.port), known]
    ways = {"sealpy": _once([sys.executable, _HERE / "sealpy_tasks.py", *words], {})}
    if not (_PEERS / "pyinfra").exists():
        return ways
    options = f"-i {found.key} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR"
    inventory = directory / "inventory.py"
    data = {"ssh_port": found.port, "ssh_key": str(found.key), "ssh_user": "root", "ssh_strict_host_key_checking": "no"}
    data["ssh_known_hosts_file"] = str(directory / "pyinfra-known")
    inventory.write_text(f"hosts = ({list(found.addresses)!r}, {data!r})\n")
    ways["pyinfra"] = _once([_PEERS / "pyinfra", "-y", inventory, _HERE / "pyinfra_tasks.py"], {})
    listed = directory / "inventory.ini"
    account = f"ansible_user=root ansible_port={found.port} ansible_ssh_common_args='{options}'"
    listed.write_text("[all]\n" + "".join(f"{address} {account}\n" for address in found.addresses))
    settings = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "50", "ANSIBLE_HOST_KEY_CHECKING": "0"}
    settings["ANSIBLE_PYTHON_INTERPRETER"] = str(_HOSTS_PYTHON if _HOSTS_PYTHON.exists() else sys.executable)
    ways["ansible"] = _once([_PEERS / "ansible-playbook", "-i", listed, _HERE / "ansible_tasks.yaml"], settings)
    return ways


def _once(command: list[Path | str], settings: Mapping[str, str]) -> Callable[[], float]:
    def once() -> float:
        seconds, done = _timed(command, env={**os.environ, **settings})
        if done.returncode:
            sys.exit(f"{command[0]}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return seconds

    return once


def _timed(
    command: list[Any], *, env: Mapping[str, str], text: str = ""
) -> tuple[float, subprocess.CompletedProcess[str]]:
    begun = time.perf_counter()
    done = subprocess.run(command, env=env, input=text, capture_output=True, text=True, check=False, timeout=900)
    return time.perf_counter() - begun, done
