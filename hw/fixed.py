"""Rounding and saturation as expressions: twins of the model's kernels of the same names."""

from amaranth.hdl import Cat, Mux, Signal, signed

__all__ = ["round_shift", "saturate"]


def round_shift(value, amount):
    """Return ``(value + 2**(amount - 1)) >> amount``, rounded down: half goes up.

    Parameters
    ----------
    value : signed or unsigned value
    amount : int
        Bits to drop. At least 1.
    """
    if amount < 1:
        raise ValueError(f"Rounding shift must drop at least 1 bit, not {amount!r}")
    return (value + (1 << (amount - 1))) >> amount


def saturate(m, value, width):
    """Return ``value`` saturated to ``signed(width)``, and whether that changed it.

    Parameters
    ----------
    m : Module
        Gets the combinational logic of two named signals, so that ``value`` is built once.
    value : signed value
    width : int
        Bits of the result.

    Returns
    -------
    saturated : Signal(signed(width))
    clipped : Signal(1)
    """
    shape = value.shape()
    if not shape.signed:
        raise TypeError(f"Value to saturate must be signed, not {shape!r}")
    total = Signal(signed(max(shape.width, width + 1)), name="saturate_total")
    saturated = Signal(signed(width), name="saturated")
    clipped = Signal(name="clipped")
    # It fits if all the bits from the new sign bit upwards are alike.
    head = total[width - 1:]
    sign = total[-1]
    m.d.comb += [
        total.eq(value),
        clipped.eq(head.any() & ~head.all()),
        saturated.eq(Mux(clipped, Cat(~sign.replicate(width - 1), sign), total[:width])),
    ]
    return saturated, clipped
