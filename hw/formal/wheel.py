"""What is proven of `CursorWheel`."""

from amaranth.hdl import Array, Cat, Const, Mux, Signal
from amaranth.lib import data, enum

from ...model.sizes import LOOKUP, WHEEL_TICKS
from ..wheel import CursorWheel, distance
from .spec import Spec, before

__all__ = ["cursors_kept"]

PHASE_BITS = WHEEL_TICKS.bit_length() - 1
FLIGHT = (1, 2, 3)  # cycles after a put in which its cursor isn't in a list yet


class Place(enum.Enum, shape=3):
    """Where a cursor is: never used, free, with the surroundings, in its slot, on the way out."""

    FRESH = 0
    FREE = 1
    USED = 2
    WAITS = 3
    DUE = 4


def cursors_kept(*, config):
    """A cursor that's put is handed out once, in its slot, as it was put; spare ones are free."""
    spec = Spec(CursorWheel(config=config))
    wheel = _Cursors(spec, config)
    wheel.assume_surroundings()
    wheel.follow()
    wheel.claim_ports()
    wheel.claim_flight()
    wheel.claim_slots()
    wheel.claim_lists()
    wheel.claim_clearing()
    return spec.m


class _Cursor:
    """Ghosts of one cursor.

    Members
    -------
    place : Signal(Place)
    rank : Signal
        In its list: 1 is the last one; 0 until it's there.
    pointer : Signal
        As it was put,
    arrival : Signal
        and the tick in which its synapse arrives, modulo all laps of the wheel.
    time : Value
        The tick in which it's handed out at the latest, plus the phase.
    slot : Value
    """

    def __init__(self, m, config, number):
        self.number = number
        self.place = Signal(Place, name=f"place_{number}")
        self.rank = Signal(range(config.cursors + 1), name=f"rank_{number}")
        self.pointer = Signal(config.pointer_bits, name=f"pointer_{number}")
        self.arrival = Signal(PHASE_BITS + config.slot_bits + config.lap_bits,
                              name=f"arrival_{number}")
        self.time = Signal.like(self.arrival, name=f"time_{number}")
        m.d.comb += self.time.eq(self.arrival - WHEEL_TICKS)
        self.slot = self.time[PHASE_BITS : PHASE_BITS + config.slot_bits]
        self.listed = self.rank != 0

    def at(self, place):
        return self.place == place

    def waits_in(self, slot):
        """Return whether it's in the list of a slot."""
        return self.at(Place.WAITS) & self.listed & (self.slot == slot)

    def beside(self, other):
        """Return whether another one is in the same list."""
        return (self.listed & other.listed & (self.place == other.place)
                & (~self.at(Place.WAITS) | (self.slot == other.slot)))


def _chain(m, value):
    """Return ``value`` as it was in the cycles in which a put is in flight, by how long ago."""
    chain = {}
    for k in FLIGHT:
        chain[k] = value = before(m, value)
    return chain


