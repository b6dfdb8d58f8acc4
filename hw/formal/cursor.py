"""What is proven of `CursorFetch`, with its walk and any wheel that does as `cursors` says."""

from amaranth.hdl import Array, Mux, Signal
from amaranth.lib import data

from ...model.sizes import NEAREST
from ..cursor import CursorFetch
from ..payloads import cursor_row
from ..wheel import distance
from .spec import Spec
from .walk import claim_walk
from .wheelport import OneOfMany

__all__ = ["cursors_fetched"]


def cursors_fetched(*, config):
    """A spike's row is walked once or lost; a cursor that's handed out or taken is put once."""
    spec = Spec(CursorFetch(config=config))
    fetch = _Fetch(spec, config)
    fetch.assume_rows()
    fetch.claim_sources()
    fetch.claim_cursors()
    return spec.m


class _Fetch:
    """Sources on their way to a cursor, and any one cursor on its way to the wheel."""

    def __init__(self, spec, config):
        self._spec, self._config = spec, config
        self._unit, self._wheel, self._walk_unit = (
            spec.inside.unit, *(spec.inside.part(name).unit for name in ("wheel", "walk")))
        self._cursor = OneOfMany(spec, config)
        self._walk = claim_walk(spec.part("walk"), config)
        self._read, self._held = (spec.inside.signal(name) for name in ("read", "held"))
        self._sources = [Signal(config.source_bits, name=f"source_{k}") for k in range(2)]

    def _row(self, source):
        """Return the row of a source."""
        row = Signal(cursor_row(self._config))
        self._spec.m.d.comb += row.eq(self._spec.inside.word("rows", address=source))
        return row

    def assume_rows(self):
        """Let rows be sorted by delay, and cut where the next synapse is far away."""
        spec, config, walk, unit = self._spec, self._config, self._walk, self._unit
        spec.assume(~unit.i.valid | (unit.i.payload < config.sources))
        row, gap = self._row(unit.i.payload), walk.link.gap
        spec.assume(~unit.i.valid | (row.delay <= config.delay_max))
        reads = (walk.held != 0) & ~walk.walked.far
        spec.assume(~reads | (walk.walked.delay + gap <= config.delay_max))
        spec.assume(~reads | ~walk.link.end | (gap == 0) | (gap >= NEAREST))

    def claim_sources(self):
        """The row of an accepted source gets a cursor, or is lost or empty: once, and in turn."""
        spec, m, unit, wheel = self._spec, self._spec.m, self._unit, self._wheel
        accepted = unit.i.valid & unit.i.ready
        count = Signal(range(3))
        first, row = self._sources[0], self._row(self._sources[0])
        empty = self._held & (row.delay == 0)
        gone = wheel.take | unit.lost | empty
        spec.claim(wheel.take + unit.lost + empty <= 1)
        spec.claim(~gone | (count != 0))
        m.d.sync += count.eq(count + accepted - gone)
        with m.If(gone):
            m.d.sync += first.eq(self._sources[1])
        with m.If(accepted):
            m.d.sync += Array(self._sources)[count - gone].eq(unit.i.payload)
        spec.claim(count == self._read + self._held)
        spec.claim(~unit.idle | (count == 0))
        behind = self._row(self._sources[1])
        read = data.View(cursor_row(self._config), spec.inside.signal("rows_word"))
        found = spec.inside.signal("found__payload")
        spec.claim(~self._held | (found == row.as_value()))
        spec.claim(~self._read | (read.as_value()
                                  == Mux(self._held, behind.as_value(), row.as_value())))
        # It's lost if no cursor is left, and none comes back before the next tick.
        spec.claim(~unit.lost | self._cursor.waits & ~wheel.popping)
        self._taken = row

    def claim_cursors(self):
        """A cursor in use is in one place, with the pointer and the delay that it came with."""
        spec, m, wheel, walk, mine = (self._spec, self._spec.m, self._wheel, self._walk,
                                      self._cursor.number)
        to_walk = self._walk_unit.i
        places = [to_walk.valid & (to_walk.p.cursor == mine),
                  (walk.held != 0) & (walk.walked.cursor == mine),
                  (walk.held == 2) & (walk.next.cursor == mine)]
        spec.claim(sum(places) == self._cursor.used)
        handed = wheel.o.valid & wheel.o.ready
        spec.claim(~(handed & wheel.take))
        pointer, delay = Signal.like(to_walk.p.pointer), Signal.like(to_walk.p.delay)
        away = distance(wheel, wheel.o.p, (wheel.o.p.lap - wheel.lap)[: self._config.lap_bits])
        came = to_walk.valid & ~spec.inside.signal("new")  # from the wheel
        spec.claim(~(came & self._cursor.begins))
        with m.If(handed):
            m.d.sync += [pointer.eq(wheel.o.p.pointer), delay.eq(away)]
        with m.If(wheel.take):
            m.d.sync += [pointer.eq(self._taken.pointer), delay.eq(self._taken.delay)]
        spec.claim(~to_walk.valid | ((to_walk.p.pointer == pointer) & (to_walk.p.delay == delay)))
        spec.claim(to_walk.p.far == (to_walk.p.delay >= wheel.limit))
        spec.claim_stream(to_walk)
        # What is in use came since the last start, and is done with before the next one.
        busy = to_walk.valid | (walk.held != 0) | self._read | self._held
        spec.claim(~busy | self._cursor.begun)
        spec.claim(~self._unit.idle | ~busy)
        # So nothing is put for a tick too soon.
        for one, there in ((to_walk.p, to_walk.valid), (walk.walked, walk.held != 0),
                           (walk.next, walk.held == 2)):
            spec.claim(~there | (one.delay != 0) & (~one.far | (one.delay >= wheel.limit)))
