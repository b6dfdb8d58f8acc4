"""What is proven of `Scheduler`."""

from amaranth.hdl import Cat, Const, Mux

from ..payloads import GROUP, GROUP_BITS
from ..scheduler import LOOK_CYCLES, Scheduler
from .spec import Spec, before, symbolic

__all__ = ["schedule_kept"]


def schedule_kept(*, config):
    """No tick starts before the last one's work is done; each word is given, dropped or an end."""
    unit = Scheduler(config=config, counting=4)
    spec = Spec(unit)
    m = spec.m
    word = unit.i.p
    spec.assume_stream(unit.i)
    # What a bank promises: it isn't idle in the two cycles after a start, nor in the cycle in which
    # a mark shows and the one after it.
    recent = [before(m, unit.start, k) for k in (1, 2)]
    shown = before(m, unit.look, 3 + config.relays)
    changed = (unit.busy != before(m, unit.busy)) & ~recent[0] & ~shown
    spec.assume(~unit.settled | ~(recent[0] | recent[1] | changed | before(m, changed)))
    taken = unit.i.valid & unit.i.ready
    given = unit.events.valid & unit.events.ready
    ends = taken & word.last
    # And what is settled stays so, marks included, until it's given something.
    rests = before(m, unit.settled & ~unit.start & ~given & ~unit.clear)
    spec.assume(~rests | (unit.settled & ~changed))
    ticks = _Ticks(spec, config)
    distance, room, until = ticks.distance, ticks.room, ticks.until
    legal = ticks.known & (distance(word.tick) >= 0) & (distance(word.tick) < room)
    nothing = taken & ~word.last & legal & (word.tick == unit.tick) & ticks.says_nothing

    inside = spec.inside
    settled = before(m, unit.settled & ~unit.start & ~taken)
    spec.claim(~inside.signal("calm") | rests & settled)
    _claim_looks(spec, config)
    _claim_judgement(spec, config)
    group, passed = inside.signal("group_number"), inside.signal("passed")
    looking = inside.signal("looking")
    now, ticking = unit.tick >> GROUP_BITS, inside.state("TICK") | inside.state("LOOK")
    # Between samples the group is that of the tick at which the next one starts.
    between = Cat(inside.state(name) for name in ("CLEAR", "READY")).any()
    if config.streaming:
        between = ~ticking
        spec.claim(inside.state("RESET") | inside.state("LAST") | inside.state("FINISH")
                   | (inside.signal("limit") == ticks.limit[: config.tick_bits]))
    spec.claim(~between | (group == ticks.first >> GROUP_BITS))
    # Looks go ahead of the tick while a word of a later tick waits, and no further than it.
    later = word.last | (ticks.known & (distance(word.tick) < room))
    ahead = distance(Cat(Const(0, GROUP_BITS), group)[: config.tick_bits])
    spec.claim(~ticking | (group == now)
               | (unit.i.valid & later & (ahead > 0) & (ahead <= until)))
    spec.claim(~ticking | (group != now)
               | (passed == ((Const(2) << unit.tick[:GROUP_BITS]) - 1)[:GROUP]))
    spec.claim(~ticking | (group == now) | (passed == 0)
               | (inside.state("LOOK") & (looking == 0)))
    spec.claim(~inside.state("LOOK") | (group != now))
    spec.claim(inside.state("LOOK") | (looking == 0))
    spec.claim(looking < LOOK_CYCLES + config.relays)
    # What `marks-shown` relies upon: nothing comes between a look and what it shows.
    for k in (1, 2):
        looked = before(m, unit.look, k)
        spec.claim(~looked | ~(unit.start | unit.look | unit.clear | given))
    spec.claim(~ticking | ((room > 0) & (room <= config.ticks)))
    # And what `marks` does.
    spec.claim(~(unit.start & unit.expected) | (unit.foreseen & (unit.upcoming == unit.next)))

    # What comes out for a word that goes in.
    spec.claim((given | unit.dropped | ends | nothing) == taken)
    spec.claim(given + unit.dropped + ends + nothing <= 1)
    spec.claim(~unit.events.valid | (unit.ticking & legal & (word.tick == unit.tick)
                                     & (unit.events.payload == word.channel)))
    spec.claim(~unit.dropped | ~legal)
    spec.claim_stream(unit.events)

    # A tick starts after work that is done, and never goes back or beyond the end.
    spec.claim(~unit.start | ~unit.ticking | settled)
    spec.claim(~unit.start | ~unit.ticking
               | ((distance(unit.upcoming) > 0) & (distance(unit.upcoming) < room)))
    spec.claim(~unit.start | unit.ticking | (unit.upcoming == ticks.first))
    spec.claim(~ends | ~unit.ticking | settled)
    spec.claim(~unit.start | unit.i.valid)
    # No tick passes over an event that waits for it.
    spec.claim(~unit.start | ~unit.ticking | word.last | ~legal
               | (distance(unit.upcoming) <= distance(word.tick)))
    # Nor over work that is due: one slot of the group that shows stands for all.
    slot = symbolic(m, GROUP_BITS, "slot")
    tick = Cat(slot, group)[: config.tick_bits]
    waits = unit.busy.bit_select(slot, 1) & (distance(tick) > 0)
    spec.claim(~unit.start | ~unit.ticking | ~waits | (distance(unit.upcoming) <= distance(tick)))
    spec.claim(~ends | ~unit.ticking | ~waits | (distance(tick) >= until))
    spec.claim(~unit.look | ~before(m, waits))
    spec.claim(~(unit.start | unit.events.valid) | ~unit.finish)
    spec.claim(~unit.clear | unit.clearing)
    return m


