"""What is proven of `DivideUnit`."""

from amaranth.hdl import Cat, Mux, Signal

from ..divide import DivideUnit
from .spec import Spec, before

__all__ = ["divide_exact"]


def divide_exact(*, bits, quotient_bits, fraction_bits):
    """A quotient times the divisor is at most the dividend, and with one more it's above."""
    unit = DivideUnit(bits=bits, quotient_bits=quotient_bits, fraction_bits=fraction_bits)
    spec = Spec(unit)
    m, inside = spec.m, spec.inside
    cycle = Signal(range(unit.latency + 1))  # since the start, 0 if there was none
    dividend = Signal(unit.dividend.shape())  # that it started with
    divisor = before(m, unit.divisor)
    with m.If(unit.start):
        m.d.sync += [dividend.eq(unit.dividend), cycle.eq(1)]
    with m.Elif((cycle != 0) & (cycle != unit.latency)):
        m.d.sync += cycle.eq(cycle + 1)
    with m.Else():
        m.d.sync += cycle.eq(0)
    spec.claim(cycle <= unit.latency)
    spec.assume((cycle <= 1) | (unit.divisor == divisor))
    spec.assume((cycle == 0) | (unit.divisor != 0))

    # What was divided so far, the quotient so far, and what it takes of that: a product by Horner's
    # rule, since others are beyond the solver.
    upper, told, taken = (
        Signal(bits + quotient_bits, name=name) for name in ("upper", "told", "taken"))
    bit, digits = inside.signal("bit"), inside.signal("digits")
    with m.If(cycle < 2):
        m.d.sync += [
            upper.eq(dividend << fraction_bits >> quotient_bits), told.eq(0), taken.eq(0)]
    with m.Else():
        m.d.sync += [
            upper.eq(Cat(digits[-1], upper)),
            told.eq(Cat(bit, told)),
            taken.eq((taken << 1) + Mux(bit, unit.divisor, 0)),
        ]
    spec.claim(unit.quotient == digits)
    remainder = inside.signal("remainder")
    negative, over = inside.signal("negative"), inside.signal("over")
    whole = dividend << fraction_bits
    spec.claim((cycle == 0) | (negative == (dividend < 0)))
    spec.claim(inside.signal("judging") == (cycle == 1))
    spec.claim((cycle != 1) | negative | (
        (remainder == whole >> quotient_bits) & (digits == whole[:quotient_bits])))
    spec.claim((cycle < 2) | negative | (over == ((whole >> quotient_bits) >= unit.divisor)))
    plain = (cycle >= 2) & ~negative & ~over
    spec.claim(~plain | (remainder < unit.divisor))
    spec.claim(~plain | (upper == taken + remainder))
    for done in range(quotient_bits + 1):
        now = cycle == 2 + done
        found, left = digits[:done], digits[done:]
        spec.claim(~(now & negative) | ~found.any())
        spec.claim(~(now & ~negative & over) | found.all())
        spec.claim(~(now & plain) | (
            (left == whole[: quotient_bits - done]) & (upper == whole >> (quotient_bits - done))))
        spec.claim(~now | (found == told[:done]))
    return m
