"""What is proven of `SleepUnit`, for any function in the multiplier's place."""

from amaranth.hdl import Mux, Signal

from ...model.config import FRACTION, SLEEP_LEVELS
from ..payloads import Memory
from ..scale import table_places
from ..sleep import SleepUnit
from .products import answer
from .spec import Spec, before, symbolic

__all__ = ["sleep_exact"]

LATENCY = 4  # from the start to the judgement of level 7


def sleep_exact(*, config):
    """The pause is that of the highest level whose bound is under the threshold, if one's is."""
    unit = SleepUnit(config=config)
    spec = Spec(unit)
    m = spec.m
    spec.inside.drive(unit.scale.product)
    # One level stands for all.
    level = symbolic(m, range(SLEEP_LEVELS), "level")
    spec.assume(level > 0)
    q = symbolic(m, unit.q.shape(), "any_q")
    a = symbolic(m, unit.a.shape(), "any_a")
    shape = unit.scale.product.shape()
    by_q, by_a = symbolic(m, shape, "by_q"), symbolic(m, shape, "by_a")
    # Neither factor is negative: no product is, nor is it larger than theirs can be.
    for product in (by_q, by_a):
        spec.assume((product >= 0) & (product < 1 << (config.trace_bits + FRACTION)))
    places = table_places(config)
    answer(m, unit.scale, [
        (places[Memory.SLEEP_Q].start + level, Mux(q < 0, 0, q), by_q),
        (places[Memory.SLEEP_A].start + level, a, by_a),
    ])  # fmt: skip

    cycle = Signal(range(2 * SLEEP_LEVELS + LATENCY))  # since the start, 0 if there was none
    with m.If(unit.done):
        m.d.sync += cycle.eq(0)
    with m.Elif(unit.start | (cycle != 0)):
        m.d.sync += cycle.eq(cycle + 1)
    for value in (unit.p, unit.q, unit.a, unit.theta0):
        spec.assume((cycle == 0) | (value == before(m, value)))
    spec.assume(unit.a >= 0)
    spec.assume(~unit.start | (cycle == 0))

    membrane = unit.p - unit.q
    room = (unit.theta0 - (config.sleep_margin + 2) - Mux(membrane < 0, 0, membrane)
            - (by_q >> FRACTION) + (by_a >> FRACTION))
    mine = (cycle == 2 * (SLEEP_LEVELS - 1 - level) + LATENCY) & (unit.q == q) & (unit.a == a)
    enough = room >= 0
    spec.claim(~mine | (unit.done == (enough | (level == 1))))
    spec.claim(~mine | (unit.forever == (level == SLEEP_LEVELS - 1)))
    spec.claim(~mine | (unit.pause == Mux(enough, 1 << level, 1)[:len(unit.pause)])
               | unit.forever)
    spec.claim(~unit.done | (~cycle[0] & (cycle >= LATENCY)))
    spec.claim(unit.busy == (unit.start | (cycle != 0)))
    spec.claim(cycle <= 2 * (SLEEP_LEVELS - 2) + LATENCY)
    _claim_stages(spec, cycle, membrane, config)
    return m


def _claim_stages(spec, cycle, membrane, config):
    """What the sum's registers hold, so that each claim is about one addition."""
    unit, inside = spec.inside.unit, spec.inside
    base, rest = inside.signal("base"), inside.signal("room_without_products")
    spec.claim(inside.signal("step") == cycle)
    spec.claim((cycle == 0) | (base == unit.theta0 - (config.sleep_margin + 2)))
    spec.claim((cycle == 0) | (inside.signal("membrane") == membrane))
    spec.claim((cycle < 2) | (rest == base - Mux(membrane < 0, 0, membrane)))
