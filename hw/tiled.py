"""A large memory, out of several with a register each."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import TILE
from .plain import plain_memory

__all__ = ["TiledMemory"]

TILE_BITS = TILE.bit_length() - 1


class TiledMemory(wiring.Component):
    """A memory whose words are read through a register beside each of its block RAMs.

    The block RAMs of a large memory lie far apart, and their outputs come late in a cycle: what
    is chosen from has its own cycle to come together.

    Parameters
    ----------
    shape : shape of a word
    depth : int
        Number of words. At least 2.
    init : sequence of int
        The first words; the others are 0.

    Members
    -------
    enable : In(1)
        The read goes on: with 0, ``word`` and what is on its way to it stay.
    address : In
    word : Out(shape)
        The word at the address, ``latency`` enabled cycles later.
    write : In(1)
        Let the word at ``write_address`` be ``after``.
    write_address : In
    after : In(shape)

    Raises
    ------
    ValueError
        If ``depth`` is less than 2.
    """

    latency = 2

    def __init__(self, *, shape, depth, init=()):
        if depth < 2:
            raise ValueError(f"Memory depth must be at least 2, not {depth!r}")
        self._shape = shape
        self._depth = depth
        self._init = [int(word) for word in init]
        address_bits = (depth - 1).bit_length()
        super().__init__({
            "enable": In(1),
            "address": In(address_bits),
            "word": Out(shape),
            "write": In(1),
            "write_address": In(address_bits),
            "after": In(shape),
        })

    @property
    def depth(self):
        return self._depth

    def places(self):
        """Return the storage of each tile, in the order of their words, and its depth."""
        return [(f"tile_{k}", max(2, min(TILE, self.depth - start)))
                for k, start in enumerate(range(0, self.depth, TILE))]

    def elaborate(self, platform):
        m = Module()
        words = []
        for k, (name, depth) in enumerate(self.places()):
            init = self._init[k * TILE : k * TILE + depth]
            read, write = plain_memory(m, name, shape=self._shape, depth=depth, init=init)
            word = Signal.like(self.word, name=f"word_{k}")
            m.d.comb += [
                read.en.eq(self.enable),
                read.addr.eq(self.address),
                write.en.eq(self.write & (self.write_address[TILE_BITS:] == k)),
                write.addr.eq(self.write_address),
                write.data.eq(self.after),
            ]
            with m.If(self.enable):
                m.d.sync += word.eq(read.data)
            words.append(word)
        m.d.comb += self.word.eq(words[0])
        if len(words) > 1:
            first, second = (Signal.like(self.address[TILE_BITS:], name=name)
                             for name in ("first", "second"))  # the tile that is read
            with m.If(self.enable):
                m.d.sync += [first.eq(self.address[TILE_BITS:]), second.eq(first)]
            m.d.comb += self.word.eq(Array(words)[second])
        return m
