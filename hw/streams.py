"""Joins, forks and cuts of streams: a fair merge, a broadcast, and a buffer."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Broadcast", "Buffer", "Merge"]


class Merge(wiring.Component):
    """Merges streams into one, round-robin, through one register.

    Parameters
    ----------
    shape : shape of a payload
    count : int
        Number of inputs. At least 1.

    Members
    -------
    i : In(stream.Signature(shape)).array(count)
    o : Out(stream.Signature(shape))
        One word per cycle.
    clear : In(1)
        Forget whose turn it is, as a reset does. Allowed while no input offers a word.
    """

    latency = 1

    def __init__(self, *, shape, count):
        if count < 1:
            raise ValueError(f"Merge must have at least 1 input, not {count!r}")
        self._count = count
        super().__init__({
            "i": In(stream.Signature(shape)).array(count),
            "o": Out(stream.Signature(shape)),
            "clear": In(1),
        })

    @property
    def count(self):
        return self._count

    def elaborate(self, platform):
        m = Module()
        port = Signal(range(max(2, self.count)))
        latest = Signal.like(port)
        free = Signal()
        m.d.comb += [port.eq(latest), free.eq(~self.o.valid | self.o.ready)]
        # The last assignment wins. Ports after the latest one go first, then the lowest.
        for k in reversed(range(self.count)):
            with m.If(self.i[k].valid):
                m.d.comb += port.eq(k)
        for k in reversed(range(1, self.count)):
            with m.If(self.i[k].valid & (latest < k)):
                m.d.comb += port.eq(k)
        chosen = Array(self.i[k].payload for k in range(self.count))[port]
        valid = Array(self.i[k].valid for k in range(self.count))[port]
        for k in range(self.count):
            m.d.comb += self.i[k].ready.eq(free & (port == k))
        with m.If(free):
            m.d.sync += self.o.valid.eq(valid)
            with m.If(valid):
                m.d.sync += [latest.eq(port), self.o.payload.eq(chosen)]
        with m.If(self.clear):
            m.d.sync += latest.eq(0)
        return m


class Buffer(wiring.Component):
    """Holds up to two words of a stream, so that no path leads through it: ``ready`` is a register.

    Parameters
    ----------
    shape : shape of a payload

    Members
    -------
    i : In(stream.Signature(shape))
    o : Out(stream.Signature(shape))
        One word per cycle.
    """

    latency = 1

    def __init__(self, *, shape):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        spare = Signal.like(self.i.payload)
        spared = Signal()  # it's in use
        m.d.comb += self.i.ready.eq(~spared)
        with m.If(self.i.ready):
            m.d.sync += spare.eq(self.i.payload)
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [
                self.o.payload.eq(Mux(spared, spare, self.i.payload)),
                self.o.valid.eq(spared | self.i.valid),
                spared.eq(0),
            ]
        with m.Elif(self.i.valid):
            m.d.sync += spared.eq(1)
        return m


class Broadcast(wiring.Component):
    """Hands every word to several receivers, each of which takes it when it likes.

    Parameters
    ----------
    shape : shape of a payload
    count : int
        Number of outputs. At least 1.

    Members
    -------
    i : In(stream.Signature(shape))
        Combinational: accepted once the last receiver takes the word.
    o : Out(stream.Signature(shape)).array(count)
    """

    latency = 0

    def __init__(self, *, shape, count):
        if count < 1:
            raise ValueError(f"Broadcast must have at least 1 output, not {count!r}")
        self._count = count
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)).array(count),
        })

    @property
    def count(self):
        return self._count

    def elaborate(self, platform):
        m = Module()
        taken = Signal(self.count)
        served = Signal(self.count)
        for k in range(self.count):
            m.d.comb += [
                self.o[k].payload.eq(self.i.payload),
                self.o[k].valid.eq(self.i.valid & ~taken[k]),
                served[k].eq(taken[k] | self.o[k].ready),
            ]
        m.d.comb += self.i.ready.eq(served.all())
        with m.If(self.i.valid):
            m.d.sync += taken.eq(served)
            with m.If(served.all()):
                m.d.sync += taken.eq(0)
        return m
