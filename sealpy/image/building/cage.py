"""The program that runs one command of a build in a rootfs; started by `run.py`, standard library alone.

It reads what to do as JSON from standard input, makes itself namespaces, sees to it that nothing but the rootfs can be
reached, and becomes the command. What it cannot do goes as JSON to the descriptor that the first argument names. With
the rights of root it needs no namespace for users; without them it takes one in which the user counts as root.

Source: the manual pages namespaces(7), user_namespaces(7), pivot_root(2), capabilities(7).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import platform
import signal
import socket
import struct
import sys
import warnings  # noqa: F401 - os.execvpe imports it, and finds no library any more in the root of the image
from typing import Any, NoReturn

# ruff: noqa: PTH102, PTH110, PTH123, PTH211 - pathlib would be a third of this program's time

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_SET_PDEATHSIG, _CAPBSET_DROP = 1, 24
_PIVOT_ROOT = {
    "x86_64": 155,
    "aarch64": 41,
    "riscv64": 41,
    "loongarch64": 41,
    "armv7l": 218,
    "ppc64le": 203,
    "s390x": 217,
}
_SET_FLAGS, _UP_AND_RUNNING = 0x8914, 0x41  # of a network interface
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_ONLY_READ = ("bus", "fs", "irq", "sys", "sysrq-trigger")  # of /proc
_HIDDEN = ("kcore", "keys", "timer_list")
# what commands of containers have everywhere: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
# net_bind_service, net_raw, sys_chroot, setfcap
_KEPT = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 31})

_libc = ctypes.CDLL(None, use_errno=True)


class StageError(Exception):
    """Say at which stage something could not be done, and why."""

    def __init__(self, stage: str, error: OSError) -> None:
        super().__init__(stage)
        self.stage = stage
        self.error = error


def main() -> NoReturn:
    """Become the command, or tell why not."""
    status = int(sys.argv[1])
    os.set_inheritable(status, False)  # noqa: FBT003 - the signature is os's
    task = json.load(sys.stdin.buffer)
    try:
        _die_with_parent()
        _unshare(task)
        child = os.fork()
        if child:
            _, how = os.waitpid(child, 0)
            os._exit(os.waitstatus_to_exitcode(how) & 0xFF if os.WIFEXITED(how) else 128 + os.WTERMSIG(how))
        _die_with_parent()
        _enter(task)
        _become(task)
    except StageError as error:
        told = {"stage": error.stage, "errno": error.error.errno, "reason": error.error.strerror}
        os.write(status, json.dumps(told).encode())
        os._exit(125)


def _unshare(task: dict[str, Any]) -> None:
    own = _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | (0 if task["network"] == "host" else _NEWNET)
    if os.geteuid() == 0:
        try:
            _call("namespaces", _libc.unshare, own)
        except StageError as error:
            if error.error.errno != errno.EPERM:
                raise
        else:
            return
    user, group = os.geteuid(), os.getegid()
    _call("a namespace for users", _libc.unshare, _NEWUSER | own)
    try:
        for file, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as stream:
                stream.write(text)
    except OSError as error:
        raise StageError("a namespace for users", error) from error
    _die_with_parent()  # forgotten with the new rights


def _enter(task: dict[str, Any]) -> None:
    """Make the rootfs all there is."""
    root = task["root"]
    highest = int(_read("/proc/sys/kernel/cap_last_cap"))
    _mount(None, "/", None, _REC | _PRIVATE)
    _mount(root, root, None, _BIND | _REC)
    _devices(f"{root}/dev")
    _processes(f"{root}/proc")
    for source, target in task["binds"]:
        _mount(source, f"{root}/{target}", None, _BIND)
    for target in task["scratch"]:
        _mount("tmpfs", f"{root}/{target}", "tmpfs", _NOSUID | _NODEV, "mode=1777")
    os.chdir(root)
    number = _PIVOT_ROOT.get(platform.machine(), 41)
    _call("the change of the root", _libc.syscall, ctypes.c_long(number), b".", b".")
    _call("the change of the root", _libc.umount2, b".", _DETACH)
    os.chdir("/")
    socket.sethostname("build")
    if task["network"] != "host":
        _raise_loopback()
    for capability in range(highest + 1):
        if capability not in _KEPT:
            _call("capabilities", _libc.prctl, _CAPBSET_DROP, capability, 0, 0, 0)


def _devices(directory: str) -> None:
    _mount("tmpfs", directory, "tmpfs", _NOSUID | _NOEXEC, "mode=755,size=65536k")
    for name in _DEVICES:
        with open(f"{directory}/{name}", "wb"):
            pass
        _mount(f"/dev/{name}", f"{directory}/{name}", None, _BIND)
    os.mkdir(f"{directory}/shm", 0o1777)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{directory}/{name}")


def _processes(directory: str) -> None:
    """Show the processes of the command, and let nobody change this machine by what stands beside them."""
    try:
        _mount("proc", directory, "proc", _NOSUID | _NODEV | _NOEXEC)
    except StageError:  # the kernel gives a new one only to who sees a whole one
        _mount("/proc", directory, None, _BIND | _REC)
    for name in _ONLY_READ:
        path = f"{directory}/{name}"
        if os.path.exists(path):
            _mount(path, path, None, _BIND | _REC)
            _mount(None, path, None, _BIND | _REMOUNT | _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    for name in _HIDDEN:
        if os.path.exists(f"{directory}/{name}"):
            _mount("/dev/null", f"{directory}/{name}", None, _BIND)


def _raise_loopback() -> None:
    """Let programs talk to themselves; a kernel without it does no harm."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        try:
            fcntl.ioctl(door, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
        except OSError:
            return


def _become(task: dict[str, Any]) -> NoReturn:
    words: list[str] = task["words"]
    script: str = task["script"]
    if script:
        with open("/dev/.script", "w", encoding="utf-8") as file:
            file.write(script)
        words = [*words, "/dev/.script"]
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.umask(0o022)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvpe(words[0], words, task["env"])  # noqa: S606 - the command is the point
    except OSError as error:
        raise StageError("the command", error) from error


def _die_with_parent() -> None:
    _call("the end with its parent", _libc.prctl, _SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind)]
    _call(f"the mount of {target}", _libc.mount, *words, ctypes.c_ulong(flags), data.encode() if data else None)


def _call(stage: str, function: Any, *arguments: Any) -> None:
    if function(*arguments) != 0:
        number = ctypes.get_errno()
        raise StageError(stage, OSError(number, os.strerror(number)))


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


if __name__ == "__main__":
    main()
