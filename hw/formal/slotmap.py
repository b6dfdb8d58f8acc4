"""A slot map as one mark sees it, and what is true of any."""

from amaranth.hdl import Cat, Mux, Signal

from .spec import symbolic

__all__ = ["DRAINS", "FORGETS", "OneMark"]

DRAINS = ("TAKING", "OTHERS", "TAKEN", "PICK", "READ", "KEEP", "HAND")
FORGETS = ("WIPE", "WALK", "EMPTY")


class OneMark:
    """A slot map's state as one mark sees it: any kind, slot and neuron, so that it stands for all.

    Parameters
    ----------
    spec : Spec
    """

    def __init__(self, spec):
        self._spec = spec
        self._unit = unit = spec.inside.unit
        m, sizes = spec.m, unit.sizes
        self.kind = symbolic(m, range(max(2, len(sizes))), "kind", below=len(sizes))
        self.slot = symbolic(m, unit.slot.shape(), "slot")
        self.neuron = symbolic(m, unit.i.p.neuron.shape(), "neuron", below=unit.neurons)
        layout = unit.operation()
        self.second, self.third = (layout(spec.inside.signal(name))
                                   for name in ("second", "third"))
        whole = Signal(layout["chunk"].width + layout["bit"].width)
        m.d.comb += whole.eq(self.neuron)
        bits = layout["bit"].width
        self.bit, self.chunk = whole[:bits], whole[bits:]
        self.place = Signal(layout["place"].shape, name="mark_place")
        m.d.comb += self.place.eq(unit.place(self.kind, self.slot))

    @property
    def chunk_bits(self):
        return (self._unit.chunks - 1).bit_length()

    def register(self, name):
        return self._spec.inside.signal(name)

    def states(self, *names):
        """Return whether the map is in one of some states."""
        return Cat(self._spec.inside.state(name) for name in names).any()

    def same(self, which, one, other):
        """Return whether two slots are the same one of a kind's wheel."""
        equal = [one[: (size - 1).bit_length()] == other[: (size - 1).bit_length()]
                 for size in self._unit.sizes]
        return Mux(which, equal[-1], equal[0])

    def is_mine(self, word):
        return ((word.kind == self.kind) & self.same(self.kind, word.slot, self.slot)
                & (word.neuron == self.neuron))

    def here(self, operation):
        """Return whether an operation is on the slot of the mark."""
        return operation.place == self.place

    def on_chunk(self, operation):
        return self.here(operation) & (operation.chunk == self.chunk)

    def on_bit(self, operation):
        return self.on_chunk(operation) & (operation.bit == self.bit)

    def bit_after(self, operation, bit):
        """Return the mark's bit once an operation has passed, given what it was."""
        return Mux(operation.wipe & self.on_chunk(operation), 0,
                   bit | (operation.mark & self.on_bit(operation)))

    def chunk_after(self, operation, bit):
        """Return its chunk's bit once an operation has passed, given what it was."""
        return Mux((operation.take | operation.wipe) & self.here(operation), 0,
                   bit | (operation.mark & self.on_chunk(operation)))

    def chunks_after(self, operation, place, word):
        """Return a slot's word of chunks once an operation has passed, given what it was."""
        mine = operation.place == place
        return Mux((operation.take | operation.wipe) & mine, 0,
                   word | ((operation.mark & mine) << operation.chunk))

    def claim_walk(self):
        """Claim what is in flight while the map looks for marks to forget."""
        spec, states, second, third = self._spec, self.states, self.second, self.third
        sweep, place, places = self.register("sweep"), self.register("place"), self._unit.places
        spec.claim(self.states(*FORGETS) | (sweep == 0))
        spec.claim(~states(*FORGETS) | ~(second.mark | third.mark))
        spec.claim(~states("WALK") | (sweep <= places + 1))
        spec.claim(~states("EMPTY") | (place < places))
        spec.claim(~states("WALK") | ~second.peek | (sweep == second.place + 1))
        spec.claim(~states("WALK") | ~third.peek | (sweep == third.place + 2))
        spec.claim(~second.peek | (second.place < places))
        spec.claim(~states("EMPTY") | ~second.peek | self.register("left").any())
        spec.claim(states("WALK", "EMPTY") | ~(second.peek | third.peek))
