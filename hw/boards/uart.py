"""A UART: 8 data bits, no parity, 1 stop bit, no handshake lines."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["FASTEST", "Receiver", "Transmitter", "divisor", "received"]

FASTEST = 8  # cycles of a bit at least: the receiver finds its middle to a cycle only
BITS = 8


def divisor(clock, baud):
    """Return the cycles of a bit, for a clock and a baud rate in Hz.

    Raises
    ------
    ValueError
        If there are fewer than `FASTEST`, or the rate is off by more than 2 %: over the ten bits
        of a byte that would be a fifth of a bit, and the other side is allowed its own error.
    """
    cycles = round(clock / baud)
    if cycles < FASTEST or abs(clock / cycles / baud - 1) > 0.02:
        raise ValueError(f"Baud rate must be within 2 % of {clock:.0f} Hz over a whole number of "
                         f"{FASTEST} or more, not {baud}")
    return cycles


def received():
    """Return the layout of what a receiver hands on.

    ``broken``: the byte had no stop bit, because of noise, a break of the line or a wrong rate.
    """
    return data.StructLayout({"data": BITS, "broken": 1})


def _check(cycles):
    if cycles < FASTEST:
        raise ValueError(f"A bit must take at least {FASTEST} cycles, not {cycles!r}")


class Receiver(wiring.Component):
    """Takes bytes from a line. A start bit shorter than half a bit is passed over.

    Parameters
    ----------
    cycles : int
        Cycles of a bit: see `divisor`.

    Members
    -------
    rx : In(1)
        The line; needn't be synchronous.
    o : Out(stream.Signature(received(), always_ready=True))
        A byte in the middle of its stop bit, valid for one cycle. After a broken one the line has
        to be high again before the next.
    """

    def __init__(self, *, cycles):
        _check(cycles)
        self._cycles = cycles
        super().__init__({
            "rx": In(1, init=1),
            "o": Out(stream.Signature(received(), always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronise = FFSynchronizer(self.rx, line, init=1)
        wait = Signal(range(self._cycles))
        # A 1 from the top walks down to the low end as the bits come in, the first one lowest.
        bits = Signal(BITS + 1)
        m.d.comb += self.o.p.data.eq(bits[1:])
        m.d.sync += wait.eq(wait - 1)
        with m.FSM(name="receiver"):
            with m.State("IDLE"):
                # The line fell up to a cycle before it was seen to be low.
                m.d.sync += [wait.eq(self._cycles // 2 - 2), bits.eq(1 << BITS)]
                with m.If(~line):
                    m.next = "START"
            with m.State("START"):
                with m.If(line):
                    m.next = "IDLE"
                with m.Elif(wait == 0):
                    m.d.sync += wait.eq(self._cycles - 1)
                    m.next = "BITS"
            with m.State("BITS"):
                with m.If(wait == 0):
                    m.d.sync += wait.eq(self._cycles - 1)
                    with m.If(~bits[0]):
                        m.d.sync += bits.eq(Cat(bits[1:], line))
                    with m.Else():
                        m.d.comb += [self.o.valid.eq(1), self.o.p.broken.eq(~line)]
                        m.next = "IDLE"
                        with m.If(~line):
                            m.next = "HIGH"
            with m.State("HIGH"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class Transmitter(wiring.Component):
    """Puts bytes on a line.

    Parameters
    ----------
    cycles : int
        Cycles of a bit: see `divisor`.

    Members
    -------
    i : In(stream.Signature(8))
        One byte every ten bits.
    tx : Out(1)
        The line, high at rest.
    """

    def __init__(self, *, cycles):
        _check(cycles)
        self._cycles = cycles
        super().__init__({"i": In(stream.Signature(BITS)), "tx": Out(1, init=1)})

    def elaborate(self, platform):
        m = Module()
        wait = Signal(range(self._cycles))
        # The line is the lowest bit. The 1 above a byte is its stop bit, the last one to go out.
        bits = Signal(BITS + 2, init=1)
        rest = Signal()
        m.d.comb += [
            self.tx.eq(bits[0]),
            rest.eq(~bits[1:].any()),
            self.i.ready.eq(rest & (wait == 0)),
        ]
        with m.If(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(~rest):
            m.d.sync += [bits.eq(bits >> 1), wait.eq(self._cycles - 1)]
        with m.Elif(self.i.valid):
            m.d.sync += [bits.eq(Cat(0, self.i.payload, 1)), wait.eq(self._cycles - 1)]
        return m
