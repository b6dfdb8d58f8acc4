"""Counters of many things in one memory and one adder."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory as Storage
from amaranth.lib.wiring import In, Out

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counts several things in every cycle; the totals stop at their largest value.

    What comes is collected in a few bits for each counter, and added to the totals, which lie in
    a memory, one counter after the other.

    Parameters
    ----------
    steps : dict of str to int
        The counters, and the most that each goes up by in a cycle.
    kept : int
        How many of them, from the first on, a ``begin`` leaves as they are.
    bits : int
        Width of a total.

    Members
    -------
    count : In(data.StructLayout)
        What each counter goes up by in this cycle.
    begin : In(1)
        The totals go to 0, before what this cycle counts.
    read : In(1)
        Not in two cycles in a row.
    index : In
        Of the counter to read.
    total : Out(bits)
        Its total in the cycle after ``read``, with what was counted ``latency`` cycles before.
    """

    def __init__(self, *, steps, kept, bits):
        self._steps = dict(steps)
        self._kept = kept
        self._bits = bits
        super().__init__({
            "count": In(data.StructLayout(
                {name: step.bit_length() for name, step in self._steps.items()})),
            "begin": In(1),
            "read": In(1),
            "index": In(range(max(2, len(self._steps)))),
            "total": Out(bits),
        })

    @property
    def latency(self):
        """Most cycles from a count to the total that has it."""
        return 2 * len(self._steps) + 4

    def elaborate(self, platform):
        m = Module()
        number = len(self._steps)
        m.submodules.totals = totals = Storage(shape=self._bits, depth=number, init=[])
        port, store = totals.read_port(), totals.write_port()
        turn, second, third = (Signal(range(number), name=name)
                               for name in ("turn", "second", "third"))
        visits = Signal(2)  # a total was read for its turn a cycle ago, or two
        fresh = Signal(number, init=-1)  # whose totals count as 0
        begun = Signal(number)  # the same, with this cycle's ``begin``
        read = Signal()
        selected = Signal.like(self.index)
        pending = []
        for name, step in self._steps.items():
            waiting = Signal((step * self.latency).bit_length(), name=f"{name}_waiting")
            arrived = Signal.like(self.count[name], name=f"{name}_arrived")
            m.d.sync += [arrived.eq(self.count[name]), waiting.eq(waiting + arrived)]
            with m.If(~self.read & (turn == len(pending))):
                m.d.sync += waiting.eq(arrived)
            if len(pending) >= self._kept:
                with m.If(self.begin):
                    m.d.sync += waiting.eq(0)
            pending.append(waiting)

        amount = Signal(max(len(waiting) for waiting in pending))
        later = Signal.like(amount)
        old, total = Signal(self._bits, reset_less=True), Signal(self._bits + 1)
        m.d.comb += [
            port.addr.eq(Mux(self.read, self.index, turn)),
            begun.eq(fresh | Mux(self.begin, (1 << number) - (1 << self._kept), 0)),
            total.eq(old + later),
            store.en.eq(visits[1]),
            store.addr.eq(third),
            store.data.eq(Mux(total[-1], ~0, total)),
            self.total.eq(Mux(fresh.bit_select(selected, 1), 0, port.data)),
        ]
        m.d.sync += [
            visits.eq((visits << 1) | ~self.read),
            read.eq(self.read),
            selected.eq(self.index),
            amount.eq(Array(pending)[turn]),
            later.eq(amount),
            second.eq(turn),
            third.eq(second),
            old.eq(port.data),
        ]
        with m.If(~self.read):
            m.d.sync += turn.eq(Mux(turn == number - 1, 0, turn + 1))
        with m.If(begun.bit_select(second, 1)):
            m.d.sync += old.eq(0)  # as the register's reset: there's no time for a LUT later
        with m.If(visits[1]):
            m.d.sync += fresh.bit_select(third, 1).eq(0)
        with m.If(self.begin):
            m.d.sync += fresh.eq(begun)
        return m
