"""What is proven of `Merge`, `Broadcast` and `Buffer`."""

from amaranth.hdl import Array, Cat, Const, Mux, Signal

from ..streams import Broadcast, Buffer, Merge
from .spec import Spec, symbolic

__all__ = ["broadcast_once", "buffer_order", "merge_fair", "merge_order"]


def merge_order(*, bits, count):
    """Every accepted word leaves once, next and unchanged; at most one is accepted at a time.

    ``left`` tells whether others are offered.
    """
    unit = Merge(shape=bits, count=count)
    spec = Spec(unit)
    m = spec.m
    accepted = Cat(port.valid & port.ready for port in unit.i)
    held, word = Signal(), Signal(bits)
    with m.If(accepted.any()):
        m.d.sync += held.eq(1)
        for k in range(count):
            with m.If(accepted[k]):
                m.d.sync += word.eq(unit.i[k].payload)
    with m.Elif(unit.o.ready):
        m.d.sync += held.eq(0)
    spec.claim((accepted & (accepted - 1)) == 0)
    spec.claim(~accepted.any() | ~held | unit.o.ready)
    spec.claim(unit.left == Cat(port.valid & ~port.ready for port in unit.i).any())
    spec.claim(unit.o.valid == held)
    spec.claim(~held | (unit.o.payload == word))
    spec.claim_stream(unit.o)
    return m


def merge_fair(*, bits, count):
    """A word that waits sees at most ``count - 1`` others pass, and one pass per free cycle."""
    unit = Merge(shape=bits, count=count)
    spec = Spec(unit)
    m = spec.m
    mine = symbolic(m, range(max(2, count)), "port")
    later = spec.inside.signal("later")
    latest = Signal(range(max(2, count)))
    m.d.comb += latest.eq(count - 1 - sum(later[k] for k in range(count)))
    valid, ready = (Array(getattr(one, name) for one in unit.i)[mine]
                    for name in ("valid", "ready"))
    accepted = Cat(one.valid & one.ready for one in unit.i)
    passed, turn = Signal(range(count + 1)), Signal(range(max(2, count)))
    # The ports that go before it: those after the latest one, round to it.
    m.d.comb += turn.eq(Mux(mine > latest, mine - latest - 1, mine + count - latest - 1))
    with m.If(valid & ~ready):
        m.d.sync += passed.eq(passed + accepted.any())
    with m.Else():
        m.d.sync += passed.eq(0)
    spec.assume(mine < count)
    spec.assume(~unit.clear | ~Cat(one.valid for one in unit.i).any())
    for one in unit.i:
        spec.assume_stream(one)
    spec.claim(later == ((Const(-2) << latest)[:count]))
    spec.claim(passed + turn <= Mux(passed == 0, turn, count - 1))
    spec.claim(passed < count)
    # No cycle in which the output is free is lost.
    spec.claim(~valid | (unit.o.valid & ~unit.o.ready) | accepted.any())
    return m


def broadcast_once(*, bits, count):
    """Each receiver gets every word once, unchanged, before the word is done with."""
    unit = Broadcast(shape=bits, count=count)
    spec = Spec(unit)
    m = spec.m
    mine = symbolic(m, range(max(2, count)), "port")
    valid, ready, payload = (Array(getattr(one, name) for one in unit.o)[mine]
                             for name in ("valid", "ready", "payload"))
    got = Signal()  # the receiver has the word that is offered now
    taken = valid & ready
    done = unit.i.valid & unit.i.ready
    m.d.sync += got.eq((got | taken) & ~done)
    spec.assume(mine < count)
    spec.assume_stream(unit.i)
    spec.claim(~taken | ~got)
    spec.claim(~done | got | taken)
    spec.claim(~valid | (unit.i.valid & (payload == unit.i.payload)))
    spec.claim(~unit.i.valid | got | valid)
    # A word that all have isn't kept waiting.
    waits = Cat(one.valid & ~one.ready for one in unit.o)
    spec.claim(~unit.i.valid | waits.any() | done)
    spec.claim(got == spec.inside.signal("taken").bit_select(mine, 1))
    spec.claim(~got | unit.i.valid)
    return m


def buffer_order(*, bits):
    """Words leave once, unchanged and in their order; two are held, and none is kept waiting."""
    unit = Buffer(shape=bits)
    spec = Spec(unit)
    m = spec.m
    taken, left = unit.i.valid & unit.i.ready, unit.o.valid & unit.o.ready
    words = [Signal(bits, name=f"word_{k}") for k in range(2)]  # the oldest first
    held = Signal(range(3))
    m.d.sync += held.eq(held + taken - left)
    with m.If(left):
        m.d.sync += words[0].eq(words[1])
    with m.If(taken):
        with m.If(held == left):
            m.d.sync += words[0].eq(unit.i.payload)
        with m.Else():
            m.d.sync += words[1].eq(unit.i.payload)
    spec.claim(held <= 2)
    spec.claim(unit.o.valid == (held != 0))
    spec.claim(unit.i.ready == (held < 2))
    spec.claim(~unit.o.valid | (unit.o.payload == words[0]))
    spec.claim((held != 2) | (spec.inside.signal("spare") == words[1]))
    spec.claim_stream(unit.o)
    return m
