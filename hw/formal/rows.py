"""What is proven of `RowFetch`, with one row for each source."""

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, Mux, Signal

from ..payloads import Memory, memories, ring_link, ring_row
from ..rows import RowFetch
from ..tiled import TILE_BITS
from .spec import Spec, symbolic

__all__ = ["rows_once"]

FIRST = RowFetch.latency  # most cycles until something comes out, while something is owed


def rows_once(*, config):
    """Each synapse of an accepted source comes out once and in order, and nothing else does."""
    spec = Spec(RowFetch(config=config))
    rows = _OneSynapse(spec, config)
    rows.claim_output()
    rows.claim_response()
    rows.claim_look_up()
    rows.claim_way()
    return spec.m


class _OneSynapse:
    """Any one synapse of any one source that is accepted, on its way out.

    It comes out after all that is owed when its source is accepted, and those before it in its row.
    In a dense row, a weight of 0 passes in its turn and is no output.
    """

    def __init__(self, spec, config):
        self._spec, self._config = spec, config
        unit, m, inside = spec.inside.unit, spec.m, spec.inside
        self._signal = {name: inside.signal(name) for name in (
            "left", "streaming", "read", "there", "known", "stop", "row")}
        self._memories = [memory.name.lower() for memory in (Memory.WEIGHTS, Memory.LINKS)
                          if memory in memories(config)]
        self._first = ring_row(config)(inside.signal("first"))
        taken = unit.i.valid & unit.i.ready
        spec.assume_stream(unit.i)
        spec.assume(~unit.load.en | (unit.idle & ~unit.i.valid))
        spec.assume(~unit.i.valid | (unit.i.payload < config.sources))
        start, stop = self._bounds(unit.i.payload)
        spec.assume(~unit.i.valid | ((start <= stop) & (stop <= config.synapses)))

        self.address = symbolic(m, range(config.synapses), "address", below=config.synapses)
        self.owed = Signal(config.synapses.bit_length() + 3)  # of all accepted sources
        self.ahead = Signal.like(self.owed)  # the synapse is so many outputs away; 0: no longer
        self.source = Signal(config.source_bits)  # that was accepted last
        # Where the row tells what its synapses have in common: it's that of this source.
        self.origin = Signal(config.source_bits)
        left = self._signal["there"] & unit.o.ready
        owed = self.owed - left
        with m.If(left & (self.ahead != 0)):
            m.d.sync += self.ahead.eq(self.ahead - 1)
        m.d.sync += self.owed.eq(owed + Mux(taken, stop - start, 0))
        with m.If(taken):
            m.d.sync += self.source.eq(unit.i.payload)
            with m.If(AnySeq(1) & (self.ahead == 0) & (start <= self.address)
                      & (self.address < stop)):
                m.d.sync += [self.ahead.eq(owed + (self.address - start) + 1),
                             self.origin.eq(unit.i.payload)]

    def _row(self, source):
        """Return the word of a source's row; of the one after the last, too."""
        row = Signal(len(source) + 1)
        self._spec.m.d.comb += row.eq(source)
        return ring_row(self._config)(self._spec.inside.word("rows", address=row))

    def _bounds(self, source):
        """Return where the row of a source starts and ends."""
        following = Signal(len(source) + 1)
        self._spec.m.d.comb += following.eq(source + 1)
        return self._row(source).start, self._row(following).start

    def _tiles(self, memory):
        """Return the tiles of a memory of synapses, and which one has the synapse."""
        names = [name for name, _ in self._spec.inside.part(memory).unit.places()]
        return names, self.address[TILE_BITS:]

    def _stored(self, memory):
        """Return the word of the synapse."""
        names, tile = self._tiles(memory)
        return Array(self._spec.inside.word(memory, name, address=self.address[:TILE_BITS])
                     for name in names)[tile]

    def claim_output(self):
        """What comes out is owed, and it's the synapse's if that's next."""
        spec, unit, there = self._spec, self._spec.inside.unit, self._signal["there"]
        weight, wanted = self._stored("weights"), self._wanted()
        is_next = there & (self.ahead == 1)
        spec.claim(~there | (self.owed != 0))
        if self._config.rows == "dense":
            spec.claim(~unit.o.valid | there)
            spec.claim(~is_next | (unit.o.valid == weight.any()))
        else:
            spec.claim(unit.o.valid == there)
        spec.claim(~is_next | (unit.o.p.weight == weight))
        for name, value in wanted.items():
            spec.claim(~is_next | (unit.o.p[name] == value))
        spec.claim(~unit.idle | (self.owed == 0))
        spec.claim(self.ahead <= self.owed)
        spec.claim_stream(unit.o)

    def _wanted(self):
        """Return what comes out with the synapse's weight, by name."""
        wanted = {name: value for name, (value, _) in self._of_row().items()}
        if "links" in self._memories:
            link = ring_link(self._config)(self._stored("links"))
            wanted |= {name: link[name] for name in ring_link(self._config).members}
        return wanted

    def _of_row(self):
        """Return what its row tells of the synapse, by name, and how much more of the next one."""
        row, told = self._row(self.origin), {}
        if self._config.delays != "synaptic":
            told["delay"] = row.delay, 0
        if self._config.dendrite_bits:
            told["kind"] = row.kind, 0
        if self._config.rows == "dense":
            target = Signal.like(row.first)
            self._spec.m.d.comb += target.eq(row.first + self.address - row.start)
            told["target"] = target, 1
        return told

    def claim_response(self):
        """While there are synapses to come, one does within the latency."""
        spec, m, own = self._spec, self._spec.m, self._signal
        waits, needed = Signal(range(FIRST + 1)), Signal(range(FIRST + 1))
        with m.If(own["there"] | (self.owed == 0)):
            m.d.sync += waits.eq(0)
        with m.Else():
            m.d.sync += waits.eq(waits + 1)
        stages = (own["read"], own["streaming"], own["known"],
                  *(spec.inside.state(name) for name in ("KNOWN", "STOP", "START")))
        for cycles, stage in reversed(list(enumerate(stages, 1))):
            with m.If(stage):
                m.d.comb += needed.eq(cycles)
        spec.claim(own["there"] | (self.owed == 0) | (waits + needed < FIRST))

    def claim_look_up(self):
        """The row that is known, or is being looked up, is that of the source."""
        spec, own, config = self._spec, self._signal, self._config
        start, stop = self._bounds(self.source)
        states = {name: spec.inside.state(name) for name in ("SOURCE", "START", "STOP", "KNOWN")}
        looking = ~states["SOURCE"]
        word, wanted = spec.inside.signal("rows_word"), self._row(self.source).as_value()
        spec.claim(states["SOURCE"] | states["START"] | states["STOP"] | states["KNOWN"])
        spec.claim(~looking | ~own["known"])
        spec.claim(~(looking | own["known"]) | ((start <= stop) & (stop <= config.synapses)
                                                & (self.source < config.sources)))
        spec.claim(~states["START"] | (own["row"] == self.source))
        first = self._first.as_value() == wanted
        spec.claim(~states["STOP"] | ((own["row"] == self.source + 1) & (word == wanted)))
        spec.claim(~states["KNOWN"] | (first & (ring_row(config)(word).start == stop)))
        spec.claim(~own["known"] | (first & (own["stop"] == stop)))
        self._waiting = looking | own["known"]

    def claim_way(self):
        """How much is owed, and where the synapse is."""
        spec, own, config = self._spec, self._signal, self._config
        start, stop = self._bounds(self.source)
        there, read, streaming = own["there"], own["read"], own["streaming"]
        count = Signal.like(self.owed)  # synapses of rows that have begun
        spec.m.d.comb += count.eq(there + read + Mux(streaming, own["left"] + 1, 0))
        spec.claim(self.owed == count + Mux(self._waiting, stop - start, 0))
        spec.claim(streaming | (own["left"] == -1))
        spec.claim(~streaming | (own["left"] < config.synapses))
        waits = self.ahead > count  # for its row to begin
        is_next, follows = there & (self.ahead == 1), read & (self.ahead == there + 1)
        begun = (self.ahead > there + read) & ~waits
        position = self.ahead - 1 - there - read
        spec.claim(~waits | (self.ahead == count + 1 + self.address - start))
        spec.claim(~waits | ((start <= self.address) & (self.address < stop)))
        spec.claim(~waits | (self.origin == self.source))
        for memory in self._memories:
            self._claim_words(memory, is_next, follows)
        first = spec.inside.part("weights").unit.address
        spec.claim(~begun | ((first + position)[: len(first)] == self.address))
        for name, (wanted, step) in self._of_row().items():
            here, later, output = (spec.inside.signal(f"{name}_{stage}") for stage in (
                "addressed", "between", "output"))
            spec.claim(~is_next | (output == wanted))
            spec.claim(~follows | (later == wanted))
            spec.claim(~begun | ((here + step * position)[: len(here)] == wanted))

    def _claim_words(self, memory, is_next, follows):
        """What was read of a memory is the synapse's word, if that's next, or follows that."""
        spec = self._spec
        names, tile = self._tiles(memory)
        inside, stored = spec.inside.part(memory), self._stored(memory)
        words = Array(inside.signal(f"{name}_word") for name in names)
        later = Array(inside.signal(f"word_{k}") for k in range(len(names)))
        spec.claim(~is_next | (later[tile] == stored))
        spec.claim(~follows | (words[tile] == stored))
        if len(names) > 1:
            spec.claim(~is_next | (inside.signal("second") == tile))
            spec.claim(~follows | (inside.signal("first") == tile))
