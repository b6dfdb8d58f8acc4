"""Fields of a stream's payload, packed into words of bits.

Imported inside simulators too, where each launch pays for every import: NumPy alone.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Field", "unpack"]


@dataclass(frozen=True)
class Field:
    """Where a field lies in a payload: lowest bit, width, and whether it is signed."""

    name: str
    offset: int
    width: int
    signed: bool

    def of(self, word):
        """Return the field's value in a payload given as one Python integer."""
        value = (word >> self.offset) & ((1 << self.width) - 1)
        return value - (1 << self.width) if self.signed and value >> (self.width - 1) else value


def unpack(chunks, fields):
    """Return each field's values (n,) int64 in payloads (n, chunks) of 32-bit words."""
    values = {}
    for field in fields:
        first, shift = divmod(field.offset, 32)
        value = np.zeros(len(chunks), np.uint64)
        for chunk in range(first, min(chunks.shape[1], first + 3)):
            place = 32 * (chunk - first) - shift
            part = chunks[:, chunk].astype(np.uint64)
            if -32 < place < 64:
                value |= part << np.uint64(place) if place >= 0 else part >> np.uint64(-place)
        spare = np.uint64(64 - field.width)
        value = (value << spare).view(np.int64 if field.signed else np.uint64) >> spare.astype(
            np.int64 if field.signed else np.uint64
        )
        values[field.name] = value.astype(np.int64)
    return values
