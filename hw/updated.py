"""A memory whose words are read, changed and written back, one per cycle."""

from functools import reduce
from operator import or_

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .plain import plain_memory

__all__ = ["UpdatedMemory"]


class UpdatedMemory(wiring.Component):
    """A memory that takes a word through read, change and write, a new one in every cycle.

    A block RAM's output goes straight into a register, and what is written comes out of one: there
    is no time for more on the way. Words that are changed meanwhile are forwarded, so that a word
    is always read as the update before left it. One source has the word, and the registers of all
    others are reset to 0: so an OR is enough to choose.

    Parameters
    ----------
    shape : shape of a word
    depth : int
        Number of words. At least 1.
    more : int
        Words of a second storage, behind those of the first one. That has a power of two of them
        then, and no fewer. A block RAM each does without a multiplexer, which a memory of any
        number of words may need.
    block : bool
        Use block RAM even if it's small.

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
        If ``depth`` is less than 1, or doesn't go with ``more``.
    """

    latency = 2

    def __init__(self, *, shape, depth, more=0, block=False):
        if depth < 1:
            raise ValueError(f"Memory depth must be at least 1, not {depth!r}")
        if more and (more > depth or depth & (depth - 1)):
            raise ValueError(f"Memory depth must be a power of two from {more} on, before {more} "
                             f"words more, not {depth!r}")
        self._shape = shape
        self._depth = depth
        self._more = more
        self._block = block
        super().__init__({
            # An address without bits makes ill-formed Verilog.
            "address": In(max(1, (depth + more - 1).bit_length())),
            "blank": In(1),
            "word": Out(shape),
            "write": In(1),
            "after": In(shape),
        })

    @property
    def depth(self):
        """Words of the first storage."""
        return self._depth

    def _storages(self, m, read, written, stores, word, forwarded):
        """Add the storages. Returns what they had, but 0 of those that don't have the word.

        ``read`` is the address whose words have come, and ``word`` goes to ``written``.
        """
        found = []
        for k, (name, depth) in enumerate((("words", self._depth), ("more", self._more))):
            if not depth:
                continue
            port, store = plain_memory(
                m, name, shape=self._shape, depth=max(2, depth), block=self._block)
            stored = Signal.like(self.word, name=f"stored_{k}", reset_less=True)
            top = (self._depth - 1).bit_length()
            here, there = (
                address[top:] == k if self._more else Const(1) for address in (read, written))
            m.d.comb += [
                port.addr.eq(self.address),
                store.en.eq(stores & there),
                store.addr.eq(written),
                store.data.eq(word),
            ]
            m.d.sync += stored.eq(port.data)
            with m.If(self.blank | forwarded | ~here):
                m.d.sync += stored.eq(0)
            found.append(stored)
        return reduce(or_, found)

    def elaborate(self, platform):
        m = Module()
        second, third, fourth, fifth = (Signal.like(self.address, name=name)
                                        for name in ("second", "third", "fourth", "fifth"))
        # What the last update has made of its word, and the one before; whether they were any. The
        # last one is stored in this cycle.
        written, older = (Signal.like(self.word, name=name) for name in ("written", "older"))
        stores, stored_it = Signal(name="stores"), Signal(name="stored_it")
        # The word that is read is that of one of three updates, which has changed it.
        again, skips, lags = (Signal(name=name) for name in ("again", "skips", "lags"))
        # What those have made of it. If none has, and if it isn't blank, the storage has the word.
        latest, earlier, oldest = (Signal.like(self.word, name=name, reset_less=True)
                                   for name in ("latest", "earlier", "oldest"))
        stored = self._storages(m, second, fourth, stores, written, again | skips | lags)
        m.d.comb += [
            self.word.eq(stored | latest | earlier | oldest),
            again.eq((second == third) & self.write),
            skips.eq((second == fourth) & stores),
            lags.eq((second == fifth) & stored_it),
        ]
        m.d.sync += [
            second.eq(self.address),
            third.eq(second),
            fourth.eq(third),
            fifth.eq(fourth),
            stores.eq(self.write),
            stored_it.eq(stores),
            written.eq(self.after),
            older.eq(written),
            latest.eq(self.after),
            earlier.eq(written),
            oldest.eq(older),
        ]
        with m.If(~again):
            m.d.sync += latest.eq(0)
        with m.If(again | ~skips):
            m.d.sync += earlier.eq(0)
        with m.If(again | skips | ~lags):
            m.d.sync += oldest.eq(0)
        return m
