"""The protocol between a host and a board's top, as bytes: docs/boards.md explains it."""

import hashlib

from amaranth.lib import enum
from amaranth.lib.crc.catalog import CRC16_IBM_SDLC

__all__ = [
    "CRC",
    "ESCAPE",
    "FLAG",
    "FLIP",
    "LARGEST",
    "PROTOCOL",
    "SHARE",
    "WORDS",
    "Command",
    "Status",
    "decode",
    "encode",
    "fingerprint",
    "special",
]

PROTOCOL = 1  # version of all that is here

# Of HDLC and PPP (RFC 1662): a flag at both ends of a frame; a flag or an escape inside goes as an
# escape and the byte with one bit flipped.
FLAG, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
CRC = CRC16_IBM_SDLC(data_width=8)

LARGEST = 255  # bytes of a request: tag, command, payload and CRC
WORDS = (LARGEST - 8) // 4  # most words in a request, after its argument

SHARE = 64  # most words of output in an answer


class Command(enum.Enum, shape=8):
    """What a request asks for."""

    PING = 0
    RESET = 1
    READ = 2
    WRITE = 3
    EVENTS = 4
    OUTPUT = 5


class Status(enum.Enum, shape=8):
    """Whether a request was acted on: with any other than OK, it wasn't."""

    OK = 0
    UNKNOWN = 1
    LENGTH = 2
    POSITION = 3


def special(byte):
    """Whether a byte, an int or a `Value`, can't stand in a frame as it is."""
    return (byte == FLAG) | (byte == ESCAPE)


def encode(body):
    """Return a frame, flags included, of the bytes ``body``."""
    whole = bytes(body) + CRC.compute(body).to_bytes(2, "little")
    inside = (bytes([ESCAPE, byte ^ FLIP]) if special(byte) else bytes([byte]) for byte in whole)
    return bytes([FLAG]) + b"".join(inside) + bytes([FLAG])


def decode(inside):
    """Return the body of what stood between two flags, or None if it's damaged."""
    whole, escaped = bytearray(), False
    for byte in inside:
        if byte == ESCAPE and not escaped:
            escaped = True
        else:
            whole.append(byte ^ FLIP if escaped else byte)
            escaped = False
    if escaped or len(whole) < 2 or CRC.compute(whole[:-2]) != int.from_bytes(whole[-2:], "little"):
        return None
    return bytes(whole[:-2])


def fingerprint(config):
    """Return the 32-bit number by which host and board know that they mean the same config."""
    return int.from_bytes(hashlib.sha256(config.to_json().encode()).digest()[:4], "little")
