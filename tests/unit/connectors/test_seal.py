"""What we seal must be what paramiko would have sent, byte for byte."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from paramiko.common import MSG_CHANNEL_DATA
from paramiko.message import Message
from paramiko.packet import Packetizer

from sealpy.connectors.seal import Load, Sealer

PACKET = 32704
DATA = random.Random(2).randbytes(200_000)  # noqa: S311 - the same every time
Keys = Callable[[int], dict[str, Any]]


class Sink:
    """Take what is sent, some bytes at a time, and now and then nothing."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self._chance = random.Random(1)  # noqa: S311 - the same every time

    def send(self, data: bytes | memoryview) -> int:
        if self._chance.random() < 0.1:
            raise TimeoutError
        size = self._chance.randint(1, 60_000)
        self.taken += data[:size]
        return min(size, len(data))


def gcm(bits: int) -> Keys:
    """Give keys for AES-GCM: as many as one asks for, each the same every time."""
    return lambda number: {
        "block_engine": AESGCM(_secret(number, bits // 8)),
        "block_size": 16,
        "mac_engine": None,
        "mac_size": 16,
        "mac_key": None,
        "aead": True,
        "iv_out": _secret(number, 12),
    }


def ctr(*, etm: bool) -> Keys:
    return lambda number: {
        "block_engine": Cipher(algorithms.AES(_secret(number, 16)), modes.CTR(_secret(number, 16))).encryptor(),
        "block_size": 16,
        "mac_engine": hashlib.sha256,
        "mac_size": 32,
        "mac_key": _secret(number, 32),
        "sdctr": True,
        "etm": etm,
    }


def _secret(number: int, size: int) -> bytes:
    return hashlib.sha512(bytes([number])).digest()[:size]


@pytest.fixture(autouse=True)
def same_padding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: b"\x5a" * size)


class Pair:
    """Send the same by paramiko and by us."""

    def __init__(self) -> None:
        self.theirs, self.ours = Sink(), Sink()
        self.paramiko = Packetizer(self.theirs)  # type: ignore[arg-type] # it only sends
        self.sealer = Sealer(self.ours)

    def take(self, keys: Keys, number: int) -> None:
        for packetizer in (self.paramiko, self.sealer):
            packetizer.set_outbound_cipher(**keys(number))

    def message(self, data: bytes) -> None:
        for packetizer in (self.paramiko, self.sealer):
            packetizer.send_message(Message(data))

    def load(self, data: bytes) -> None:
        for start in range(0, len(data), PACKET):
            piece = data[start : start + PACKET]
            self.paramiko.send_message(Message(struct.pack(">BII", MSG_CHANNEL_DATA, 7, len(piece)) + piece))
        self.sealer.send_message(Load(7, memoryview(data), PACKET))

    def check(self) -> None:
        assert self.ours.taken
        assert self.ours.taken == self.theirs.taken


CIPHERS = {
    "aes128-gcm": gcm(128),
    "aes256-gcm": gcm(256),
    "aes128-ctr": ctr(etm=False),
    "aes128-ctr, encrypted before its checksum is made": ctr(etm=True),
}
all_ciphers = pytest.mark.parametrize("keys", CIPHERS.values(), ids=CIPHERS.keys())


def _sizes() -> Iterator[int]:
    yield from range(1, 70)
    yield from (PACKET - 1, PACKET, PACKET + 1, 2 * PACKET, 3 * PACKET + 17, 4 * PACKET, 1, 200_000)


@all_ciphers
def test_messages_of_every_size_travel_as_those_of_paramiko(keys: Keys) -> None:
    pair = Pair()
    pair.take(keys, 1)
    for size in _sizes():
        pair.message(DATA[:size])
    pair.check()


@all_ciphers
def test_loads_of_every_size_travel_as_messages_of_paramiko(keys: Keys) -> None:
    pair = Pair()
    pair.take(keys, 1)
    for size in _sizes():
        pair.load(DATA[:size])
    pair.check()


def test_what_is_sent_before_there_are_keys_travels_in_the_open() -> None:
    pair = Pair()
    pair.message(b"hello")
    pair.load(b"x" * 100)
    pair.check()
    assert b"hello" in pair.ours.taken


def test_other_keys_and_other_ciphers_may_be_agreed_on_at_any_time() -> None:
    chance = random.Random(3)  # noqa: S311 - the same every time
    pair = Pair()
    for number in range(40):
        pair.take(chance.choice(list(CIPHERS.values())), number)
        for _ in range(chance.randrange(4)):
            send = chance.choice((pair.message, pair.load))
            send(chance.randbytes(chance.randint(1, 3 * PACKET)))
        if chance.random() < 0.2:
            pair.paramiko.reset_seqno_out()
            pair.sealer.reset_seqno_out()
    pair.check()


def test_new_keys_are_asked_for_after_as_many_bytes_as_paramiko_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Packetizer, "REKEY_BYTES", 10_000)
    pair = Pair()
    for keys in (1, 2):
        pair.take(gcm(128), keys)
        for packetizer in (pair.paramiko, pair.sealer):  # keys for what is read: they end the wish for new ones
            packetizer.set_inbound_cipher(None, 16, None, 16, b"")  # type: ignore[arg-type]
        wishes = []
        for _ in range(15):
            pair.message(b"x" * 1000)
            wishes.append((pair.paramiko.need_rekey(), pair.sealer.need_rekey()))
        assert wishes == [(False, False)] * 9 + [(True, True)] * 6


def test_an_older_library_seals_by_paramiko() -> None:
    class Older:
        def __init__(self, engine: AESGCM) -> None:
            self.encrypt = engine.encrypt

    pair = Pair()
    keys = gcm(128)(1)
    pair.paramiko.set_outbound_cipher(**keys)
    pair.sealer.set_outbound_cipher(**{**keys, "block_engine": Older(keys["block_engine"])})
    pair.load(b"x" * 3 * PACKET)
    pair.check()


def test_a_packet_that_is_larger_than_all_before_finds_room() -> None:
    pair = Pair()
    pair.take(gcm(128), 1)
    pair.load(b"x" * 4 * PACKET)
    pair.message(b"x" * 3 * PACKET)
    pair.check()


def test_a_lost_connection_is_told() -> None:
    here, there = socket.socketpair()
    there.close()
    with here:
        sealer = Sealer(here)
        sealer.set_outbound_cipher(**gcm(128)(1))
        with pytest.raises(EOFError):
            sealer.send_message(Load(7, memoryview(b"x"), PACKET))


def test_several_threads_that_send_at_once_do_not_mix_their_packets() -> None:
    here, there = socket.socketpair()
    with here, there:
        sealer = Sealer(here)
        sealer.set_outbound_cipher(**gcm(128)(1))
        reader = Packetizer(there)
        keys = gcm(128)(1)
        reader.set_inbound_cipher(keys["block_engine"], 16, None, 16, b"", aead=True, iv_in=keys["iv_out"])  # type: ignore[arg-type]

        def send(letter: bytes) -> None:
            for _ in range(20):
                sealer.send_message(Load(letter[0], memoryview(letter * 3000), 1000))

        threads = [threading.Thread(target=send, args=(letter,)) for letter in (b"a", b"b", b"c")]
        for thread in threads:
            thread.start()
        heard = [reader.read_message() for _ in range(180)]
        for thread in threads:
            thread.join()

    assert {kind for kind, _ in heard} == {MSG_CHANNEL_DATA}
    for channel, letter in ((message.get_int(), message.get_binary()) for _, message in heard):
        assert letter == bytes([channel]) * 1000
