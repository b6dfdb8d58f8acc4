"""Any function in the multiplier's place: products of 18 and 17 bits are beyond a solver."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Mux, Signal

from ..scale import ScaleUnit
from .spec import before

__all__ = ["answer"]


def answer(m, scale, known):
    """Answer a unit's requests as a function does, of which some values are known.

    Parameters
    ----------
    m : Module
    scale : ScaleSignature
        The unit's port.
    known : list of (address, x, product)
    """
    product = Signal(scale.product.shape(), name="any_product")
    m.d.comb += product.eq(AnySeq(product.shape()))
    for address, x, value in known:
        asked = before(m, (scale.address == address) & (scale.x == x), ScaleUnit.latency)
        product = Mux(asked, value, product)
    m.d.comb += scale.product.eq(product)
