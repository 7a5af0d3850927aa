"""A real OpenSSH server as a plain process on loopback, for tests of connectors and of plugins."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Sshd", "make_key", "sshd"]

_BINARY = "/usr/sbin/sshd"
_DEFAULTS = {
    "ListenAddress": "127.0.0.1",
    "PidFile": "none",
    "StrictModes": "no",  # the directories of a test are not root's home
    "UsePAM": "no",
    "PermitRootLogin": "yes",
    "PasswordAuthentication": "no",
    "KbdInteractiveAuthentication": "no",
    "LogLevel": "VERBOSE",
}


@dataclass(frozen=True, slots=True)
class Sshd:
    """Hold a server that runs: where it listens, the key that opens it, and the public half of its host key."""

    address: str
    port: int
    client_key: Path
    host_key: Path
    log: Path

    @property
    def host_key_line(self) -> str:
        """Give the host key as a line of a `.pub` file, without its comment."""
        return " ".join(self.host_key.with_suffix(".pub").read_text().split()[:2])


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair, `path` and `path.pub`; an existing one is replaced."""
    for file in (path, path.with_suffix(".pub")):
        file.unlink(missing_ok=True)
    # A passphrase for a test is no secret; ssh-keygen takes none on standard input.
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "test", "-f", str(path)], check=True)
    return path


@contextlib.contextmanager
def sshd(
    directory: Path,
    settings: Mapping[str, str] | None = None,
    *,
    host_key_kind: str = "ed25519",
    port: int = 0,
    within: Sequence[str] = (),
) -> Generator[Sshd]:
    """Run a server while the block runs; `settings` are lines of sshd_config that replace or add to the plain ones.

    `within` are words that begin the command of the server, such as those of a program that gives it other mounts.
    A key in `directory` that an earlier server has left there is used again. Raises FileNotFoundError where OpenSSH is
    not installed and TimeoutError, with the server's log, when it does not begin to listen.
    """
    if shutil.which(_BINARY) is None:
        raise FileNotFoundError(f"{_BINARY} is missing: install openssh-server")
    directory.mkdir(parents=True, exist_ok=True)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd asks for it
    host_key = directory / f"host_{host_key_kind}"
    client_key = directory / "client_ed25519"
    for path, kind in ((host_key, host_key_kind), (client_key, "ed25519")):
        if not path.exists():
            make_key(path, kind=kind)
    address = (settings or {}).get("ListenAddress", _DEFAULTS["ListenAddress"])
    port = port or _free_port()
    lines = {
        **_DEFAULTS,
        "Port": str(port),
        "HostKey": str(host_key),
        "AuthorizedKeysFile": str(client_key.with_suffix(".pub")),
        **(settings or {}),
    }
    config = directory / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in lines.items()))
    log = directory / "sshd.log"
    with log.open("ab") as sink:
        process = subprocess.Popen([*within, _BINARY, "-D", "-e", "-f", str(config)], stdout=sink, stderr=sink)
    try:
        _wait_for_listener(process, (address, port), log)
        yield Sshd(address, port, client_key, host_key, log)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _wait_for_listener(process: subprocess.Popen[bytes], endpoint: tuple[str, int], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(endpoint, timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"sshd does not listen on {endpoint}: {log.read_text(errors='replace')[-2000:]}")
