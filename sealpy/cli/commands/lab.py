"""sealpy lab: boot real machines on this computer, to try things on."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sealpy.cli.home import home
from sealpy.cli.lazy import SealpyCommand, SealpyGroup
from sealpy.errors import ConfigError, MachineError

if TYPE_CHECKING:
    from sealpy.machines.local import Lab, Machine

__all__ = ["app", "parse_memory"]

app = typer.Typer(
    help="Boot real machines on this computer, to try things on.\n\n"
    "Debian with systemd and sshd, in network namespaces, with no route to the outside. Needs root on Linux.\n\n"
    "Examples:\n    sealpy lab up --nodes 3\n    sealpy lab ssh lab-1 uptime\n    sealpy lab down",
    cls=SealpyGroup,
    add_completion=False,
    rich_markup_mode=None,
)

LabName = Annotated[str, typer.Option("--name", metavar="LAB", help="The lab, when there are several.")]
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@app.command("up", cls=SealpyCommand)
def up(
    ctx: typer.Context,
    *,
    nodes: Annotated[int, typer.Option("--nodes", "-n", metavar="N", help="How many machines there are to be.")] = 1,
    cpus: Annotated[
        float | None, typer.Option("--cpus", metavar="N", help="Processors that each may use, such as 1.5.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="Memory that each may use, such as 2G or 512M.")
    ] = None,
    name: LabName = "lab",
) -> None:
    """Have machines LAB-1 … LAB-N running; those that run already are left as they are.

    The first time takes a minute, to make the root file system that all of them share.

    Examples:
        sealpy lab up --nodes 3
        sealpy lab up --nodes 2 --cpus 1 --memory 2G --name try
    """
    lab = _lab(name)
    bytes_ = None if memory is None else parse_memory(memory)
    machines = lab.up(nodes, cpus=_positive(cpus), memory=bytes_, emit=ctx.obj.emit)
    _table(ctx, [(name, machine) for machine in machines])
    if not ctx.obj.is_json:
        ctx.obj.text(
            f"log in:    sealpy lab ssh {machines[0].name}\n"
            f"key:       {lab.private_key}\n"
            f"password:  of root and admin, in {lab.password_file}\n"
            f"the end:   sealpy lab down{_suffix(name)}"
        )


@app.command("list", cls=SealpyCommand)
def list_(
    ctx: typer.Context,
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="LAB", help="This lab alone.")] = None,
) -> None:
    """Show the machines of all labs.

    Examples:
        sealpy lab list
        sealpy lab list --output json
    """
    from sealpy.machines.local import labs

    names = labs(home()) if name is None else (name,)
    _table(ctx, [(lab, machine) for lab in names for machine in _lab(lab).machines()])


@app.command("ssh", cls=SealpyCommand, context_settings={"allow_interspersed_args": False})
def ssh(
    machine: Annotated[str, typer.Argument(metavar="MACHINE", help="The machine, such as lab-1.")],
    command: Annotated[list[str] | None, typer.Argument(metavar="COMMAND", help="What to run there.")] = None,
    *,
    user: Annotated[str, typer.Option("--user", "-u", help="root, or admin, who has sudo.")] = "root",
) -> None:
    """Log in to a machine, or run a command there, by the ssh program with the lab's key.

    Examples:
        sealpy lab ssh lab-1
        sealpy lab ssh lab-1 systemctl is-system-running
    """
    from sealpy.machines.local import labs

    name = machine.rpartition("-")[0]
    lab = _lab(name) if name in labs(home()) else None
    found = next((one for one in lab.machines() if one.name == machine), None) if lab else None
    if not lab or not found:
        raise MachineError(f"machine '{machine}': there is none of this name", hint="type: sealpy lab list")
    if not found.running:
        raise MachineError(f"machine '{machine}': does not run", hint=f"type: sealpy lab up{_suffix(lab.name)}")
    words = ("ssh", *_ssh_options(lab), f"{user}@{found.address}", *(command or ()))
    try:
        os.execvp(words[0], words)  # noqa: S606 - this process becomes ssh: no shell is wanted
    except FileNotFoundError as error:
        raise MachineError("lab: missing program 'ssh'", hint="type: apt-get install openssh-client") from error


@app.command("down", cls=SealpyCommand)
def down(
    ctx: typer.Context,
    machines: Annotated[list[str] | None, typer.Argument(metavar="MACHINE", help="These machines alone.")] = None,
    *,
    name: LabName = "lab",
) -> None:
    """Remove machines, or a whole lab, and leave nothing; then say what was removed.

    The root file system that machines share is kept, for the next time.

    Examples:
        sealpy lab down
        sealpy lab down lab-3
    """
    lab = _lab(name)
    removed = lab.down(machines or (), emit=ctx.obj.emit)
    residue = [] if machines else lab.residue()
    if ctx.obj.is_json:
        ctx.obj.json({"removed": removed, "residue": residue})
    else:
        ctx.obj.text("\n".join(f"removed {line}" for line in removed) or f"lab '{name}': nothing to remove")
    if residue:
        raise MachineError(
            f"lab '{name}': left behind: {'; '.join(residue)}", hint=f"type: sealpy lab down{_suffix(name)}"
        )


def parse_memory(text: str) -> int:
    """Give the bytes that a text such as `2G`, `512Mi` or `1048576` means; raises ConfigError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmg]?)i?b?", text.strip().lower())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size < _UNITS["m"]:
        raise ConfigError(f"--memory '{text}': not an amount of memory", hint="write it as 2G or 512M")
    return size


def _positive(cpus: float | None) -> float | None:
    least = 0.01  # the kernel's smallest quota
    if cpus is not None and not cpus >= least:
        raise ConfigError(f"--cpus '{cpus}': not a number of processors", hint="write it as 2 or 0.5")
    return cpus


def _ssh_options(lab: Lab) -> tuple[str, ...]:
    """Give the options that trust the lab's key and nothing of the user's."""
    options = (
        f'UserKnownHostsFile="{lab.known_hosts}"',
        "GlobalKnownHostsFile=none",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        "LogLevel=ERROR",
    )
    return ("-F", "none", "-i", str(lab.private_key), *(word for option in options for word in ("-o", option)))


def _table(ctx: typer.Context, machines: list[tuple[str, Machine]]) -> None:
    if ctx.obj.is_json:
        ctx.obj.json([{"lab": lab} | asdict(machine) for lab, machine in machines])
    elif not machines:
        ctx.obj.text("no machines; type: sealpy lab up --nodes 2")
    else:
        columns = ("name", "address", "state", "cpus", "memory", "lab")
        ctx.obj.table("", columns, [_row(lab, machine) for lab, machine in machines])


def _row(lab: str, machine: Machine) -> tuple[str, ...]:
    return (
        machine.name,
        machine.address,
        "running" if machine.running else "stopped",
        "-" if machine.cpus is None else f"{machine.cpus:g}",
        "-" if machine.memory is None else f"{machine.memory / _UNITS['m']:.0f} MiB",
        lab,
    )


def _suffix(name: str) -> str:
    return "" if name == "lab" else f" --name {name}"


def _lab(name: str) -> Lab:
    from sealpy.machines.local import Lab

    return Lab(name, home())
