"""The passing of time: multiplies each trace of a neuron by its exponential."""

from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import FRACTION, LOW_WORDS
from .fixed import round_shift
from .payloads import Memory
from .scale import ScaleSignature, ScaleUnit, table_places

__all__ = ["DecayUnit", "traces"]

LOW_BITS = (LOW_WORDS - 1).bit_length()
TABLES = {
    "a": (Memory.LOW_A, Memory.HIGH_A),
    "q": (Memory.LOW_S, Memory.HIGH_S),
    "p": (Memory.LOW_M, Memory.HIGH_M),
}


def traces(config):
    """Return the layout of the traces that a neuron of ``config`` has, in the order of decay."""
    present = {"a": config.adaptive, "q": config.synapse == "exponential", "p": True}
    return data.StructLayout({
        name: signed(config.trace_bits) for name, is_present in present.items() if is_present})


class DecayUnit(wiring.Component):
    """Decays up to three traces by the same number of ticks: twin of the model's ``decay``.

    A trace is multiplied by a word of its fine table, the product by a word of its coarse table,
    and only that product is rounded. A lap of `ScaleUnit` takes three cycles, so the three traces
    follow one another without a gap: fine words in cycles 0 to 2, coarse words in cycles 3 to 5.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    start : In(1)
        Begin.
    elapsed : In(config.tick_bits)
        Ticks that have passed. Read in the cycle of ``start`` alone.
    i : In(traces(config))
        Traces before. Must hold still for 3 cycles from ``start`` on.
    o : Out(traces(config))
        Traces after: the first one of the layout 7 cycles after ``start``, each other one a cycle
        after the one before. They hold still until the same cycle of the next start.
    done : Out(1)
        One pulse, ``latency`` cycles after ``start``.
    scale : Out(ScaleSignature(config))
        Needed from ``start`` on for 6 cycles.
    """

    latency = 9

    def __init__(self, *, config):
        self._config = config
        super().__init__({
            "start": In(1),
            "elapsed": In(config.tick_bits),
            "i": In(traces(config)),
            "o": Out(traces(config)),
            "done": Out(1),
            "scale": Out(ScaleSignature(config)),
        })

    def elaborate(self, platform):
        m = Module()
        lap = ScaleUnit.latency
        places = table_places(self._config)
        started = Signal(self.latency)  # bit k: it started k + 1 cycles ago
        cycle = Cat(self.start, started)  # bit k: it started k cycles ago
        fine = Signal(LOW_BITS)
        coarse = Signal(max(1, self._config.tick_bits - LOW_BITS))
        decayed = Signal(signed(self._config.trace_bits))

        m.d.sync += started.eq(cycle)
        with m.If(self.start):
            m.d.sync += [fine.eq(self.elapsed), coarse.eq(self.elapsed >> LOW_BITS)]
        m.d.comb += [
            decayed.eq(round_shift(self.scale.product, 2 * FRACTION)),
            self.scale.x.eq(self.scale.product),
            self.done.eq(started[-1]),
        ]
        for k, name in enumerate(traces(self._config).members):
            low, high = (places[memory].start for memory in TABLES[name])
            now = Signal(LOW_BITS, name=f"fine_{name}")
            m.d.comb += now.eq(self.elapsed if k == 0 else fine)
            with m.If(cycle[k]):
                m.d.comb += [
                    self.scale.address.eq(Cat(now, Const(low >> LOW_BITS, 2))),
                    self.scale.x.eq(self.i[name]),
                ]
            with m.If(cycle[k + lap]):
                m.d.comb += self.scale.address.eq(coarse + high)
            with m.If(cycle[k + 2 * lap]):
                m.d.sync += self.o[name].eq(decayed)
        return m
