"""What is proven of rounding and saturation."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Assert, Module, Mux, Signal, signed

from ..fixed import round_shift, saturate

__all__ = ["rounds", "saturates"]


def saturates(*, bits, width):
    """A sum becomes the nearest value of the trace, never another; a change is told."""
    m = Module()
    value = Signal(signed(bits))
    m.d.comb += value.eq(AnySeq(signed(bits)))
    result, clipped = saturate(m, value, width)
    top = (1 << (width - 1)) - 1
    nearest = Mux(value > top, top, Mux(value < -top - 1, -top - 1, value))
    m.d.comb += [
        Assert(result == nearest),
        Assert(clipped == (value != nearest)),
    ]
    return m


def rounds(*, bits, amount):
    """The result is the nearest number of steps; half a step goes up."""
    m = Module()
    value = Signal(signed(bits))
    result = Signal(signed(bits + 1 - amount))
    rest = Signal(signed(bits + 2))  # of the value, beyond the steps
    m.d.comb += [
        value.eq(AnySeq(signed(bits))),
        result.eq(round_shift(value, amount)),
        rest.eq(value - (result << amount)),
        Assert(rest >= -(1 << (amount - 1))),
        Assert(rest < (1 << (amount - 1))),
    ]
    return m
