"""What is proven of `DendriteDelay`."""

from amaranth.hdl import Cat, Mux, Signal

from ..delays import DendriteDelay
from ..payloads import Memory, fetched, synapse
from .spec import Spec, symbolic

__all__ = ["delays_added"]


def delays_added(*, config):
    """Each event leaves once and in order, later by its target's delay, else unchanged."""
    unit = DendriteDelay(config=config)
    spec = Spec(unit)
    m = spec.m
    spec.assume_stream(unit.i)
    loads = unit.load.en & (unit.load.memory == Memory.DENDRITES)
    spec.assume(~loads | (unit.idle & ~unit.i.valid))

    # The words are those that were loaded last: one stands for all.
    address = symbolic(m, range(config.bank_neurons * config.dendrites), "address",
                       below=config.bank_neurons * config.dendrites)
    loaded, known = Signal(config.dendritic_bits), Signal()
    with m.If(loads & (unit.load.address[: len(address)] == address)):
        m.d.sync += [known.eq(1), loaded.eq(unit.load.data)]
    spec.claim(~known | (spec.inside.word("dendrites", address=address) == loaded))

    # Two events are on their way, the older one first.
    kind = [unit.i.p.kind] if config.dendrite_bits else []
    dendritic = spec.inside.word("dendrites", address=Cat(*kind, unit.i.p.target))
    events = [Signal(synapse(config), name=f"event_{k}") for k in range(2)]
    held = Signal(range(3))
    taken, left = unit.i.valid & unit.i.ready, unit.o.valid & unit.o.ready
    due = Signal(synapse(config))
    m.d.comb += [
        due.target.eq(unit.i.p.target),
        due.weight.eq(unit.i.p.weight),
        due.delay.eq(unit.i.p.delay + dendritic),  # modulo the slots of the ring, as all delays
    ]
    m.d.sync += held.eq(held + taken - left)
    with m.If(left):
        m.d.sync += events[0].eq(events[1])
    with m.If(taken):
        with m.If(held == left):
            m.d.sync += events[0].eq(due)
        with m.Else():
            m.d.sync += events[1].eq(due)
    spec.claim(held <= 2)
    spec.claim(~unit.o.valid | (held != 0))
    spec.claim(~unit.o.valid | (unit.o.payload.as_value() == events[0].as_value()))
    spec.claim(unit.idle == (held == 0))
    # None is kept waiting.
    spec.claim(unit.i.ready | (unit.o.valid & ~unit.o.ready))
    spec.claim_stream(unit.o)
    _claim_invariants(spec, config, events, held)
    return m


def _claim_invariants(spec, config, events, held):
    """What was read and isn't added yet is the event that was accepted last."""
    unit, read = spec.inside.unit, spec.inside.signal("read")
    event = fetched(config)(spec.inside.signal("event"))
    last = synapse(config)(Mux(unit.o.valid, events[1].as_value(), events[0].as_value()))
    delay = (event.delay + spec.inside.signal("dendrites_word"))[: len(last.delay)]
    spec.claim(held == read + unit.o.valid)
    spec.claim(~read | ((last.target == event.target) & (last.weight == event.weight)
                        & (last.delay == delay)))
