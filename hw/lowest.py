"""The lowest bit of a word."""

from amaranth.hdl import Signal

__all__ = ["lowest"]


def lowest(m, word, name):
    """Return the index of the lowest bit that is set in ``word``; 0 if none is."""
    index = Signal(range(max(2, len(word))), name=name)
    for k in reversed(range(len(word))):
        with m.If(word[k]):
            m.d.comb += index.eq(k)
    return index
