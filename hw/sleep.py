"""How long a neuron can't fire: the sleep rule."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..model.config import FRACTION, SLEEP_LEVELS
from .payloads import WAKE_BITS, Memory
from .scale import ScaleSignature, ScaleUnit, table_places

__all__ = ["SleepUnit"]

FOREVER = SLEEP_LEVELS - 1
LEVEL_BITS = FOREVER.bit_length()


class SleepUnit(wiring.Component):
    """Finds for how many ticks a neuron is safe from firing: twin of the model's ``sleep``.

    Tries the levels from "for ever" down, two products each, until the bound on the membrane
    stays under the threshold. What is left of the threshold is ``room``, and 0 is enough:

        room = theta0 + a sleep_a[level] - max(p - q, 0) - max(q, 0) sleep_q[level] - margin - 2

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
    theta0 : In(config.threshold_bits)
        Threshold at rest. Must hold still likewise.
    busy : Out(1)
        From ``start`` to ``done``, both included. Combinational.
    done : Out(1)
        One pulse: 4 cycles after ``start`` for level 7, 2 more per level below; level 0 comes
        with level 1. Combinational.
    forever : Out(1)
        With ``done``: no look is needed before the next touch.
    pause : Out(7)
        With ``done``, if not ``forever``: ticks until the next look.
    scale : Out(ScaleSignature(config))
        Needed while ``busy``.
    """

    def __init__(self, *, config):
        self._config = config
        super().__init__({
            "start": In(1),
            "p": In(signed(config.trace_bits)),
            "q": In(signed(config.trace_bits)),
            "a": In(signed(config.trace_bits)),
            "theta0": In(config.threshold_bits),
            "busy": Out(1),
            "done": Out(1),
            "forever": Out(1),
            "pause": Out(WAKE_BITS),
            "scale": Out(ScaleSignature(config)),
        })

    def _ask(self, m, step):
        """Ask for the products: q's of level 7 - k in step 2 k, a's in the next one."""
        places = table_places(self._config)
        level = Signal(LEVEL_BITS, name="asked")
        table_q, table_a = (Const(places[memory].start >> LEVEL_BITS)
                            for memory in (Memory.SLEEP_Q, Memory.SLEEP_A))
        m.d.comb += [
            level.eq(FOREVER - step[1:]),
            self.scale.address.eq(Cat(level, Mux(step[0], table_a, table_q))),
            self.scale.x.eq(Mux(step[0], self.a, Mux(self.q < 0, 0, self.q))),
        ]

    def _room(self, m, step):
        """Return the room that a level leaves, in the step in which a's product is there."""
        bits = self._config.trace_bits
        membrane = Signal(signed(bits + 1))
        base = Signal(signed(bits + 2))
        before = Signal(signed(bits + 3), name="room_without_products")
        after_q = Signal(signed(bits + 3), name="room_after_q")
        scaled = Signal(signed(bits + 1))
        room = Signal(signed(bits + 3))
        m.d.comb += [
            scaled.eq(self.scale.product >> FRACTION),
            room.eq(after_q + scaled),
        ]
        m.d.sync += [
            # The bound's own 1 and the strict comparison cost one last place each.
            base.eq(self.theta0 - (self._config.sleep_margin + 2)),
            membrane.eq(self.p - self.q),
            after_q.eq(before - scaled),
        ]
        with m.If(step == 1):
            m.d.sync += before.eq(base - Mux(membrane < 0, 0, membrane))
        return room

    def elaborate(self, platform):
        m = Module()
        step = Signal(5)  # cycles since the start; 0 is idle too
        level = Signal(LEVEL_BITS)
        judged = Signal()
        enough = Signal()

        self._ask(m, step)
        m.d.comb += [
            enough.eq(self._room(m, step) >= 0),
            # a's product of level 7 - k, asked for in step 2 k + 1, is there in step 2 k + 4.
            judged.eq(~step[0] & (step > ScaleUnit.latency)),
            level.eq(FOREVER + 2 - step[1:]),
            self.busy.eq(self.start | (step != 0)),
            self.done.eq(judged & (enough | (level == 1))),
            self.forever.eq(level == FOREVER),
            self.pause.eq(Mux(enough, 1 << level, 1)),
        ]
        with m.If(self.done):
            m.d.sync += step.eq(0)
        with m.Elif(self.busy):
            m.d.sync += step.eq(step + 1)
        return m
