"""Debian machines on this computer, by systemd-nspawn: real systemd, real sshd, a network of their own, no way out.

A machine costs about a second and 300 MB of disk once for all of them. What one is made of stands in `guest.py`; the
wire between them in `network.py`; what they may use in `control_groups.py`; what they share in `recipe.py`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Network
from pathlib import Path

from sealpy.disk import make_private, write_whole
from sealpy.errors import ConfigError, MachineError
from sealpy.events import Emit, TaskFinished, TaskProgress
from sealpy.machines import root_file_system
from sealpy.machines.control_groups import ControlGroups, Limits, read_mounts
from sealpy.machines.guest import Guest
from sealpy.machines.keys import KeyPair, KnownHosts
from sealpy.machines.names import Names
from sealpy.machines.network import Wire, free_subnet
from sealpy.machines.programs import REMOVING, STARTING, demand, run
from sealpy.machines.recipe import DEBIAN
from sealpy.machines.records import LabRecord, MachineRecord

__all__ = ["Lab", "Machine", "labs"]

_FIRST = 10  # lab-1 has the address .11
_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Tell how to reach a machine of a lab, what it may use (`memory` in bytes), and whether it runs."""

    name: str
    address: str
    private_key: Path
    user: str = "root"
    running: bool = True
    cpus: float | None = None
    memory: int | None = None


def labs(home: Path) -> tuple[str, ...]:
    """Give the names of the labs that this home has."""
    return tuple(sorted(path.parent.name for path in (home / "lab").glob("*/lab.json")))


