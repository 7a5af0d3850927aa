"""Keys of a lab: its own pair to log in with, the pair of each machine, and known_hosts, where sealpy looks them up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sealpy.disk import alone, make_private, write_whole

__all__ = ["KeyPair", "KnownHosts"]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Hold an ed25519 key pair in the formats of OpenSSH; `public` is `ssh-ed25519 AAAA…`, one line."""

    private: bytes
    public: str

    @classmethod
    def generate(cls) -> KeyPair:
        """Make a new pair."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - heavy
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - heavy
            Encoding,
            NoEncryption,
            PrivateFormat,
            PublicFormat,
        )

        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        return cls(private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())

    @classmethod
    def at(cls, path: Path) -> KeyPair:
        """Read the pair that lies at `path` and `path.pub`, or make it there: the private half 0600, and last."""
        public = path.with_name(f"{path.name}.pub")
        if not path.exists():
            made = cls.generate()
            write_whole(public, made.public + "\n", mode=0o644)
            write_whole(path, made.private)
        return cls(path.read_bytes(), public.read_text().strip())


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Keep the lines of one lab in a known_hosts file; each ends with a comment that names lab and machine."""

    path: Path
    lab: str

    def remember(self, machine: str, *, address: str, key: str) -> None:
        """Write the key of a machine in place of whatever is known of its address or its name."""
        line = f"{address} {key} {self._comment(machine)}"
        mine = {self._comment(machine)}
        self._rewrite(lambda words: words[0] != address and mine.isdisjoint(words), then=line)

    def forget(self, machine: str) -> bool:
        """Remove the lines of a machine; tells whether there were any."""
        comment = self._comment(machine)
        if comment not in self._words():
            return False
        self._rewrite(lambda words: comment not in words)
        return True

    def machines(self) -> set[str]:
        """Give the machines of this lab that the file speaks of."""
        start = self._comment("")
        return {word.removeprefix(start) for word in self._words() if word.startswith(start)}

    def _comment(self, machine: str) -> str:
        return f"sealpy-lab={self.lab}/{machine}"

    def _words(self) -> list[str]:
        return self.path.read_text("utf-8", "replace").split() if self.path.exists() else []

    def _rewrite(self, keep: Callable[[list[str]], bool], *, then: str = "") -> None:
        make_private(self.path.parent)
        with alone(self.path) as file:
            lines = file.read().decode("utf-8", "surrogateescape").splitlines()
            kept = [line for line in lines if not line.split() or keep(line.split())]
            text = "".join(f"{line}\n" for line in (*kept, *([then] if then else [])))
            if text:
                write_whole(self.path, text.encode("utf-8", "surrogateescape"))
            else:
                self.path.unlink()
