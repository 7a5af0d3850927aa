"""Send the packets of SSH that paramiko would, sealed by AES-GCM in a third of its time."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from paramiko.common import MSG_CHANNEL_DATA
from paramiko.message import Message
from paramiko.packet import Packetizer

__all__ = ["Load", "Sealer"]

_BLOCK = 16  # bytes; the same for each key of AES-GCM
_TAG = 16
_LENGTH = 4  # of a packet travels in the open, authenticated
_HEAD = struct.Struct(">IB")  # length of the packet, length of its padding
_MORE = _HEAD.size + _LENGTH + _BLOCK + _TAG  # bytes at most that a packet adds to what it carries
_DATA = struct.Struct(">BII")  # kind of the message, number of the channel, length of the data


@dataclass(frozen=True, slots=True)
class Load:
    """Be data for a channel that may fill several packets, borrowed until it is sent."""

    channel: int  # the number that the other side gave it
    data: memoryview
    packet: int  # bytes of data that one packet may carry

    def packets(self) -> Iterator[tuple[bytes, memoryview]]:
        """Give head and data of each packet."""
        for start in range(0, len(self.data), self.packet):
            body = self.data[start : start + self.packet]
            yield _DATA.pack(MSG_CHANNEL_DATA, self.channel, len(body)), body


class Sealer(Packetizer):
    """Send each packet byte for byte as paramiko's own Packetizer does, and several of them at once.

    That copies a packet seven times into as much fresh memory, which takes longer than to encrypt it, and wakes the
    other side for each; here it is copied once, in memory that is used again. Ciphers other than AES-GCM are left to
    it. Nothing is compressed, since our connections do not offer to.
    """

    def __init__(self, carrier: Any) -> None:
        super().__init__(carrier)
        self._engine: Any = None  # None while paramiko's own way is taken
        self._sealing = threading.Lock()
        self._plain = self._sealed = memoryview(b"")

    def set_outbound_cipher(self, **keys: Any) -> None:  # type: ignore[override] # paramiko names them all
        """Take the keys that were agreed on."""
        with self._sealing:
            super().set_outbound_cipher(**keys)
            able = keys.get("aead") and hasattr(keys["block_engine"], "encrypt_into")  # cryptography 47
            self._engine = keys["block_engine"] if able else None
            if self._engine is not None:
                self._fixed, self._invocation = keys["iv_out"][:4], int.from_bytes(keys["iv_out"][4:])
            self._sent = 0

    def send_message(self, data: Message | Load) -> None:
        """Send a message as one packet, a load as some; raises EOFError when the connection is lost."""
        packets = list(data.packets()) if isinstance(data, Load) else [(data.asbytes(), memoryview(b""))]
        with self._sealing:
            if self._engine is None:
                for head, body in packets:
                    super().send_message(Message(head + body))
                return
            self.write_all(self._seal(packets))
            if self._sent >= self.REKEY_BYTES and not self.need_rekey():
                self._trigger_rekey()  # type: ignore[attr-defined] # the stubs leave it out

    def _seal(self, packets: Sequence[tuple[bytes, memoryview]]) -> memoryview:
        """Give the packets as they travel, in memory that the next ones will take."""
        sizes = [len(head) + len(body) + _MORE for head, body in packets]
        self._plain = _room(self._plain, max(sizes, default=0))
        self._sealed = _room(self._sealed, sum(sizes))
        end = 0
        for head, body in packets:
            end += self._seal_one(head, body, self._sealed[end:])
        self._sent += end
        return self._sealed[:end]

    def _seal_one(self, head: bytes, body: memoryview, sealed: memoryview) -> int:
        """Seal a packet where it shall stand, and give its length."""
        begun = _HEAD.size + len(head)
        filled = begun + len(body)
        padding = _LENGTH + _BLOCK - 1 - (filled - 1) % _BLOCK
        size = filled + padding
        plain = self._plain
        _HEAD.pack_into(plain, 0, size - _LENGTH, padding)
        plain[_HEAD.size : begun] = head
        plain[begun:filled] = body
        plain[filled:size] = os.urandom(padding)
        sealed[:_LENGTH] = plain[:_LENGTH]
        nonce = self._fixed + self._invocation.to_bytes(8)
        self._engine.encrypt_into(nonce, plain[_LENGTH:size], plain[:_LENGTH], sealed[_LENGTH : size + _TAG])
        self._invocation += 1
        self._count()
        return size + _TAG

    def _count(self) -> None:
        """Go on with paramiko's number of the next packet: a cipher that is agreed on later may need it."""
        number: int = self._Packetizer__sequence_number_out  # type: ignore[has-type] # nor this
        self._Packetizer__sequence_number_out = (number + 1) & 0xFFFFFFFF


def _room(buffer: memoryview, size: int) -> memoryview:
    return buffer if len(buffer) >= size else memoryview(bytearray(size))
