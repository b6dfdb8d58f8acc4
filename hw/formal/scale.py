"""What is proven of `ScaleUnit`: everything but multiplication itself."""

from amaranth.hdl import Signal

from ..payloads import TABLE_BITS
from ..scale import ScaleUnit, table_places
from .spec import Spec, before, symbolic

__all__ = ["scale_exact"]


def scale_exact(*, config):
    """The product is that of ``x`` and the table word that was loaded last, 3 cycles later."""
    unit = ScaleUnit(config=config)
    spec = Spec(unit)
    m, inside = spec.m, spec.inside
    places = table_places(config)
    # One word of all tables stands for all.
    address = symbolic(m, unit.user.address.shape(), "address")
    word = inside.word("tables", address=address)
    spec.assume(address < max(place.stop for place in places.values()))
    x, factor = inside.signal("x_operand"), inside.signal("factor")
    loaded = Signal()
    for memory, place in places.items():
        with m.If((unit.load.memory == memory) & (address >= place.start) & (address < place.stop)
                  & (unit.load.address == address - place.start)):
            m.d.comb += loaded.eq(unit.load.en)
    last, known = Signal(word.shape()), Signal()
    written = before(m, loaded)  # in this cycle: then what is read of it isn't defined
    data = before(m, unit.load.data)
    with m.If(written):
        m.d.sync += [last.eq(data), known.eq(1)]
    asked = before(m, known & ~written & (unit.user.address == address), 2)
    spec.claim(~known | (word == last))
    spec.claim(~asked | (factor == before(m, last, 2)))
    spec.claim(x == before(m, unit.user.x, 2))
    # A solver can't multiply so many bits: the factors are proven, and that it's their product, in
    # two parts.
    low, high = inside.signal("product_low"), inside.signal("product_high")
    spec.claim(low == before(m, x[:TABLE_BITS] * factor))
    spec.claim(high == before(m, x[TABLE_BITS:].as_signed() * factor))
    spec.claim(unit.user.product == low + (high << TABLE_BITS))
    return m