class _Cursors:
    """All cursors, each with where it is: a list says too little of any one of them."""

    def __init__(self, spec, config):
        self._spec, self._config = spec, config
        m, self._inside = spec.m, spec.inside
        unit = self._unit = spec.inside.unit
        self._cursors = [_Cursor(m, config, k) for k in range(config.cursors)]
        self._cleared, self._begun = Signal(), Signal()
        self._now = Signal(config.tick_bits)  # the current tick
        self._begins = Signal()
        m.d.comb += self._begins.eq(
            unit.start & (unit.tick[PHASE_BITS:] != self._now[PHASE_BITS:]))
        self._puts, self._put_cursors, self._lasts, self._pops = (
            _chain(m, value) for value in (
                unit.put, unit.put_cursor, unit.put & unit.put_last, self._begins))
        self._started = before(m, unit.start)
        self._clearing = self._inside.signal("clearing")
        self._pool = [self._inside.word("pool", address=k) for k in range(config.cursors)]
        self._heads = [self._inside.word("heads", address=k) for k in range(config.wheel_slots)]
        link = self._pool[0].next.shape()
        self._head, self._free = (data.View(link, self._inside.signal(name))
                                  for name in ("head", "free"))

    def _of(self, number, name):
        """Return a ghost of the cursor with a number."""
        return Array(getattr(one, name) for one in self._cursors)[number]

    def assume_surroundings(self):
        """Let puts and commands come as the fetch unit gives them."""
        spec, unit = self._spec, self._unit
        looked = before(spec.m, unit.look)
        commands = unit.start | unit.look | unit.clear
        spec.assume(~commands | unit.idle & ~(unit.put | unit.take))
        spec.assume(unit.start + unit.look + unit.clear <= 1)
        spec.assume(~unit.start | self._cleared)
        spec.assume(~(unit.put | unit.take) | self._begun)
        spec.assume(~unit.put | (self._of(unit.put_cursor, "place") == Place.USED))
        spec.assume(~unit.put | unit.put_last | (unit.put_delay >= unit.limit))
        spec.assume(~unit.put | ~(self._puts[1] | self._started))
        # Pointer and cursor are taken a cycle later.
        spec.assume(~self._puts[1] | (unit.put_cursor == self._put_cursors[1]))
        spec.assume(~self._puts[1] | (unit.put_pointer == self._of(unit.put_cursor, "pointer")))
        spec.assume(~unit.take | (unit.spare & ~unit.popping))
        spec.assume(~looked | ~(commands | unit.put))
        spec.assume(~looked | (unit.group == before(spec.m, unit.group)))

    def follow(self):
        """Let the ghosts follow what the ports do."""
        m, unit = self._spec.m, self._unit
        with m.If(unit.start):
            m.d.sync += [self._now.eq(unit.tick), self._begun.eq(1)]
        with m.If(unit.clear):
            m.d.sync += [self._now.eq(0), self._begun.eq(0), self._cleared.eq(1)]
        for one in self._cursors:
            count = Signal.like(one.rank, name=f"count_{one.number}")  # of its list's others
            m.d.comb += count.eq(sum(
                other.listed & (other.place == one.place)
                & (~one.at(Place.WAITS) | (other.slot == one.slot))
                for other in self._cursors if other is not one))
            with m.If(self._puts[3] & (self._put_cursors[3] == one.number)):
                m.d.sync += one.rank.eq(count + 1)
            with m.If(unit.put & (unit.put_cursor == one.number)):
                m.d.sync += [
                    one.place.eq(Mux(unit.put_last, Place.FREE, Place.WAITS)),
                    one.rank.eq(0),
                    one.pointer.eq(unit.put_pointer),
                    one.arrival.eq(self._now + unit.put_delay),
                ]
            slot = unit.tick[PHASE_BITS : PHASE_BITS + len(one.slot)]
            with m.If(self._begins & one.at(Place.WAITS) & (one.slot == slot)):
                m.d.sync += one.place.eq(Place.DUE)
            handed = unit.o.valid & unit.o.ready & (unit.o.p.cursor == one.number)
            with m.If(handed | (unit.take & (unit.spare_cursor == one.number))):
                m.d.sync += [one.place.eq(Place.USED), one.rank.eq(0)]
            with m.If(unit.clear):
                m.d.sync += [one.place.eq(Place.FRESH), one.rank.eq(0)]

    def claim_ports(self):
        """What the ports say of cursors is so."""
        spec, unit, config = self._spec, self._unit, self._config
        word = unit.o.p
        left = (word.lap - unit.lap)[: config.lap_bits]
        arrival = self._of(word.cursor, "arrival")
        away = (arrival - self._now)[: len(arrival)]
        slot = self._of(word.cursor, "time")[PHASE_BITS:][: config.slot_bits]
        spec.claim(~unit.o.valid | (self._of(word.cursor, "place") == Place.DUE))
        spec.claim(~unit.o.valid | (word.pointer == self._of(word.cursor, "pointer")))
        spec.claim(~unit.o.valid | (distance(unit, word, left) == away))
        spec.claim(~unit.o.valid | (slot == self._now[PHASE_BITS:][: config.slot_bits]))
        spec.claim_stream(unit.o)
        free = self._of(unit.spare_cursor, "place")
        spec.claim(~unit.spare | ~self._cleared | (free == Place.FRESH) | (free == Place.FREE))
        for one in self._cursors:
            spec.claim(unit.popping | ~one.at(Place.DUE))
            spec.claim(~unit.empty | ~one.at(Place.FRESH) & ~(one.at(Place.FREE) & one.listed))
        # One that is due comes in the second cycle after the one before it, the first in the fifth.
        begun = Cat(self._pops.values()).any() | before(spec.m, self._pops[3])
        spec.claim(~unit.popping | unit.o.valid | begun | before(spec.m, unit.o.valid))

    def claim_flight(self):
        """What was put, and which slot is handed out, is on its way through the three cycles."""
        spec, unit, signal = self._spec, self._unit, self._inside.signal
        now, time, entry = self._now, signal("time"), signal("entry")
        width = len(time)
        for k in FLIGHT:
            spec.claim(signal(f"stage_{k - 1}") == self._puts[k] | self._pops[k])
            spec.claim(signal(f"pop_{k - 1}") == self._pops[k])
            spec.claim(signal(f"last_{k - 1}") == self._lasts[k])
            spec.claim(~self._lasts[k] | self._puts[k])
            # A slot begins while nothing is on its way.
            spec.claim(~self._pops[k] | ~Cat(self._puts[later] for later in FLIGHT[k - 1:]).any())
        pops, busy = Cat(self._pops.values()), [self._puts[k] | self._pops[k] for k in FLIGHT]
        spec.claim(~(busy[0] & busy[1]) & ~(busy[1] & busy[2]))
        spec.claim((pops & (pops - 1)) == 0)
        spec.claim(~self._pops[1] | self._started)
        spec.claim(~self._begun | (signal("base") == (now - WHEEL_TICKS)[:width]))
        spec.claim(~self._begun | (unit.limit == 2 * WHEEL_TICKS - now[:PHASE_BITS]))
        spec.claim(signal("current") == now[PHASE_BITS:])
        spec.claim(~self._begun | self._cleared)
        spec.claim(self._begun | ~Cat(pops, self._puts.values()).any())
        spec.claim(~self._pops[1] | (signal("delay") == WHEEL_TICKS))
        spec.claim(~(self._pops[2] | self._pops[3]) | (time == now[:width]))
        for one in self._cursors:
            mine = {k: self._puts[k] & (self._put_cursors[k] == one.number) for k in FLIGHT}
            spec.claim((one.at(Place.WAITS) | one.at(Place.FREE)) & ~one.listed
                       == Cat(mine.values()).any())
            spec.claim(sum(mine.values()) <= 1)
            spec.claim(~mine[1] | one.at(Place.FREE)
                       | (one.arrival == (now + signal("delay"))[:width]))
            for k in FLIGHT:
                spec.claim(~mine[k] | (self._lasts[k] == one.at(Place.FREE)))
            for k in (2, 3):
                spec.claim(~mine[k] | (entry == Cat(
                    Mux(one.at(Place.FREE), entry[: len(one.pointer)], one.pointer),
                    Const(one.number, self._config.cursor_bits))))
                spec.claim(~mine[k] | one.at(Place.FREE) | (time == one.time))

    def _mark(self, slot):
        """Return the mark of a slot, as the memory has it."""
        per = LOOKUP // WHEEL_TICKS
        return self._inside.word("marks", address=slot // per)[slot % per]

    def claim_slots(self):
        """A slot's mark and head are those of its list; the slot that is begun is still there."""
        spec, config, signal = self._spec, self._config, self._inside.signal
        known = self._cleared & ~self._clearing
        slot = signal("time")[PHASE_BITS : PHASE_BITS + config.slot_bits]
        popping = Cat(self._pops.values()).any()
        current = self._now[PHASE_BITS:][: config.slot_bits]
        per = LOOKUP // WHEEL_TICKS
        for number, head in enumerate(self._heads):
            pops = popping & (current == number)
            mark = Signal(name=f"mark_{number}")
            spec.m.d.comb += mark.eq(self._mark(number))
            top = self._top(head, lambda one, number=number, pops=pops: Mux(
                pops, one.at(Place.DUE), one.waits_in(number)))
            spec.claim(~known | ~mark | top)
            for one in self._cursors:
                spec.claim(~known | mark | ~one.waits_in(number))
                spec.claim(~known | mark | ~pops | ~one.at(Place.DUE))
                spec.claim(~pops | ~one.waits_in(number))
            stage = signal("stage_2") & (slot == number)
            spec.claim(~stage | (signal("heads_word") == head))
            marks = self._inside.word("marks", address=number // per)
            spec.claim(~stage | (signal("marks_word") == marks))
        self._claim_busy()

    def _claim_busy(self):
        """A cursor shows in the group that was looked at last."""
        spec, unit, config, signal = self._spec, self._unit, self._config, self._inside.signal
        looked = before(spec.m, unit.look)
        spec.claim(signal("looked") == looked)
        spec.claim(~looked | ~Cat(signal("stage_0"), signal("stage_1"), signal("stage_2")).any())
        group = before(spec.m, unit.group)
        bits = (LOOKUP - 1).bit_length()
        for one in self._cursors:
            shows = one.at(Place.WAITS) & (
                one.listed | self._puts[3] & (self._put_cursors[3] == one.number))
            tick = one.time[PHASE_BITS:]
            last = Cat(Const(WHEEL_TICKS - 1, PHASE_BITS), one.time[PHASE_BITS:bits])
            bit = unit.busy.bit_select(last, 1)
            window = signal("window")[: len(one.time) - bits]
            spec.claim(~shows | (one.time[bits:] != window) | bit | looked)
            spec.claim(~(one.at(Place.WAITS) & self._begun)
                       | (tick != self._now[PHASE_BITS:][: len(tick)]))
            stored = Signal()
            spec.m.d.comb += stored.eq(signal("marks_word").bit_select(
                one.time[PHASE_BITS:bits], 1))
            place = one.time[bits:][: (config.wheel_slots * WHEEL_TICKS // LOOKUP - 1).bit_length()]
            spec.claim(~looked | ~shows | (place != group[: len(place)]) | stored)

    def _top(self, number, member):
        """Return whether a cursor is in a list, and no member comes before it."""
        return (Array(member(one) for one in self._cursors)[number]
                & Cat(~member(one) | (one.rank <= self._of(number, "rank"))
                      for one in self._cursors).all())

    def claim_lists(self):
        """Each cursor of a list tells the next one, and what was put."""
        spec, config, signal = self._spec, self._config, self._inside.signal
        popping = Cat(self._pops.values()).any()
        for one in self._cursors:
            word, listed = self._pool[one.number], one.listed
            lower = Cat(one.beside(other) & (other.rank == one.rank - 1)
                        & (word.next.cursor == other.number)
                        for other in self._cursors if other is not one).any()
            spec.claim(one.place.as_value() <= Place.DUE.value)
            spec.claim(one.rank <= config.cursors)
            spec.claim(~listed | (word.next.valid == (one.rank > 1)))
            spec.claim(~listed | (one.rank == 1) | lower)
            spec.claim(~one.at(Place.DUE) | listed)
            spec.claim(~(one.at(Place.USED) | one.at(Place.FRESH)) | ~listed)
            kept = (one.at(Place.WAITS) & listed) | one.at(Place.DUE)
            phase, lap = one.time[:PHASE_BITS], one.time[PHASE_BITS + config.slot_bits :]
            spec.claim(~kept | ((word.pointer == one.pointer) & (word.phase == phase)
                                & (word.lap == lap)))
            spec.claim(~one.at(Place.DUE) | (one.slot == self._now[PHASE_BITS:][: len(one.slot)]))
            for other in self._cursors[: one.number]:
                spec.claim(~one.beside(other) | (one.rank != other.rank))
            spec.claim(~self._cleared | (one.at(Place.FRESH) == (signal("fresh") <= one.number)))
            spec.claim(self._free.valid | ~one.at(Place.FREE) | ~listed)
            spec.claim(self._head.valid | popping | ~one.at(Place.DUE))
            spec.claim(self._begun | one.at(Place.FRESH))
        words = Array(word.as_value() for word in self._pool)
        head, free, valid = self._head, self._free, self._unit.o.valid
        read = signal("pool_word")
        spec.claim(signal("fresh") <= config.cursors)
        spec.claim(~head.valid | self._top(head.cursor, lambda one: one.at(Place.DUE)))
        spec.claim(~head.valid | ~popping)
        spec.claim(~valid | head.valid)
        spec.claim(~valid | (read == words[head.cursor]))
        lap = self._now[PHASE_BITS + config.slot_bits :][: config.lap_bits]
        spec.claim(~head.valid | (self._unit.lap == lap))
        spec.claim(~free.valid | self._top(
            free.cursor, lambda one: one.at(Place.FREE) & one.listed))
        spec.claim(~signal("listed") | ~free.valid | (read == words[free.cursor]))

    def claim_clearing(self):
        """While all is forgotten, what was swept has no marks."""
        spec, unit, config = self._spec, self._unit, self._config
        sweep = self._inside.signal("sweep")
        words = config.wheel_slots * WHEEL_TICKS // LOOKUP
        spec.claim(self._clearing | (sweep == 0))
        spec.claim(~self._clearing | ~self._begun & self._cleared)
        for k in range(words):
            word = self._inside.word("marks", address=k)
            spec.claim(~self._clearing | (sweep <= k) | (word == 0))
        spec.claim(~self._clearing | ~Cat(self._puts.values(), self._pops.values()).any())
        for one in self._cursors:
            spec.claim(~self._clearing | one.at(Place.FRESH))
            spec.claim(~unit.idle | ~one.at(Place.DUE))
