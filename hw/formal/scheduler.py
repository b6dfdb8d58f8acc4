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
    changed = (unit.busy != before(m, unit.busy)) & ~recent[0] & ~before(m, unit.look, 3)
    spec.assume(~unit.settled | ~(recent[0] | recent[1] | changed | before(m, changed)))
    taken = unit.i.valid & unit.i.ready
    given = unit.events.valid & unit.events.ready
    ends = taken & word.last
    # And what is settled stays so, marks included, until it's given something.
    rests = before(m, unit.settled & ~unit.start & ~given & ~unit.clear)
    spec.assume(~rests | (unit.settled & ~changed))
    legal = ((word.channel < config.inputs) & (word.tick < config.ticks)
             & (word.tick >= unit.tick))

    inside = spec.inside
    group, passed = inside.signal("group_number"), inside.signal("passed")
    looking = inside.signal("looking")
    now, ticking = unit.tick >> GROUP_BITS, inside.state("TICK") | inside.state("LOOK")
    spec.claim(~ticking | (group >= now))
    spec.claim(~(inside.state("CLEAR") | inside.state("READY")) | (group == 0))
    # Looks go ahead of the tick while a word of a later tick waits, and no further than it.
    until = Mux(word.tick > config.ticks, config.ticks, word.tick)
    later = word.last | ((word.channel < config.inputs) & (word.tick < config.ticks))
    spec.claim(~ticking | (group == now)
               | (unit.i.valid & later & (until > unit.tick) & (group <= until >> GROUP_BITS)))
    spec.claim(~ticking | (group != now)
               | (passed == ((Const(2) << unit.tick[:GROUP_BITS]) - 1)[:GROUP]))
    spec.claim(~ticking | (group == now) | (passed == 0)
               | (inside.state("LOOK") & (looking == 0)))
    spec.claim(~inside.state("LOOK") | (group > now))
    spec.claim(inside.state("LOOK") | (looking == 0))
    spec.claim(looking < LOOK_CYCLES)
    # What `marks-shown` relies upon: nothing comes between a look and what it shows.
    for k in (1, 2):
        looked = before(m, unit.look, k)
        spec.claim(~looked | (inside.state("LOOK") & (looking == k)))
        spec.claim(~looked | ~(unit.start | unit.look | unit.clear | given))
    spec.claim(~ticking | (unit.tick < config.ticks))
    # And what `marks` does.
    spec.claim(~(unit.start & unit.expected) | (unit.foreseen & (unit.upcoming == unit.next)))

    # What comes out for a word that goes in.
    spec.claim((given | unit.dropped | ends) == taken)
    spec.claim(given + unit.dropped + ends <= 1)
    spec.claim(~unit.events.valid | (unit.ticking & legal & (word.tick == unit.tick)
                                     & (unit.events.payload == word.channel)))
    spec.claim(~unit.dropped | ~legal)
    spec.claim_stream(unit.events)

    # A tick starts after work that is done, and never goes back or beyond the end.
    settled = before(m, unit.settled & ~unit.start & ~taken)
    spec.claim(~unit.start | ~unit.ticking | settled)
    spec.claim(~unit.start | ~unit.ticking | (unit.upcoming > unit.tick))
    spec.claim(~unit.start | (unit.upcoming < config.ticks))
    spec.claim(~ends | ~unit.ticking | settled)
    spec.claim(~unit.start | unit.i.valid)
    # No tick passes over an event that waits for it.
    spec.claim(~unit.start | word.last | ~legal | (unit.upcoming <= word.tick))
    # Nor over work that is due: one slot of the group that shows stands for all.
    slot = symbolic(m, GROUP_BITS, "slot")
    tick = Cat(slot, group)
    waits = unit.busy.bit_select(slot, 1) & (tick > unit.tick)
    spec.claim(~unit.start | ~unit.ticking | ~waits | (unit.upcoming <= tick))
    spec.claim(~ends | ~unit.ticking | ~waits | (tick >= until))
    spec.claim(~unit.look | ~before(m, waits))
    spec.claim(~(unit.start | unit.events.valid) | ~unit.finish)
    spec.claim(~unit.clear | unit.clearing)
    return m
