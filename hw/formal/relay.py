"""What is proven of `Relay`."""

from amaranth.hdl import Cat, Signal

from ..relay import COMMANDS, Relay
from .spec import Spec, before

__all__ = ["relay_keeps"]


def relay_keeps(*, config):
    """What a bank promises its relay promises too: words come once, and idle is idle."""
    unit = Relay(config=config)
    spec = Spec(unit)
    m, near, far = spec.m, unit.near, unit.far
    spec.assume_stream(near.i)
    for name in COMMANDS:
        spec.claim(getattr(far, name) == before(m, getattr(near, name)))

    # What a bank promises: it isn't idle in the cycle after it was given something; it stays idle
    # until then; and then it sends nothing, but for a record that is on its way.
    given = far.start | far.clear | (far.i.valid & far.i.ready)
    spec.assume(~far.idle | ~(before(m, given) | far.spikes.valid))
    rests = before(m, far.idle & ~given)
    spec.assume(~rests | far.idle)
    spec.assume(~rests | ~far.trace.valid | before(m, far.trace.valid & ~far.trace.ready))
    for sent in (far.spikes, far.trace):
        spec.assume_stream(sent)
    # And the scheduler: it starts and clears what has been idle.
    near_given = near.start | near.clear | (near.i.valid & near.i.ready)
    near_rests = before(m, near.idle & ~near_given)
    spec.assume(~(near.start | near.clear) | near_rests)

    *sources, last = _inside(m, near.i, far.i, 2)
    *spikes, _ = _inside(m, far.spikes, near.spikes, 1)
    *traces, _ = _inside(m, far.trace, near.trace, 1)
    for held, word, offered in ((*sources, far.i), (*spikes, near.spikes), (*traces, near.trace)):
        spec.claim(offered.valid == (held != 0))
        spec.claim(~offered.valid | (offered.payload == word))
        spec.claim_stream(offered)
    spec.claim(sources[0] <= 2)
    spec.claim(near.i.ready == (sources[0] != 2))
    spec.claim((sources[0] != 2) | (spec.inside.signal("sources", "spare") == last))
    # A record that is offered isn't what idle is about.
    moving = Cat(far.start, far.clear, far.spikes.valid, far.trace.valid, sources[0], spikes[0])
    spec.claim(~near.idle | (far.idle & ~moving.any()))
    spec.claim(~near.idle | ~(before(m, near_given) | before(m, near.start | near.clear, 2)))
    spec.claim(~near_rests | near.idle)
    spec.claim(~(far.start | far.clear) | far.idle)
    return m


def _inside(m, taken, left, most):
    """Return how many words of a stream are inside, the first of them and the last."""
    moves, leaves = taken.valid & taken.ready, left.valid & left.ready
    held = Signal(range(most + 1), name="held")
    first, last = (Signal.like(taken.payload, name=name) for name in ("first", "last"))
    m.d.sync += held.eq(held + moves - leaves)
    with m.If(leaves):
        m.d.sync += first.eq(last)
    with m.If(moves):
        m.d.sync += last.eq(taken.payload)
        with m.If(held == leaves):
            m.d.sync += first.eq(taken.payload)
    return held, first, last
