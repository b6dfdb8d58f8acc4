"""Keeps what a core gave until the host has it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["POSITION_BITS", "OutputBuffer"]

POSITION_BITS = 8  # positions in a stream are counted modulo this power of two


class OutputBuffer(wiring.Component):
    """A queue whose words can be read again until they're released.

    Parameters
    ----------
    shape : shape of a word

    Members
    -------
    i : In(stream.Signature(shape))
        Up to 255 words; then it waits.
    first, end : Out(8)
        Position of the first word that isn't released, and that of the next one to come.
    at : In(8)
        A position.
    held : Out(1)
        ``at`` is from ``first`` to ``end``.
    word : Out(shape)
        The word that was at ``at`` in the cycle before.
    release : In(1)
        Release the words before ``at``, which is ``held``.
    clear : In(1)
        Forget everything; positions begin at 0.
    """

    def __init__(self, *, shape):
        self._shape = shape
        super().__init__({
            "i": In(stream.Signature(shape)),
            "first": Out(POSITION_BITS),
            "end": Out(POSITION_BITS),
            "at": In(POSITION_BITS),
            "held": Out(1),
            "word": Out(shape),
            "release": In(1),
            "clear": In(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=self._shape, depth=1 << POSITION_BITS, init=[])
        write, read = memory.write_port(), memory.read_port()
        after, there, wanted = (Signal(POSITION_BITS) for _ in range(3))
        m.d.comb += [
            after.eq(self.end + 1),
            there.eq(self.end - self.first),
            wanted.eq(self.at - self.first),
            self.held.eq(wanted <= there),
            self.i.ready.eq(after != self.first),
            write.addr.eq(self.end),
            write.data.eq(self.i.payload),
            write.en.eq(self.i.valid & self.i.ready),
            read.addr.eq(self.at),
            self.word.eq(read.data),
        ]
        with m.If(write.en):
            m.d.sync += self.end.eq(after)
        with m.If(self.release):
            m.d.sync += self.first.eq(self.at)
        with m.If(self.clear):
            m.d.sync += [self.first.eq(0), self.end.eq(0)]
        return m
