"""How long a neuron can't fire: the sleep rule."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..model.arithmetic import MARGIN, MARGIN_SHIFT
from ..model.sizes import FRACTION
from .divide import DivideUnit
from .payloads import Memory, wheel_bits
from .scale import ScaleSignature, ScaleUnit, table_places

__all__ = ["SleepUnit"]

WORD_BITS = 2  # of a word's place in the table


class SleepUnit(wiring.Component):
    """Finds for how many ticks a neuron is safe from firing: twin of the model's ``sleep``.

    First, whether it's safe for ever; if not, what is left of the threshold is divided by the slope
    with which it's used up, a bit per cycle.

    Parameters
    ----------
    config : CoreConfig
        With ``exponential`` synapses.

    Members
    -------
    start : In(1)
        Begin.
    p, q, a : In(signed(config.trace_bits))
        Traces now. Must hold still from ``start`` until ``done``. ``a`` is never negative; it's 0
        without adaptation.
    stored : In(config.trace_bits - 1)
        With ``start``: the model's ``size`` of the traces that are stored.
    theta0 : In(config.threshold_bits)
        With ``start``: threshold at rest.
    done : Out(1)
        From 4 cycles after ``start`` on if the neuron is safe for ever, from ``search_cycles``
        later on if not; until the next ``start``. From a register.
    found : Out(1)
        One pulse, in the cycle before ``done``: the neuron isn't safe for ever. Combinational.
    tick : In(config.tick_bits)
        The current tick.
    slot : Out(wheel_bits(config))
        With ``found``: the slot of the next look's tick.
    scale : Out(ScaleSignature(config))
        Needed from ``start`` to ``done``.
    """

    def __init__(self, *, config):
        self._config = config
        super().__init__({
            "start": In(1),
            "p": In(signed(config.trace_bits)),
            "q": In(signed(config.trace_bits)),
            "a": In(signed(config.trace_bits)),
            "stored": In(config.trace_bits - 1),
            "theta0": In(config.threshold_bits),
            "done": Out(1),
            "found": Out(1),
            "tick": In(config.tick_bits),
            "slot": Out(wheel_bits(config)),
            "scale": Out(ScaleSignature(config)),
        })

    @property
    def search_cycles(self):
        """Cycles by which ``done`` comes later if the neuron isn't safe for ever."""
        return 5 + self._config.wake_bits  # three products, and the division

    def _ask(self, m, step):
        """Ask for the products of the table's words, one after the other."""
        start = table_places(self._config)[Memory.SLEEP].start
        m.d.comb += self.scale.address.eq(Cat(step[:WORD_BITS], Const(start >> WORD_BITS)))
        with m.Switch(step):
            with m.Case(0):
                m.d.comb += self.scale.x.eq(Mux(self.q < 0, 0, self.q))
            with m.Case(1):
                m.d.comb += self.scale.x.eq(self.q)
            with m.Case(2):
                m.d.comb += self.scale.x.eq(self.p)
            with m.Default():
                m.d.comb += self.scale.x.eq(self.a)

    def _room(self, m, step):
        """Return what a neuron has left of its threshold at rest, in step 3."""
        bits = self._config.trace_bits
        membrane = Signal(signed(bits + 1))
        margin = Signal(bits - 1 - MARGIN_SHIFT)
        base = Signal(signed(bits + 1))
        spare = Signal(signed(bits + 2))
        room = Signal(signed(bits + 3))
        with m.If(step == 0):
            m.d.sync += [
                membrane.eq(self.p - self.q),
                base.eq(self.theta0 - MARGIN),
                margin.eq(self.stored >> MARGIN_SHIFT),
            ]
        m.d.sync += [spare.eq(base - Mux(membrane < 0, 0, membrane)), room.eq(spare - margin)]
        return room

    def _slope(self, m, step, scaled):
        """Return the most of the threshold that is used up in a tick, in step 7."""
        bits = self._config.trace_bits
        rise = Signal(signed(bits + 2))
        slope = Signal(bits + 1)
        with m.If(step == ScaleUnit.latency + 1):
            m.d.sync += rise.eq(scaled + 1)
        with m.If(step == ScaleUnit.latency + 2):
            m.d.sync += rise.eq(rise - scaled)
        with m.If(step == ScaleUnit.latency + 3):
            m.d.sync += slope.eq(Mux(rise < 0, 0, rise) + scaled + 1)
        return slope

    def _divide(self, m, step, room, slope):
        """Return the quotient of room and slope, in the last step."""
        config = self._config
        m.submodules.divide = divide = DivideUnit(
            bits=config.trace_bits + 1, quotient_bits=config.wake_bits,
            fraction_bits=config.slope_bits)
        with m.If(step == ScaleUnit.latency):
            m.d.sync += divide.dividend.eq(room + self.a)
        m.d.comb += [
            divide.start.eq(step == ScaleUnit.latency + 3),
            divide.divisor.eq(slope),
        ]
        return divide.quotient

    def elaborate(self, platform):
        m = Module()
        last = ScaleUnit.latency + self.search_cycles
        step = Signal(range(last + 2))  # cycles since the start; 0 is idle too
        scaled = Signal(signed(self._config.trace_bits + 1))
        safe = Signal(signed(self._config.trace_bits + 3))  # nothing or more: for ever
        self._ask(m, step)
        room = self._room(m, step)
        slope = self._slope(m, step, scaled)
        ticks = self._divide(m, step, room, slope)
        m.d.comb += [
            scaled.eq(self.scale.product >> FRACTION),
            safe.eq(room - scaled),
            self.found.eq(step == last),
            # The pause is a tick longer, unless that's too long: by the carry of the only sum.
            self.slot.eq((Cat(~ticks.all(), ticks) + Cat(Const(1), self.tick))[1:]),
        ]
        with m.If(((step == ScaleUnit.latency) & (safe >= 0)) | self.found):
            m.d.sync += self.done.eq(1)
        with m.If(self.start):
            m.d.sync += [self.done.eq(0), step.eq(1)]
        with m.Elif(self.done):
            m.d.sync += step.eq(0)
        with m.Elif(step != 0):
            m.d.sync += step.eq(step + 1)
        return m
