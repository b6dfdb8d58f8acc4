"""Division, a bit of the quotient per cycle."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["DivideUnit"]


class DivideUnit(wiring.Component):
    """Divides and rounds down; a quotient that's too large or negative is the nearest there is.

    Parameters
    ----------
    bits : int
        Of a divisor.
    quotient_bits, fraction_bits : int
        A dividend has ``fraction_bits`` more bits behind it, all 0: the quotient has as many
        fractional bits, out of ``quotient_bits`` at least.

    Members
    -------
    start : In(1)
        Begin, with ``dividend``.
    dividend : In(signed(bits + 1))
    divisor : In(bits)
        At least 1. Must hold still from the cycle after ``start`` until the quotient is there.
    quotient : Out(quotient_bits)
        Is there ``latency`` cycles after ``start``, in that cycle only.
    """

    def __init__(self, *, bits, quotient_bits, fraction_bits):
        if not 0 <= fraction_bits <= quotient_bits:
            raise ValueError(f"Fractional bits of a quotient must be from 0 to {quotient_bits}, "
                             f"not {fraction_bits!r}")
        self._bits = bits
        self._fraction_bits = fraction_bits
        super().__init__({
            "start": In(1),
            "dividend": In(signed(bits + 1)),
            "divisor": In(bits),
            "quotient": Out(quotient_bits),
        })

    @property
    def latency(self):
        """Cycles from ``start`` to the quotient."""
        return 2 + len(self.quotient)

    def elaborate(self, platform):
        m = Module()
        remainder = Signal(self._bits)  # less than the divisor, unless the quotient is too large
        digits = Signal.like(self.quotient)  # of the quotient; above them what is to be divided
        judging = Signal()  # whether the quotient is too large
        negative = Signal()
        over = Signal()
        bit = Signal()
        trial = Signal(self._bits + 1)
        excess = Signal(signed(self._bits + 2))
        m.d.comb += [
            trial.eq(Mux(judging, remainder, Cat(digits[-1], remainder))),
            excess.eq(trial - self.divisor),
            bit.eq(~negative & (over | (excess >= 0))),
            self.quotient.eq(digits),
        ]
        m.d.sync += [judging.eq(self.start), over.eq(Mux(judging, excess >= 0, over))]
        with m.If(self.start):
            m.d.sync += [
                Cat(digits, remainder).eq(self.dividend << self._fraction_bits),
                negative.eq(self.dividend < 0),
            ]
        with m.Elif(~judging):
            m.d.sync += [digits.eq(Cat(bit, digits)), remainder.eq(Mux(bit, excess, trial))]
        return m
