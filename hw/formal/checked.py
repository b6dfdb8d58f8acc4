"""What is proven of words with check bits."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Assume, Module, Signal

from ..checked import decode, encode

__all__ = ["corrects", "detects"]


def _stored(m, code):
    """Return any value, and its stored word with any bits flipped; and which those are."""
    value, flips = Signal(code.width), Signal(code.bits)
    m.d.comb += [value.eq(AnySeq(code.width)), flips.eq(AnySeq(code.bits))]
    return value, flips, encode(value, code) ^ flips


def corrects(*, code):
    """A word with one flipped bit, or none, is read right, and tells; with two it's detected."""
    m = Module()
    value, flips, word = _stored(m, code)
    read, corrected, detected = decode(m, word, code)
    once = flips & (flips - 1)[: code.bits]  # without the lowest one
    few = Signal(2)
    m.d.comb += [
        few.eq(flips.any() + once.any()),
        Assume(~(once & (once - 1)[: code.bits]).any()),
        Assert((few == 2) | (read == value)),
        Assert(corrected == (few == 1)),
        Assert(detected == (few == 2)),
    ]
    return m


def detects(*, code):
    """An odd number of flipped bits is detected, an even one isn't; a right word is read right."""
    m = Module()
    value, flips, word = _stored(m, code)
    read, corrected, detected = decode(m, word, code)
    m.d.comb += [
        Assert(detected == flips.xor()),
        Assert(~corrected),
        Assert(flips.any() | (read == value)),
    ]
    return m