class Lab:
    """Hold the machines `NAME-1` … `NAME-N`; raises ConfigError when `name` is no name for a lab."""

    def __init__(self, name: str, home: Path) -> None:
        self._names = Names(name)
        self._home = home.absolute()
        self._directory = self._home / "lab" / name
        self._groups = ControlGroups.mounted()
        self._wire = Wire(self._names, str(self._home))
        self._known_hosts = KnownHosts(self._home / "known_hosts", name)

    @property
    def name(self) -> str:
        """Give the name of the lab."""
        return self._names.lab

    @property
    def known_hosts(self) -> Path:
        """Give the file in which the keys of the machines stand."""
        return self._known_hosts.path

    @property
    def private_key(self) -> Path:
        """Give the file of the key that logs in on every machine, as `root` and as `admin`."""
        return self._directory / "id_ed25519"

    @property
    def password_file(self) -> Path:
        """Give the file of the password of `root` and of `admin`, who has sudo with it."""
        return self._directory / "password"

    def machines(self) -> tuple[Machine, ...]:
        """Give the machines there are, running or not, in order."""
        records = (MachineRecord.load(self._place(name) / "machine.json") for name in self._recorded())
        return tuple(self._machine(record) for record in records if record)

    def up(
        self, count: int, *, cpus: float | None = None, memory: int | None = None, emit: Emit = lambda _: None
    ) -> tuple[Machine, ...]:
        """Have the first `count` machines running and answering on ssh; those that run already are left as they are.

        `cpus` and `memory` (bytes) bound every one of them; None leaves a bound as it is. Raises MachineError, and
        NotReadyError for a machine that does not answer; `down` removes what was begun.
        """
        if not 0 < count <= _MOST:
            raise ConfigError(f"lab '{self._names.lab}': {count} machines", hint=f"take a number from 1 to {_MOST}")
        demand(STARTING)
        began = time.monotonic()
        with self._locked(emit):
            root = root_file_system.ensure(self._shelf, DEBIAN, emit=emit)
            subnet = self._prepare()
            guests = [self._raise(index, subnet, root.name, Limits(cpus, memory)) for index in range(1, count + 1)]
            for done, guest in enumerate(guests):
                emit(TaskProgress(task=self._task, detail=f"wait for {guest.name}", done=done, total=count))
                guest.wait(partial(self._runs, guest.name))
        emit(TaskFinished(task=self._task, seconds=time.monotonic() - began, detail=f"{count} answer on ssh"))
        return self.machines()[:count]

    def down(self, names: Sequence[str] = (), *, emit: Emit = lambda _: None) -> tuple[str, ...]:
        """Remove machines, or the whole lab when `names` is empty; gives what was removed, one line for each thing.

        It goes by names rather than by records, so that it removes as well what a killed `up` has left. The shared
        root file system is kept for the next time; one that an older sealpy made goes, once no machine uses it.
        """
        demand(REMOVING)
        self._wire.claim()
        present = self._present()
        if unknown := [name for name in names if name not in present]:
            raise MachineError(
                f"lab '{self._names.lab}': no machine '{unknown[0]}'", hint="type: sealpy lab list, to see their names"
            )
        with self._locked(emit):
            removed = [self._remove(name) for name in dict.fromkeys(names or present)]
            if not self._present():
                removed += self._remove_rest()
        return tuple(removed)

    def residue(self) -> list[str]:
        """Give everything of this lab that exists on this computer, one line each; nothing after a whole `down`."""
        units = [self._names.unit(name) for name in self._present()]
        found = [f"process {pid} of {unit}" for unit in units for pid in sorted(self._groups.processes(unit))]
        found += [f"control group {path}" for unit in units for path in self._groups.of(unit) if path.exists()]
        found += self._wire.leftovers()
        found += [f"mount {place}" for place in _mounts_below(self._directory)]
        found += [f"key of {name} in {self.known_hosts}" for name in sorted(self._known_hosts.machines())]
        return found + [
            f"file {path}" for path in (self._directory, *root_file_system.halves(self._shelf)) if path.exists()
        ]

    # -- making -------------------------------------------------------------------------------------------------------

    def _prepare(self) -> str:
        """Have the lab's directory, keys, password and bridge; gives its network."""
        self._wire.claim()
        make_private(self._directory)
        record = LabRecord.load(self._directory / "lab.json")
        if not record:
            others = (LabRecord.load(path) for path in self._shelf.glob("*/lab.json"))
            record = LabRecord(subnet=free_subnet([other.subnet for other in others if other]))
            record.save(self._directory / "lab.json")
        if not self.password_file.exists():
            write_whole(self.password_file, secrets.token_urlsafe(12) + "\n")
        KeyPair.at(self.private_key)
        self._wire.raise_up(record.subnet)
        return record.subnet

    def _raise(self, index: int, subnet: str, root: str, limits: Limits) -> Guest:
        """Start a machine unless it runs; its record is written before anything of it is made."""
        record = self._record(index, subnet, root, limits)
        guest, unit = self._guest(record), self._names.unit(record.name)
        bounds = Limits(record.cpus, record.memory)
        if self._runs(record.name):
            self._groups.limit(unit, bounds)
            return guest
        host_key = guest.furnish(
            authorized_key=KeyPair.at(self.private_key).public, password=self.password_file.read_text().strip()
        )
        self._known_hosts.remember(record.name, address=record.address, key=host_key)
        self._wire.unplug(record.name)
        network = IPv4Network(subnet)
        guest.start(
            self._groups.make(unit, bounds),
            link=self._names.link(record.name),
            bridge=self._names.bridge,
            network=f"{record.address}/{network.prefixlen}",
            gateway=str(network[1]),
        )
        return guest

    def _record(self, index: int, subnet: str, root: str, limits: Limits) -> MachineRecord:
        name = self._names.machine(index)
        place = self._place(name) / "machine.json"
        make_private(place.parent)
        address = str(IPv4Network(subnet)[_FIRST + index])
        record = MachineRecord.load(place) or MachineRecord(name=name, address=address, base=root)
        record = replace(
            record,
            cpus=record.cpus if limits.cpus is None else limits.cpus,
            memory=record.memory if limits.memory is None else limits.memory,
        )
        record.save(place)
        return record

    # -- removing -----------------------------------------------------------------------------------------------------

    def _remove(self, name: str) -> str:
        """Remove a machine, its record last; gives a line that says so."""
        unit = self._names.unit(name)
        killed = self._groups.kill(unit)
        self._wire.unplug(name)
        self._groups.remove(unit)
        self._known_hosts.forget(name)
        _remove_directory(self._place(name))
        return f"machine {name}: {killed} processes, its control groups, cable, keys and files"

    def _remove_rest(self) -> list[str]:
        """Remove what the machines shared."""
        removed = [f"{what}" for what in self._wire.leftovers()]
        self._wire.take_down()
        if self._directory.exists():
            removed.append(f"directory {self._directory}")
            _remove_directory(self._directory)
        removed += [f"unused {name}" for name in root_file_system.sweep(self._shelf, used=self._bases_in_use())]
        with suppress(OSError):  # there are other labs, or the base
            self._shelf.rmdir()
        return removed

    # -- looking ------------------------------------------------------------------------------------------------------

    def _present(self) -> list[str]:
        """Give the machines that anything speaks of: a directory, a process, a control group, a cable, a known key."""
        found = set(self._recorded()) | self._wire.machines() | self._known_hosts.machines()
        found |= {name for unit in self._groups.units() if (name := self._names.machine_of_unit(unit))}
        return sorted(found, key=lambda name: self._names.index(name) or 0)

    def _bases_in_use(self) -> set[str]:
        """Give the names of the bases that machines of this home stand on, and of that which the next will."""
        records = (MachineRecord.load(path) for path in self._shelf.glob("*/machines/*/machine.json"))
        return {DEBIAN.name, *(record.base for record in records if record)}

    def _recorded(self) -> list[str]:
        found = [path.name for path in (self._directory / "machines").glob("*") if self._names.index(path.name)]
        return sorted(found, key=lambda name: self._names.index(name) or 0)

    def _runs(self, name: str) -> bool:
        return bool(self._groups.processes(self._names.unit(name)))

    def _machine(self, record: MachineRecord) -> Machine:
        return Machine(
            name=record.name,
            address=record.address,
            private_key=self.private_key,
            running=self._runs(record.name),
            cpus=record.cpus,
            memory=record.memory,
        )

    def _guest(self, record: MachineRecord) -> Guest:
        return Guest(
            name=record.name,
            unit=self._names.unit(record.name),
            directory=self._place(record.name),
            address=record.address,
            base=record.base,
        )

    def _place(self, name: str) -> Path:
        return self._directory / "machines" / name

    @property
    def _shelf(self) -> Path:
        return self._home / "lab"

    @property
    def _task(self) -> str:
        return f"machines of '{self._names.lab}'"

    @contextmanager
    def _locked(self, emit: Emit) -> Iterator[None]:
        """Let one command at a time work on the labs of this home; the lock goes away with us."""
        make_private(self._shelf)
        descriptor = os.open(self._shelf, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                emit(TaskProgress(task=self._task, detail="wait for another sealpy lab command"))
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _mounts_below(directory: Path) -> list[str]:
    """Give mounts below a directory, innermost first; what machines mount in their own namespaces is not among them."""
    places = (line.split()[4].replace(r"\040", " ") for line in read_mounts().splitlines())
    return sorted((place for place in places if Path(place).is_relative_to(directory)), reverse=True)


def _remove_directory(directory: Path) -> None:
    for place in _mounts_below(directory):  # somebody looked inside; never delete through a mount
        run("umount", place)
    if directory.exists():
        shutil.rmtree(directory)
