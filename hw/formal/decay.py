"""What is proven of `DecayUnit`.

Products of any 18 and 17 bits are beyond a solver. So it's proven for any function in the
multiplier's place.
"""

from amaranth.hdl import Cat, Signal, signed

from ...model.sizes import FRACTION, LOW_WORDS
from ..decay import TABLES, DecayUnit, traces
from ..scale import table_places
from .products import answer
from .spec import Spec, before, symbolic

__all__ = ["decay_exact"]


def decay_exact(*, config, trace):
    """The trace becomes ``round_shift(x * low[l] * high[h], 32)``, for any tables."""
    unit = DecayUnit(config=config)
    spec = Spec(unit)
    m = spec.m
    spec.inside.drive(unit.scale.product)
    shape = unit.scale.product.shape()
    first, second = symbolic(m, shape, "first"), symbolic(m, shape, "second")
    x, elapsed = symbolic(m, signed(config.trace_bits), "x"), symbolic(
        m, config.tick_bits, "elapsed")
    places = table_places(config)
    low, high = (places[memory].start for memory in TABLES[trace])
    fraction = (LOW_WORDS - 1).bit_length()
    # The exact product of a trace and a word fits what the next multiplication takes.
    spec.assume(first == first[: len(unit.scale.x)].as_signed())
    answer(m, unit.scale, [
        (low + elapsed[:fraction], x, first),
        (high + elapsed[fraction:], first, second),
    ])  # fmt: skip

    hold = len(traces(config).members)
    started = Cat(before(m, unit.start, k) for k in range(1, unit.latency))
    for name in traces(config).members:
        held = Cat(unit.start, started)[1:hold].any()
        spec.assume(~held | (unit.i[name] == before(m, unit.i[name])))
    spec.assume(~unit.start | ~started.any())
    mine = unit.start & (unit.elapsed == elapsed) & (unit.i[trace] == x)
    due = before(m, mine, unit.latency)
    half = 1 << (2 * FRACTION - 1)
    result = Signal(signed(config.trace_bits))
    m.d.comb += result.eq((second + half) >> 2 * FRACTION)
    spec.claim(unit.done == before(m, unit.start, unit.latency))
    spec.claim(~due | (unit.o[trace] == result))
    return m
