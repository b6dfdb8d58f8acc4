"""What is proven of `SleepUnit`, for any function in the multiplier's place."""

from amaranth.hdl import Cat, Mux, Signal

from ...model.arithmetic import MARGIN, MARGIN_SHIFT
from ...model.sizes import FRACTION
from ..payloads import Memory
from ..scale import ScaleUnit, table_places
from ..sleep import SleepUnit
from .products import answer
from .spec import Spec, before, symbolic

__all__ = ["sleep_exact"]

LATENCY = ScaleUnit.latency
DIVIDED = LATENCY + 3  # cycles from the start to that of the division


def sleep_exact(*, config):
    """It's safe for ever, or what is left of the threshold is divided by the slope of its use."""
    unit = SleepUnit(config=config)
    spec = Spec(unit)
    m = spec.m
    spec.inside.drive(unit.scale.product)
    ports = (unit.p, unit.q, unit.a, unit.stored, unit.theta0)
    p, q, a, stored, theta0 = given = [
        symbolic(m, port.shape(), f"any_{k}") for k, port in enumerate(ports)]
    products = [symbolic(m, unit.scale.product.shape(), f"product_{k}") for k in range(4)]
    # No product is larger than its factors can be; the first and the last aren't negative.
    limit = 1 << (config.trace_bits - 1 + FRACTION)
    for product in products:
        spec.assume((product >= -limit) & (product < limit))
    spec.assume((products[0] >= 0) & (products[3] >= 0) & (a >= 0))
    start = table_places(config)[Memory.SLEEP].start
    answer(m, unit.scale, [(start + k, x, product) for k, (x, product) in enumerate(
        zip((_positive(q), q, p, a), products, strict=True))])

    # Since the start, 0 if there was none. It starts again after the first cycle with ``done``.
    cycle = Signal(range(LATENCY + unit.search_cycles + 2))
    with m.If((cycle != 0) & unit.done):
        m.d.sync += cycle.eq(0)
    with m.Elif(unit.start | (cycle != 0)):
        m.d.sync += cycle.eq(cycle + 1)
    for value in (unit.p, unit.q, unit.a):
        spec.assume((cycle == 0) | (value == before(m, value)))
    spec.assume(~unit.start | (cycle == 0))
    mine = Signal()  # it started with the given values
    with m.If(cycle == 0):
        m.d.sync += mine.eq(unit.start & _equal(ports, given))
    spec.claim(~mine | (cycle == 0) | _equal(ports[:3], given[:3]))

    room = theta0 - MARGIN - _positive(p - q) - (stored >> MARGIN_SHIFT)
    scaled = [product >> FRACTION for product in products]
    _claim_stages(spec, mine, cycle, {
        "membrane": (1, 4, p - q),
        "base": (1, 4, theta0 - MARGIN),
        "margin": (1, 4, stored >> MARGIN_SHIFT),
        "spare": (2, 3, theta0 - MARGIN - _positive(p - q)),
        "room": (LATENCY, LATENCY, room),
        "rise": (LATENCY + 2, LATENCY + 2, scaled[1] + 1),
        "slope": (DIVIDED + 1, DIVIDED + 16,
                  _positive(scaled[1] - scaled[2] + 1) + scaled[3] + 1),
    })
    spec.claim(~mine | (cycle != LATENCY + 3)
               | (spec.inside.signal("rise") == scaled[1] - scaled[2] + 1))
    spec.claim(~mine | (cycle != LATENCY + 1) | (unit.done == (room >= scaled[0])))
    _claim_division(spec, mine, cycle, room + a)
    return m


def _positive(value):
    return Mux(value < 0, 0, value)


def _equal(values, others):
    return Cat(value == other for value, other in zip(values, others, strict=True)).all()


def _claim_stages(spec, mine, cycle, held):
    """What registers hold from one cycle to another, so that each claim is about one sum."""
    spec.claim(spec.inside.signal("step") == cycle)
    for name, (first, last, value) in held.items():
        there = mine & (cycle >= first) & (cycle <= last)
        spec.claim(~there | (spec.inside.signal(name) == value))


def _claim_division(spec, mine, cycle, room):
    """What is divided, when, and the look that comes of it."""
    unit, inside = spec.inside.unit, spec.inside
    dividend, started = (inside.signal(name) for name in ("dividend", "start"))
    quotient = inside.signal("divide", "digits")
    spec.claim(~mine | (cycle <= LATENCY) | (cycle > DIVIDED) | (dividend == room))
    spec.claim(started == (cycle == DIVIDED))
    last = LATENCY + unit.search_cycles
    spec.claim(unit.found == (cycle == last))
    spec.claim((cycle <= LATENCY) | (cycle == LATENCY + 1) | (unit.done == (cycle == last + 1)))
    spec.claim((cycle == 0) | (cycle > LATENCY) | ~unit.done)
    spec.claim((cycle != 0) | (unit.done == before(spec.m, unit.done)))  # until the next start
    pause = Mux(quotient.all(), quotient, quotient + 1)
    spec.claim(unit.slot == (unit.tick + pause)[: len(unit.slot)])
