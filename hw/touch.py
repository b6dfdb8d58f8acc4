"""What a touch does to the decayed traces of a neuron: threshold, reset, arrivals."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .decay import traces
from .fixed import saturate

__all__ = ["TouchUnit"]


class TouchUnit(wiring.Component):
    """Compares with the threshold, resets, adapts and adds arrivals: twin of the model's ``touch``.

    Nothing starts it: its outputs follow its inputs, and are right when ``i.p`` has been still
    for ``latency`` cycles, ``i.q`` for 1 cycle more, ``i.a``, ``theta0`` and ``beta`` for 2 more
    (without Q for as long as ``i.p``), and everything else for ``latency`` cycles. Both outcomes of
    the comparison are computed beside it, and one is chosen.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    i : In(traces(config))
        Decayed traces.
    arrival : In(1)
        Arrivals are due.
    sum : In(signed(config.sum_bits))
        Their sum, in last places of a weight. Ignored without ``arrival``.
    theta0, beta : In(config.threshold_bits)
        Threshold at rest and its rise per spike. ``beta`` is there if ``config.adaptive``.
    o : Out(traces(config))
        Traces after the touch; if it's none, the decayed traces.
    fired : Out(1)
    saturations : Out(2)
        How many traces saturated.
    """

    def __init__(self, *, config):
        self._config = config
        self._jump = config.synapse == "jump"
        super().__init__({
            "i": In(traces(config)),
            "arrival": In(1),
            "sum": In(signed(config.sum_bits)),
            "theta0": In(config.threshold_bits),
            **({"beta": In(config.threshold_bits)} if config.adaptive else {}),
            "o": Out(traces(config)),
            "fired": Out(1),
            "saturations": Out(2),
        })

    @property
    def latency(self):
        """Cycles from ``i.p`` to the outputs."""
        return 3 if self._jump else 2

    def _sum(self, m, name, value):
        """Return ``value`` saturated to a trace and whether that changed it, a cycle later."""
        saturated, clipped = saturate(m, value, self._config.trace_bits)
        total = Signal.like(saturated, name=name)
        over = Signal(name=f"{name}_over")
        m.d.sync += [total.eq(saturated), over.eq(clipped)]
        return total, over

    def _fires(self, m, p_arrived):
        """Return whether the neuron fires; the excess over the threshold grows term by term."""
        bits = self._config.trace_bits
        threshold = Signal(signed(bits + 2))
        excess = Signal(signed(bits + 2))
        fires = Signal()
        if self._config.adaptive:
            m.d.sync += threshold.eq(self.theta0 + self.i.a)
        else:
            m.d.comb += threshold.eq(self.theta0)
        if self._jump:
            m.d.sync += excess.eq(p_arrived - threshold)
            m.d.comb += fires.eq((excess >= 0) & self.arrival)
        else:
            level = Signal(signed(bits + 2))
            m.d.sync += [level.eq(threshold + self.i.q), excess.eq(self.i.p - level)]
            m.d.comb += fires.eq(excess >= 0)
        return fires

    def elaborate(self, platform):
        m = Module()
        amount = Signal(signed(self._config.sum_bits + self._config.guard_bits))
        m.d.comb += amount.eq(Mux(self.arrival, self.sum << self._config.guard_bits, 0))
        p, p_over = self._sum(m, "p_arrived", self.i.p + amount)
        fires = self._fires(m, p)

        if self._jump:
            m.d.sync += self.o.p.eq(Mux(fires, 0, p))
            over = p_over
        else:
            q, q_over = self._sum(m, "q_arrived", self.i.q + amount)
            m.d.sync += [self.o.p.eq(Mux(fires, q, p)), self.o.q.eq(q)]
            over = Mux(fires, q_over, p_over) + q_over
        if self._config.adaptive:
            a, a_over = self._sum(m, "a_raised", self.i.a + self.beta)
            m.d.sync += self.o.a.eq(Mux(fires, a, self.i.a))
            over = over + (fires & a_over)
        m.d.sync += [self.fired.eq(fires), self.saturations.eq(over)]
        return m
