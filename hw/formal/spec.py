"""What most specifications say: streams keep their rules, and ghosts remember."""

from amaranth.asserts import AnyConst
from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value

from .inside import Inside

__all__ = ["Spec", "before", "steady", "symbolic"]


class Spec:
    """A specification in the making: a unit whose inputs do anything, and what must hold.

    Parameters
    ----------
    unit : wiring.Component

    Members
    -------
    m : Module
        To be proven. Registers of it are ghosts: they remember what the ports did. Its reset is
        free, as all the rest: a property that is asserted holds under a reset at any cycle.
    inside : Inside
    """

    def __init__(self, unit):
        self.m = Module()
        self.inside = Inside(unit)
        self.m.submodules.unit = self.inside

    def claim(self, condition):
        """Assert that ``condition`` holds at every cycle."""
        self.m.d.comb += Assert(condition, src_loc_at=1)

    def assume(self, condition):
        """Let the surroundings keep to ``condition`` at every cycle."""
        self.m.d.comb += Assume(condition, src_loc_at=1)

    def part(self, *path):
        """Return the specification of a unit inside this one: what it adds goes in here as well.

        What it assumes of its surroundings is claimed, since they're here.
        """
        return _PartSpec(self.m, self.inside.part(*path))

    def assume_stream(self, stream):
        """Let a word that the unit is offered hold until it's taken."""
        waited, payload = self._waiting(stream)
        self.m.d.comb += Assume(
            ~waited | (stream.valid & (Value.cast(stream.payload) == payload)), src_loc_at=1)

    def claim_stream(self, stream):
        """Assert that a stall changes nothing: a word holds until it's taken."""
        waited, payload = self._waiting(stream)
        self.m.d.comb += Assert(
            ~waited | (stream.valid & (Value.cast(stream.payload) == payload)), src_loc_at=1)

    def _waiting(self, stream):
        """Return whether a word was left waiting in the cycle before, and which."""
        waited = before(self.m, stream.valid & ~stream.ready)
        return waited, before(self.m, Value.cast(stream.payload))


class _PartSpec(Spec):
    """A specification within another one."""

    def __init__(self, m, inside):
        self.m, self.inside = m, inside

    def assume(self, condition):
        self.m.d.comb += Assert(condition, src_loc_at=1)

    assume_stream = Spec.claim_stream


def before(m, value, cycles=1):
    """Return ``value`` as it was some cycles ago; 0 in the first ones after a reset."""
    for _ in range(cycles):
        past = Signal(value.shape(), name="before")
        m.d.sync += past.eq(value)
        value = past
    return value


def steady(m, value, most):
    """Return ``value`` of the cycle before, and for how many cycles up to then it was the same.

    Parameters
    ----------
    m : Module
    value : Value
    most : int
        The count stops there. It's 0 after a reset.
    """
    value = Value.cast(value)
    past, run = before(m, value), Signal(range(most + 1), name="run")
    with m.If((value == past) & (run != 0)):
        m.d.sync += run.eq(Mux(run == most, most, run + 1))
    with m.Else():
        m.d.sync += run.eq(1)
    return past, run


def symbolic(m, shape, name, *, below=None):
    """Return a signal that has any value, or any one ``below`` a number, the same at all cycles."""
    value = Signal(shape, name=name)
    m.d.comb += Value.cast(value).eq(AnyConst(Value.cast(value).shape()))
    if below is not None:
        m.d.comb += Assume(value < below)
    return value
