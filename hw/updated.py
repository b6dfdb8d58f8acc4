"""A memory whose words are read, changed and written back, one per cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .plain import plain_memory

__all__ = ["UpdatedMemory"]


class UpdatedMemory(wiring.Component):
    """A memory that takes a word through read, change and write, a new one in every cycle.

    A block RAM's output goes into a register before anything is computed from it. Words that are
    changed meanwhile are forwarded, so that a word is always read as the update before left it.

    Parameters
    ----------
    shape : shape of a word
    depth : int
        Number of words. At least 1.

    Members
    -------
    address : In
        Of the word to begin with.
    blank : In(1)
        In the cycle after ``address``: what the memory has of it counts as 0. Not what an update
        before has made of it.
    word : Out(shape)
        That word, ``latency`` cycles later, for one cycle. All words are 0 at power-up.
    write : In(1)
        In the cycle of ``word``: let it be ``after``.
    after : In(shape)

    Raises
    ------
    ValueError
        If ``depth`` is less than 1.
    """

    latency = 2

    def __init__(self, *, shape, depth):
        if depth < 1:
            raise ValueError(f"Memory depth must be at least 1, not {depth!r}")
        self._shape = shape
        self._depth = depth
        super().__init__({
            # An address without bits makes ill-formed Verilog.
            "address": In(max(1, (depth - 1).bit_length())),
            "blank": In(1),
            "word": Out(shape),
            "write": In(1),
            "after": In(shape),
        })

    @property
    def depth(self):
        return self._depth

    def elaborate(self, platform):
        m = Module()
        port, store = plain_memory(m, "words", shape=self._shape, depth=max(2, self.depth))
        second, third = (Signal.like(self.address, name=name) for name in ("second", "third"))
        stored = Signal.like(self.word)  # as the memory had it, or the update before the last one
        written = Signal.like(self.word)  # what the last update has made of its word
        follows, again = Signal(), Signal()  # the last update's word is this one; and was written
        skips = Signal()  # the one's before is, and was written
        m.d.comb += [
            port.addr.eq(self.address),
            store.en.eq(self.write),
            store.addr.eq(third),
            store.data.eq(self.after),
            self.word.eq(Mux(again, written, stored)),
        ]
        m.d.sync += [
            second.eq(self.address),
            third.eq(second),
            follows.eq(self.address == second),
            again.eq(follows & self.write),
            skips.eq((self.address == third) & self.write),
            written.eq(self.after),
            stored.eq(Mux(skips, written, Mux(self.blank, 0, port.data))),
        ]
        return m
