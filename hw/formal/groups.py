"""What is proven of the bits that a `SlotMap` shows of a group of slots."""

from amaranth.hdl import Const, Mux, Signal

from ..payloads import GROUP_BITS
from ..slots import SlotMap
from .memories import word_of
from .slotmap import FORGETS, OneMark
from .slots import assume_surroundings
from .spec import Spec, before

__all__ = ["busy_right"]


def busy_right(*, sizes, neurons):
    """The group that was looked at last shows which of its slots have marks, and shows no other."""
    unit = SlotMap(sizes=sizes, neurons=neurons)
    spec = Spec(unit)
    m = spec.m
    view = OneMark(spec)
    slot, group, member = view.slot, view.slot[GROUP_BITS:], view.slot[:GROUP_BITS]
    accepted = unit.i.valid & unit.i.ready
    drained = Signal.like(unit.slot)  # the slot that was started last
    with m.If(unit.start):
        m.d.sync += drained.eq(unit.slot)
    assume_surroundings(spec, view, accepted, drained)
    looked = [before(m, unit.look, k) for k in (1, 2)]
    spec.assume(~unit.look | ~accepted)
    for one in looked:
        spec.assume(~one | ~(accepted | unit.start | unit.clear | unit.look))

    marked = Signal()  # the slot has marks
    shown = Signal.like(unit.group)  # the group that is shown
    asked = before(m, unit.group, 2)
    with m.If(unit.start & (unit.slot == slot)):
        m.d.sync += marked.eq(0)
    with m.If(accepted & (unit.i.p.slot == slot)):
        m.d.sync += marked.eq(1)
    with m.If(looked[1]):
        m.d.sync += shown.eq(asked)
    with m.If(unit.clear):
        m.d.sync += [marked.eq(0), shown.eq(0)]
    spec.claim((shown != group) | (unit.busy.bit_select(member, 1) == marked))
    _claim_invariants(spec, view, marked, shown, drained, looked)
    return m


def _claim_invariants(spec, view, marked, shown, drained, looked):
    """Where the slot's bit is in the memory of groups, and what is on the way to it."""
    m, inside, states = spec.m, spec.inside, view.states
    group, member = view.slot[GROUP_BITS:], view.slot[:GROUP_BITS]
    second, third, sweep = view.second, view.third, view.register("sweep")
    stored = Signal(name="slot_bit")
    m.d.comb += stored.eq(word_of(inside, "groups", address=group).bit_select(member, 1))

    def after(operation, bit):
        """Return the slot's bit once an operation has passed, given what it was."""
        here, own = operation.group == group, operation.member == member
        return Mux(here & operation.mark & own, 1,
                   Mux(here & ((operation.take & own) | operation.forget), 0, bit))

    last = after(second, after(third, stored))
    there = before(m, Const(1), 2)
    spec.claim(~there | (third.group != group)
               | (inside.signal("groups", "word").bit_select(member, 1) == stored))
    for number, (name, operation) in enumerate((("second", second), ("third", third))):
        spec.claim(inside.signal("groups", name) == operation.group)
        spec.claim(~operation.mark | ~(operation.take | operation.wipe | operation.look
                                       | operation.forget))
        spec.claim(~operation.take | ~operation.forget)
        spec.claim(operation.look == looked[number])
        spec.claim(~operation.look | (operation.group == before(m, inside.unit.group, number + 1)))
    own = view.register("slot") == view.slot
    rests = ~states(*FORGETS)
    spec.claim(states("REST", *FORGETS) | (view.register("slot") == drained))
    spec.claim(states("REST") | ~(second.look | third.look))
    spec.claim(~third.look | ~(second.mark | second.take | second.forget))
    spec.claim(~second.look | ~(third.mark | third.take))
    spec.claim(view.register("window") == shown)
    spec.claim(~rests | (states("TAKING") & own) | (last == marked))
    spec.claim(~rests | states("REST") | ~own | ~marked)
    spec.claim(rests | ~marked)
    spec.claim(~states("WIPE") | ~last | ((sweep >> view.chunk_bits) <= group))
    spec.claim(~states("WALK") | ~last | (sweep <= group))
    spec.claim(~states("EMPTY") | ~last | (view.register("place") < group))
    spec.claim(~states("WALK", "EMPTY") | (shown == 0))
    for operation in (second, third):
        spec.claim(~operation.take | (operation.group == drained[GROUP_BITS:])
                   & (operation.member == drained[:GROUP_BITS]))
    view.claim_walk()