def _claim_looks(spec, config):
    """What was found is in what was shown: what's needed of the cycles before."""
    m, inside, unit = spec.m, spec.inside, spec.inside.unit
    shown = [before(m, unit.busy, k) for k in (1, 2)]
    passed = inside.signal("passed")
    last_passed = before(m, passed)
    started = [before(m, unit.start, k) for k in (1, 2)]
    looked = [before(m, unit.look, k) for k in range(1, LOOK_CYCLES + config.relays)]
    seen = 2 + config.relays  # where a look is when it shows
    for k, look in enumerate(looked, 1):
        spec.claim(~look | (inside.state("LOOK") & (inside.signal("looking") == k)))
    # What a bank's promise is about, in terms of what was shown.
    changed = before(m, (unit.busy != before(m, unit.busy)) & ~started[0] & ~looked[seen])
    spec.claim(changed == (shown[0] != shown[1]) & ~started[1] & ~looked[seen + 1])
    spec.claim(inside.signal("group_busy") == shown[0])
    spec.claim((passed == last_passed) | started[0] | looked[0])
    left, offset = shown[1] & ~last_passed, inside.signal("offset")
    spec.claim(unit.foreseen == left.any())
    spec.claim(~unit.foreseen | left.bit_select(offset, 1))
    spec.claim(~unit.foreseen | ((left & ((Const(1) << offset) - 1)[:GROUP]) == 0))
    over = _over(inside)
    spec.claim(~over | ~(started[0] | started[1] | looked[0]))
    spec.claim(~over | (shown[0] == shown[1]))


def _claim_judgement(spec, config):
    """When a tick is over, what was judged of the word is still so."""
    inside, unit, word, until = (spec.inside, spec.inside.unit, spec.inside.unit.i.p,
                                 spec.inside.signal("until"))
    over = _over(inside)
    spec.claim(~over | before(spec.m, unit.i.valid & ~unit.i.ready))
    spec.claim(~over | word.last | (inside.signal("legal") & (word.tick != unit.tick)))
    spec.claim(~over | (inside.signal("ends") == until))
    in_group = until[GROUP_BITS:] == inside.signal("group_number")
    spec.claim(~over | (inside.signal("word_first") == unit.foreseen | in_group))
    is_late = 0 if config.streaming else word.last & (word.tick <= unit.tick)
    spec.claim(~over | (inside.signal("late") == is_late))
    work_first = unit.foreseen & unit._before(unit.next, until)
    spec.claim(~over | (inside.signal("work_first") == work_first))


def _over(inside):
    """Return whether the tick is over."""
    return inside.state("TICK") & inside.signal("calm") & inside.signal("later")


class _Ticks:
    """Ticks as they lie around the current one; in a stream, where numbers wrap, half a round.

    Members
    -------
    first, limit : Value
        The tick at which the sample starts, and the first one that it can't have.
    room : Value
        How far away that is.
    until : Value
        How far away the tick is until which work goes first: that of the word that waits.
    known : Value
        The word's channel is there.
    says_nothing : Value
        It's that of no event.
    """

    def __init__(self, spec, config):
        unit = spec.inside.unit
        self._tick, self._config = unit.tick, config
        word, streaming = unit.i.p, config.streaming
        self.first = unit.length if streaming else Const(0)
        self.limit = self.first + config.ticks
        self.room = self.distance(self.limit)
        self.says_nothing = (word.channel == config.inputs) if streaming else Const(0)
        self.known = (word.channel < config.inputs) | self.says_nothing
        there = self.distance(word.tick)
        self.until = Mux(there > self.room, self.room, there)
        if streaming:
            self.until = Mux(word.last & (there <= 0), 1, self.until)

    def distance(self, tick):
        """Return how many ticks after the current one a tick is; below 0 if it has passed."""
        if not self._config.streaming:
            return tick - self._tick
        apart = (tick - self._tick)[: self._config.tick_bits]
        return Cat(apart, apart[-1] & apart[:-1].any()).as_signed()
