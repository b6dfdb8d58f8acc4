"""What is proven of `SlotMap`."""

from amaranth.hdl import Cat, Const, Mux, Signal

from ..slots import SlotMap
from .memories import word_of
from .slotmap import DRAINS, FORGETS, OneMark
from .spec import Spec, before

__all__ = ["assume_surroundings", "claim_marks", "marks_once"]


def marks_once(*, sizes, neurons):
    """A mark is handed out once, with its own slot, and nothing else is; none is left behind."""
    spec = Spec(SlotMap(sizes=sizes, neurons=neurons))
    claim_marks(spec)
    return spec.m


def claim_marks(spec):
    """Claim all that is true of any one mark.

    Parameters
    ----------
    spec : Spec
        Of a slot map.

    Returns
    -------
    view : OneMark
    marked : Signal(1)
        It was accepted, and its slot not started since.
    due : Signal(1)
        It was when its slot was started, and it wasn't handed out yet.
    drained : Signal
        The slot that was started last.
    """
    m, unit = spec.m, spec.inside.unit
    view = OneMark(spec)
    word, accepted = unit.i.p, unit.i.valid & unit.i.ready
    mine = accepted & view.is_mine(word)
    drained = Signal.like(unit.slot)
    marked, due = Signal(), Signal()
    assume_surroundings(spec, view, accepted, drained)

    handed = (unit.o.valid & (unit.o.p.kind == view.kind) & (unit.o.p.neuron == view.neuron)
              & view.same(view.kind, drained, view.slot))
    with m.If(handed & unit.o.ready):
        m.d.sync += due.eq(0)
    with m.If(unit.start):
        m.d.sync += drained.eq(unit.slot)
        with m.If(view.same(view.kind, unit.slot, view.slot)):
            m.d.sync += [due.eq(marked), marked.eq(0)]
    with m.If(mine):
        m.d.sync += marked.eq(1)
    with m.If(unit.clear):
        m.d.sync += marked.eq(0)
    spec.claim(~handed | due)
    spec.claim(~unit.drained | ~due)
    spec.claim(~unit.o.valid | ~unit.drained)
    spec.claim(unit.marked == before(m, accepted, 2))
    spec.claim(~before(m, mine, 2) | (unit.present == before(m, marked, 2)))
    spec.claim_stream(unit.o)

    for operation, cycles in ((view.second, 1), (view.third, 2)):
        spec.claim(operation.mark == before(m, accepted, cycles))
        spec.claim((operation.mark & view.on_bit(operation)) == before(m, mine, cycles))
    _Invariants(spec, view, marked, due, drained).claim()
    return view, marked, due, drained


def assume_surroundings(spec, view, accepted, drained):
    """Let marks and commands come as the delay ring gives them."""
    unit = spec.inside.unit
    word = unit.i.p
    spec.assume(~unit.i.valid | (word.kind < len(unit.sizes)) & (word.neuron < unit.neurons))
    spec.assume(unit.idle | ~(unit.start | unit.look | unit.clear))
    spec.assume(~unit.look | ~(unit.start | unit.clear))
    spec.assume(~(unit.start | unit.clear) | ~unit.i.valid)
    spec.assume(~unit.clear | ~unit.start)
    spec.assume(~(unit.start & unit.expected) | (unit.foreseen & (unit.slot == unit.next)))
    # Events come at least a tick later: none goes into the slot that is drained.
    spec.assume(~accepted | unit.drained | ~view.same(word.kind, word.slot, drained))


def _is_lowest(word, bit):
    """Return whether a bit of a word is set, and none below it."""
    mask = Const(1) << bit
    return ((word & mask) != 0) & ((word & (mask - 1)) == 0)


