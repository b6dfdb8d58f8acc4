"""A core behind four pins, so that any of them can be placed on any device."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Harness"]


class Harness(wiring.Component):
    """Reaches every port of a core through a chain of registers at either side.

    A core has more ports than a device has pins, and its ports lead to other logic on a real
    board. Here each comes from a register and goes to one, so that the clock found is that of
    the core's own paths.

    Parameters
    ----------
    core : wiring.Component
        Its ports are signals of any direction.

    Members
    -------
    data : In(1)
        The core's inputs, bit by bit.
    hold : In(1)
        What was shifted in becomes the inputs; the outputs are taken over.
    result : Out(1)
        The outputs, bit by bit.
    """

    def __init__(self, core):
        self._core = core
        super().__init__({"data": In(1), "hold": In(1), "result": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = core = self._core
        ports = {In: [], Out: []}
        for _, member, port in core.signature.flatten(core):
            ports[member.flow].append(Value.cast(port))
        inputs, outputs = Cat(ports[In]), Cat(ports[Out])

        shifted, held = Signal(len(inputs)), Signal(len(inputs))
        m.d.sync += shifted.eq(Cat(self.data, shifted))
        with m.If(self.hold):
            m.d.sync += held.eq(shifted)
        m.d.comb += inputs.eq(held)

        taken = Signal(len(outputs))
        m.d.sync += taken.eq(Mux(self.hold, outputs, taken >> 1))
        m.d.comb += self.result.eq(taken[0])
        return m
