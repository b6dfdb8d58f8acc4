"""A memory that can be brought to rest."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .plain import plain_memory

__all__ = ["ClearedMemory"]


class ClearedMemory(wiring.Component):
    """A memory with a read and a write port, all words of which can be set to one value.

    Parameters
    ----------
    shape : shape of a word
    depth : int
        Number of words. At least 1.
    rest : int or dict
        What a cleared word is.

    Members
    -------
    read : In(1)
        Read the word at ``read_address``: ``word`` has it from the next cycle on, until the next
        read. Of a word that is written in the same cycle, nothing may be expected.
    read_address, write_address : In
    word : Out(shape)
    write : In(1)
        Let the word at ``write_address`` be ``after``.
    after : In(shape)
    clear : In(1)
        Clear every word, in the next ``depth`` cycles. A reset does the same.
    clearing : Out(1)
        That's going on: nothing may be read or written.

    Raises
    ------
    ValueError
        If ``depth`` is less than 1.
    """

    def __init__(self, *, shape, depth, rest=0):
        if depth < 1:
            raise ValueError(f"Memory depth must be at least 1, not {depth!r}")
        self._shape = shape
        self._depth = depth
        self._rest = rest
        # An address without bits makes ill-formed Verilog.
        address_bits = max(1, (depth - 1).bit_length())
        super().__init__({
            "read": In(1),
            "read_address": In(address_bits),
            "word": Out(shape),
            "write": In(1),
            "write_address": In(address_bits),
            "after": In(shape),
            "clear": In(1),
            "clearing": Out(1, init=1),
        })

    @property
    def depth(self):
        return self._depth

    def elaborate(self, platform):
        m = Module()
        sweep = Signal(range(max(2, self.depth)))
        read, write = plain_memory(m, "words", shape=self._shape, depth=max(2, self.depth))
        m.d.comb += [
            read.en.eq(self.read),
            read.addr.eq(self.read_address),
            self.word.eq(read.data),
            write.en.eq(self.write | self.clearing),
            write.addr.eq(Mux(self.clearing, sweep, self.write_address)),
            write.data.eq(Mux(self.clearing, self._rest, self.after)),
        ]
        with m.If(self.clear):
            m.d.sync += self.clearing.eq(1)
        with m.If(self.clearing):
            m.d.sync += sweep.eq(sweep + 1)
            with m.If(sweep == self.depth - 1):
                m.d.sync += [sweep.eq(0), self.clearing.eq(0)]
        return m