class _Invariants:
    """Where one mark may be while the map rests, drains its slot, or forgets all marks."""

    def __init__(self, spec, view, marked, due, drained):
        self._spec, self._view = spec, view
        self._marked, self._due, self._drained = marked, due, drained
        self._second, self._third = view.second, view.third
        inside = spec.inside
        within = spec.inside.unit.chunks > 1
        self._index = Cat(view.chunk if within else (), view.place)
        self._bit = Signal(name="mark_bit")  # as the memories have them
        self._chunk = Signal(name="mark_chunk_bit")
        spec.m.d.comb += [
            self._bit.eq(word_of(inside, "bits", address=self._index).bit_select(view.bit, 1)),
            self._chunk.eq(word_of(inside, "chunks", address=view.place)
                           .bit_select(view.chunk, 1)),
        ]
        # Once the third operation has passed, and the second one as well.
        self._next_bit = view.bit_after(view.third, self._bit)
        self._last_bit = view.bit_after(view.second, self._next_bit)
        self._next_chunk = view.chunk_after(view.third, self._chunk)
        self._last_chunk = view.chunk_after(view.second, self._next_chunk)

    def claim(self):
        self._pipeline()
        self._machine()
        self._reading_ahead()
        self._given()
        self._draining()
        self._forgetting()

    def _pipeline(self):
        """The memories' words are those of the operation in the third stage."""
        spec, view, inside = self._spec, self._view, self._spec.inside
        there = before(spec.m, Const(1), 2)
        for name, index in (("second", self._second), ("third", self._third)):
            chunk = index.chunk if spec.inside.unit.chunks > 1 else ()
            spec.claim(inside.signal("bits", name) == Cat(chunk, index.place))
            spec.claim(inside.signal("chunks", name) == index.place)
            spec.claim(~index.mark | ~(index.take | index.wipe | index.peek))
        spec.claim(~there | ~view.on_chunk(self._third)
                   | (inside.signal("bits", "word").bit_select(view.bit, 1) == self._bit))
        spec.claim(~there | ~view.here(self._third)
                   | (inside.signal("chunks", "word").bit_select(view.chunk, 1) == self._chunk))

    def _machine(self):
        """Which operations are in flight in which state."""
        spec, view, unit = self._spec, self._view, self._spec.inside.unit
        second, third, states = self._second, self._third, view.states
        slot, kind = view.register("slot"), view.register("kind")
        self._draining_any = states(*DRAINS)
        spec.claim(states("REST", *DRAINS, *FORGETS))
        spec.claim(~self._draining_any | (slot == self._drained))
        spec.claim(~states("TAKING", "OTHERS", "TAKEN") | ~kind)
        spec.claim(kind < len(unit.sizes))

        def is_take(operation, which):
            return (operation.take & (operation.kind == which)
                    & (operation.place == unit.place(Const(which, 1), slot)))

        spec.claim(~states("TAKING") | ~(second.take | third.take))
        spec.claim(~states("OTHERS") | is_take(second, 0))
        spec.claim(~states("TAKEN") | is_take(third, 0))
        spec.claim(~third.take | states("TAKEN")
                   | (states("PICK") & ~kind & is_take(third, 1)))
        if len(unit.sizes) == 2:
            spec.claim(~states("TAKEN") | is_take(second, 1))
            spec.claim(~second.take | states("OTHERS", "TAKEN"))
        else:
            spec.claim(~second.take | states("OTHERS"))
            spec.claim(~third.take | ~third.kind)
            spec.claim(view.register("later") == 0)
        for state, operation in (("READ", second), ("KEEP", third)):
            spec.claim(~states(state)
                       | (operation.wipe & (operation.place == unit.place(kind, slot))
                          & (operation.chunk == view.register("taken"))))
        spec.claim(states("HAND", "REST") | view.register("given")
                   | (view.register("pending") == 0))

    def _chunks(self, place, name):
        """Return a slot's word of chunks: as the memory has it, and after operations in flight."""
        view, words = self._view, []
        words.append(word_of(self._spec.inside, "chunks", address=place))
        words.append(view.chunks_after(self._third, place, words[-1]))
        words.append(view.chunks_after(self._second, place, words[-1]))
        found = [Signal(len(words[0]), name=f"{name}_{k}") for k in range(len(words))]
        self._spec.m.d.comb += [kept.eq(word) for kept, word in zip(found, words, strict=True)]
        return found

    def _reading_ahead(self):
        """What was read of the slot that comes next is what it has."""
        spec, view, inside = self._spec, self._view, self._spec.inside
        unit = inside.unit
        aim, kind, first = (inside.signal("ahead", name) for name in ("aim", "kind", "first"))
        states = {name: inside.state("ahead", name)
                  for name in ("AIM", "FIND", "AGAIN", "READ", "KEEP", "HOLD", "NONE")}
        spec.claim(Cat(states.values()).any())
        spec.claim((first < unit.chunks) & (view.register("taken") < unit.chunks))
        spec.claim(~view.states("TAKING", "OTHERS", *FORGETS) | states["AIM"])
        spec.claim(~kind | ~states["AIM"] if len(unit.sizes) == 2 else ~kind)
        place = Signal.like(view.place, name="aimed_place")
        spec.m.d.comb += place.eq(unit.place(kind, aim))
        chunks = self._chunks(place, "aimed")
        self._reading(states, place, first, chunks[0])
        # What the operation in the second stage changes is seen in this cycle.
        known = Cat(states[name] for name in ("READ", "KEEP", "HOLD")).any()
        spec.claim(~known | _is_lowest(chunks[1], first))
        spec.claim(~(known | states["AGAIN"] | states["FIND"] | states["NONE"]) | ~kind
                   | (self._chunks(unit.place(Const(0, 1), aim), "before")[1] == 0))
        spec.claim(~(states["KEEP"] | states["HOLD"]) | view.states("REST"))
        mine = (view.kind == kind) & view.same(kind, aim, view.slot) & (first == view.chunk)
        pending = view.register("pending").bit_select(view.bit, 1)
        spec.claim(~states["HOLD"] | ~mine | (pending == self._next_bit))

    def _reading(self, states, place, first, chunks):
        """Which words are on their way, and that they're those of the memories."""
        spec, inside = self._spec, self._spec.inside
        second, third, sent = self._second, self._third, inside.signal("ahead", "sent")
        there = before(spec.m, Const(1), 2)
        spec.claim(~there | (third.place != place) | (inside.signal("chunks", "word") == chunks))
        spec.claim(states["AIM"] | states["FIND"] | states["KEEP"] | (sent == 0))
        for name in ("FIND", "KEEP"):
            spec.claim(~states[name] | (sent == 1) | (sent == 2))
            for bit, operation in enumerate((second, third)):
                at = operation.place == place
                if name == "KEEP" and inside.unit.chunks > 1:
                    at &= operation.chunk == first
                spec.claim(~(states[name] & sent[bit]) | at)

    def _given(self):
        """A first chunk that was read before is still the one that the drain reads first."""
        spec, view, states = self._spec, self._view, self._view.states
        given, looks, taken, left, kind, later = (view.register(name) for name in (
            "given", "looks", "taken", "left", "kind", "later"))
        unit, slot, third = spec.inside.unit, view.register("slot"), self._third
        two = len(unit.sizes) == 2
        spec.claim(~given | states("TAKING", "OTHERS", "TAKEN", "PICK"))
        spec.claim(~given | ~kind | looks)
        spec.claim(looks < len(unit.sizes))
        first = self._chunks(unit.place(Const(0, 1), slot), "drained")
        second = self._chunks(unit.place(Const(1, 1), slot), "looked_at") if two else None
        for state, words, others in (
                ("TAKING", first[2], two and second[2]), ("OTHERS", first[1], two and second[2]),
                ("TAKEN", first[0], two and second[1])):
            here = given & states(state)
            spec.claim(~here | looks | _is_lowest(words, taken))
            if two:
                spec.claim(~here | ~looks | ((words == 0) & _is_lowest(others, taken)))
        here = given & states("PICK")
        spec.claim(~here | (looks != kind) | _is_lowest(left, taken))
        if two:
            others = Mux(third.take & third.kind, second[0], later)
            spec.claim(~here | ~looks | kind | ((left == 0) & _is_lowest(others, taken)))

    def _draining(self):
        """While its slot is drained, the mark is due as long as it's on the way out."""
        spec, view, states = self._spec, self._view, self._view.states
        second, third, kind = self._second, self._third, view.register("kind")
        own = self._draining_any & view.same(view.kind, view.register("slot"), view.slot)
        active = kind == view.kind
        way = Signal()  # between the memory and the port
        with spec.m.If(states("READ")):
            spec.m.d.comb += way.eq(view.on_chunk(second) & self._next_bit)
        with spec.m.Elif(states("KEEP")):
            spec.m.d.comb += way.eq(view.on_chunk(third) & self._bit)
        with spec.m.Elif(states("HAND")):
            spec.m.d.comb += way.eq(active & (view.register("taken") == view.chunk)
                                    & view.register("pending").bit_select(view.bit, 1))
        known = Signal()  # its chunk will be read
        with spec.m.If(states("TAKING") | (states("OTHERS") & view.kind)):
            spec.m.d.comb += known.eq(self._last_chunk)
        with spec.m.Elif(second.take & view.here(second)):
            spec.m.d.comb += known.eq(self._next_chunk)
        with spec.m.Elif(third.take & view.here(third)):
            spec.m.d.comb += known.eq(self._chunk)
        with spec.m.Elif(active):
            spec.m.d.comb += known.eq(view.register("left").bit_select(view.chunk, 1))
        with spec.m.Elif(view.kind):
            spec.m.d.comb += known.eq(view.register("later").bit_select(view.chunk, 1))
        given = (view.register("given") & (view.register("looks") == view.kind)
                 & (view.register("taken") == view.chunk))
        pending = view.register("pending").bit_select(view.bit, 1)
        spec.claim(~own | (self._due == Mux(given, pending, self._last_bit | way)))
        spec.claim(~own | ~(self._last_bit & way))
        spec.claim(~own | ~self._last_bit | known)
        spec.claim(~own | ~self._marked)
        for operation in (second, third):
            spec.claim(~own | ~(operation.mark & view.here(operation)))
        elsewhere = ~own & ~states(*FORGETS)
        spec.claim(~elsewhere | (self._marked == self._last_bit))
        spec.claim(~elsewhere | ~self._last_bit | self._last_chunk)
        spec.claim(own | ~self._due)

    def _forgetting(self):
        """While all marks are forgotten, this one is nowhere that was swept."""
        spec, view, states = self._spec, self._view, self._view.states
        second, third = self._second, self._third
        sweep, left, place = (view.register(name) for name in ("sweep", "left", "place"))
        view.claim_walk()
        spec.claim(~states(*FORGETS) | ~self._marked)
        spec.claim(~states("WIPE") | ~self._last_bit | (sweep <= self._index))
        spec.claim(~states("WALK", "EMPTY") | ~self._last_bit | self._last_chunk
                   | (states("EMPTY") & (place == view.place)
                      & left.bit_select(view.chunk, 1)))
        peeked = Cat(one.peek & view.here(one) for one in (second, third)).any()
        spec.claim(~states("WALK") | ~self._last_chunk | (sweep <= view.place) | peeked)
        spec.claim(~states("EMPTY") | ~(self._last_bit | self._last_chunk) | (place < view.place)
                   | ((place == view.place) & left.any()))
