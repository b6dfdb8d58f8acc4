"""A `CursorWheel` as its users see it: what they rely upon, and what they owe it."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Cat, Mux, Signal
from amaranth.lib import data, enum

from ...model.sizes import WHEEL_TICKS
from ..wheel import CursorWheel
from .spec import Spec, before, symbolic

__all__ = ["OneOfMany", "slots_begun"]

FLIGHT = (1, 2, 3)  # cycles after a start in which its slot is looked up


def slots_begun(*, config):
    """A lap changes only when a slot begins, and nothing is handed out until it's known."""
    spec = Spec(CursorWheel(config=config))
    m, unit, inside = spec.m, spec.inside.unit, spec.inside
    spec.assume(~unit.start | unit.idle)
    starts = {k: before(m, unit.start, k) for k in FLIGHT}
    began = before(m, starts[3])
    head = data.View(unit._link, inside.signal("head"))
    for k in FLIGHT:
        later = Cat(starts[late] for late in FLIGHT[: k - 1]).any()
        spec.claim(~inside.signal(f"pop_{k - 1}") | starts[k] & ~later & ~head.valid)
    spec.claim((unit.lap == before(m, unit.lap)) | began)
    spec.claim(~head.valid | ~Cat(starts.values()).any())
    spec.claim(~unit.o.valid | head.valid & ~began)
    spec.claim(~unit.empty | ~unit.spare)
    return m


class Place(enum.Enum, shape=2):
    """Where a cursor is: it's spare, in use, in the wheel, or on its way out of there."""

    SPARE = 0
    USED = 1
    WAITS = 2
    DUE = 3


class OneOfMany:
    """Any one cursor, as it's seen at the ports of a fetch's wheel.

    The wheel does anything but for what `cursors` and `slots-begun` claim of it.

    Parameters
    ----------
    spec : Spec
        Of the fetch, which has a ``wheel``.

    Members
    -------
    number : Signal
    used : Value
        The fetch has it.
    waits : Value
        The wheel has it.
    begins : Value
        A slot may be on its way to being handed out.
    begun, cleared : Signal(1)
        There was a start since the last clear; and a clear.
    """

    def __init__(self, spec, config):
        m, fetch, wheel = spec.m, spec.inside.unit, spec.inside.part("wheel").unit
        self._spec, self._fetch, self._wheel = spec, fetch, wheel
        spec.inside.part("wheel").loosen()
        self.number = symbolic(m, range(config.cursors), "cursor", below=config.cursors)
        self._place = Signal(Place)
        self.used, self.waits = self._at(Place.USED), self._at(Place.WAITS)
        self.begun, self.cleared = Signal(), Signal()
        phase = Signal((WHEEL_TICKS - 1).bit_length())  # of the current tick
        with m.If(fetch.start):
            m.d.sync += [phase.eq(fetch.tick), self.begun.eq(1)]
            with m.If(self.waits & AnySeq(1)):
                m.d.sync += self._place.eq(Place.DUE)
        with m.If(wheel.put & (wheel.put_cursor == self.number)):
            m.d.sync += self._place.eq(Mux(wheel.put_last, Place.SPARE, Place.WAITS))
        handed, taken = self.is_handed & wheel.o.ready, self.is_spare & wheel.take
        with m.If(handed | taken):
            m.d.sync += self._place.eq(Place.USED)
        with m.If(fetch.clear):
            m.d.sync += [self._place.eq(Place.SPARE), self.begun.eq(0), self.cleared.eq(1)]
        self._assume_fetch()
        self._assume_wheel(config, phase)
        self._claim_surroundings()

    def _at(self, place):
        return self._place == place

    @property
    def is_handed(self):
        wheel = self._wheel
        return wheel.o.valid & (wheel.o.p.cursor == self.number)

    @property
    def is_spare(self):
        return self._wheel.spare & (self._wheel.spare_cursor == self.number)

    def _assume_fetch(self):
        """Let sources and commands come as a bank gives them."""
        spec, fetch = self._spec, self._fetch
        commands, looked = fetch.start | fetch.look | fetch.clear, before(spec.m, fetch.look)
        spec.assume_stream(fetch.i)
        spec.assume(~commands | fetch.idle & ~fetch.i.valid)
        spec.assume(fetch.start + fetch.look + fetch.clear <= 1)
        spec.assume(~fetch.start | self.cleared)
        spec.assume(~fetch.i.valid | self.begun)
        spec.assume(~looked | ~commands & (fetch.group == before(spec.m, fetch.group)))
        spec.assume(~fetch.load.en | fetch.idle & ~fetch.i.valid)

    def _assume_wheel(self, config, phase):
        """Let the wheel do what `cursors` and `slots-begun` say of it."""
        spec, m, wheel = self._spec, self._spec.m, self._wheel
        starts = [before(m, self._fetch.start, k) for k in range(1, 5)]
        self.begins = Cat(starts).any()
        spec.assume_stream(wheel.o)
        spec.assume(~self.is_handed | self._at(Place.DUE))
        spec.assume(~self.is_spare | self._at(Place.SPARE))
        spec.assume(wheel.popping | ~(wheel.o.valid | self._at(Place.DUE)))
        spec.assume(~wheel.idle | ~wheel.popping)
        spec.assume(~(wheel.empty & wheel.spare))
        spec.assume(~(wheel.empty & wheel.idle) | ~self._at(Place.SPARE))
        spec.assume(~self.begun | (wheel.limit == 2 * WHEEL_TICKS - phase))
        spec.assume((wheel.lap == before(m, wheel.lap)) | starts[-1])
        spec.assume(~wheel.o.valid | self.begun & ~self.begins)
        spec.assume(~wheel.o.valid | (wheel.o.p.cursor < config.cursors))
        spec.assume(~wheel.spare | (wheel.spare_cursor < config.cursors))

    def _claim_surroundings(self):
        """Claim what `cursors` assumes of those who use the wheel."""
        spec, m, unit = self._spec, self._spec.m, self._wheel
        looked, put, started = (before(m, port) for port in (unit.look, unit.put, unit.start))
        commands = unit.start | unit.look | unit.clear
        spec.claim(~commands | unit.idle & ~(unit.put | unit.take))
        spec.claim(unit.start + unit.look + unit.clear <= 1)
        spec.claim(~unit.start | self.cleared)
        spec.claim(~(unit.put | unit.take) | self.begun)
        spec.claim(~unit.put | (unit.put_cursor != self.number) | self.used)
        spec.claim(~unit.put | unit.put_last | (unit.put_delay >= unit.limit))
        spec.claim(~unit.put | ~(put | started))
        for port in (unit.put_cursor, unit.put_pointer):
            spec.claim(~put | (port == before(m, port)))
        spec.claim(~unit.take | (unit.spare & ~unit.popping))
        spec.claim(~looked | ~(commands | unit.put))
        spec.claim(~looked | (unit.group == before(m, unit.group)))
