"""Joins, forks and cuts of streams: a fair merge, a broadcast, and a buffer."""

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Broadcast", "Buffer", "Merge"]


def _first(m, offers):
    """Return the offer that goes first: the lowest that is ahead, then the lowest of all.

    Each is a tuple: whether it's ahead, whether there's one, whether there are several, its number
    and its payload. Halved again and again: a chain of many would take a cycle's time, and a
    number that chooses among all payloads in the end has too many of them to drive.
    """
    if len(offers) == 1:
        return offers[0]
    half = len(offers) // 2
    low, high = _first(m, offers[:half]), _first(m, offers[half:])
    ahead, valid, several, second = (Signal() for _ in range(4))
    port, payload = Signal.like(low[3]), Signal.like(low[4])
    m.d.comb += [
        ahead.eq(low[0] | high[0]),
        valid.eq(low[1] | high[1]),
        several.eq(low[2] | high[2] | (low[1] & high[1])),
        second.eq(~low[0] & (high[0] | ~low[1])),
        port.eq(Mux(second, high[3], low[3])),
        payload.eq(Mux(second, high[4], low[4])),
    ]
    return ahead, valid, several, port, payload


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
    left : Out(1)
        A word that is offered isn't accepted in this cycle: told before it's known which.
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
            "left": Out(1),
            "clear": In(1),
        })

    @property
    def count(self):
        return self._count

    def elaborate(self, platform):
        m = Module()
        first = (1 << self.count) - 2  # all but the lowest one
        later = Signal(self.count, init=first)  # the ports after the latest one
        free = Signal()
        _, valid, several, port, chosen = _first(m, [
            (one.valid & later[k], one.valid, Const(0), Const(k, range(max(2, self.count))),
             one.payload)
            for k, one in enumerate(self.i)])
        m.d.comb += [
            free.eq(~self.o.valid | self.o.ready),
            self.left.eq(several | (valid & ~free)),
        ]
        for k in range(self.count):
            m.d.comb += self.i[k].ready.eq(free & (port == k))
        with m.If(free):
            m.d.sync += self.o.valid.eq(valid)
            with m.If(valid):
                m.d.sync += self.o.payload.eq(chosen)
                m.d.sync += (later[k].eq(port < k) for k in range(1, self.count))
        with m.If(self.clear):
            m.d.sync += later.eq(first)
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
