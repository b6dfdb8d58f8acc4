"""What is proven of `RowFetch`, with one row for each source or with several."""

from itertools import pairwise

from amaranth.asserts import AnySeq
from amaranth.hdl import Array, Cat, Const, Mux, Signal

from ..payloads import Memory, memories, ring_link, ring_row
from ..rows import RowFetch
from ..tiled import TILE_BITS
from .spec import Spec, symbolic

__all__ = ["rows_once"]

FIRST, NEXT = RowFetch.latency, RowFetch.row_cycles
"""Most cycles until something comes out, while something is owed; and more for each empty row."""


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

    It comes out after all that is owed when its source is accepted, and those before it in its
    source's rows, which follow one another. In a dense row, a weight of 0 passes in its turn and
    is no output.
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
        words = self._rows(unit.i.payload)
        spec.assume(~unit.i.valid | self._sorted(words))

        self.address = symbolic(m, range(config.synapses), "address", below=config.synapses)
        self.owed = Signal(config.synapses.bit_length() + 3)  # of all accepted sources
        self.ahead = Signal.like(self.owed)  # the synapse is so many outputs away; 0: no longer
        self.source = Signal(config.source_bits)  # that was accepted last
        self.origin = Signal(config.source_bits + config.segment_bits)  # the synapse's row
        chosen = AnySeq(config.segment_bits)  # any row of the source that is accepted
        start, stop = words[0].start, words[-1].start
        left = self._signal["there"] & unit.o.ready
        owed = self.owed - left
        with m.If(left & (self.ahead != 0)):
            m.d.sync += self.ahead.eq(self.ahead - 1)
        m.d.sync += self.owed.eq(owed + Mux(taken, stop - start, 0))
        with m.If(taken):
            m.d.sync += self.source.eq(unit.i.payload)
            with m.If(AnySeq(1) & (self.ahead == 0) & self._has(words, chosen)):
                m.d.sync += [self.ahead.eq(owed + (self.address - start) + 1),
                             self.origin.eq(Cat(chosen, unit.i.payload))]
        self._watch_look_up()

    def _rows(self, source):
        """Return the words of the rows of a source, and the one in which the last one ends."""
        size, words = self._config.segments, []
        for k in range(size + 1):
            row = Signal(self._config.source_bits + self._config.segment_bits + 1)
            self._spec.m.d.comb += row.eq(source * size + k)
            words.append(self._row(row))
        return words

    def _row(self, row):
        """Return the word of a row; of the one after the last, too."""
        return ring_row(self._config)(self._spec.inside.word("rows", address=row))

    def _sorted(self, words):
        """Return whether no row ends before it starts, nor beyond the synapses."""
        return Cat(*(row.start <= after.start for row, after in pairwise(words))).all() & (
            words[-1].start <= self._config.synapses)

    def _has(self, words, part):
        """Return whether the synapse is in one of a source's rows."""
        return ((Array(row.start for row in words)[part] <= self.address)
                & (self.address < Array(row.start for row in words[1:])[part]))

    def _watch_look_up(self):
        """See how far the source's rows have been looked up."""
        m, own, config = self._spec.m, self._signal, self._config
        states = self._states = {name: self._spec.inside.state(name) for name in (
            "SOURCE", "START", "STOP", "KNOWN")}
        # Where the lookup waits for a row to begin, if its source has another one.
        states["NEXT"] = self._spec.inside.state("NEXT") if config.segments > 1 else Const(0)
        self._waiting = ~states["SOURCE"] | own["known"]  # not all of them have begun
        self._words = self._rows(self.source)
        self.part = Signal(config.segment_bits)  # of the row that was looked up last
        self.following = Signal.like(self.part)  # and of the first one that hasn't begun
        with m.If(states["START"] | (states["NEXT"] & ~own["known"])):
            m.d.comb += self.following.eq(own["row"])
        with m.Else():
            m.d.comb += self.following.eq(self.part)
        with m.If(states["START"]):
            m.d.sync += self.part.eq(own["row"])

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
        most = FIRST + NEXT * (self._config.segments - 1)
        waits, needed = Signal(range(most)), Signal(range(most))
        with m.If(own["there"] | (self.owed == 0)):
            m.d.sync += waits.eq(0)
        with m.Else():
            m.d.sync += waits.eq(waits + 1)
        # The rows behind the first one that hasn't begun may all be empty.
        empty = NEXT * (self._config.segments - 1 - self.following)
        with m.If(own["read"]):
            m.d.comb += needed.eq(1)
        with m.Elif(own["streaming"]):
            m.d.comb += needed.eq(2)
        with m.Elif(own["known"]):
            m.d.comb += needed.eq(3 + empty)
        for state, cycles in (("KNOWN", 4), ("STOP", 5), ("START", 6), ("NEXT", 7)):
            with m.Elif(self._states[state]):
                m.d.comb += needed.eq(cycles + empty)
        spec.claim(own["there"] | (self.owed == 0) | (waits + needed < most))

    def claim_look_up(self):
        """The row that is known, or is being looked up, is the next one of the source."""
        spec, own, config, states = self._spec, self._signal, self._config, self._states
        row, found = own["row"], spec.inside.signal("rows_word")
        wanted = Array(word.as_value() for word in self._words)[self.part]
        stop = Array(word.start for word in self._words[1:])[self.part]
        first, last = self._first.as_value() == wanted, self.part == config.segments - 1
        spec.claim(Cat(*states.values()).any())
        spec.claim(~(states["START"] | states["STOP"] | states["KNOWN"]) | ~own["known"])
        spec.claim(~self._waiting | (self._sorted(self._words) & (self.source < config.sources)))
        spec.claim(~states["START"] | (row >> config.segment_bits == self.source))
        spec.claim(states["SOURCE"] | states["START"]
                   | (row == Cat(self.part, self.source) + 1))
        spec.claim(~states["STOP"] | (found == wanted))
        spec.claim(~states["KNOWN"] | (first & (ring_row(config)(found).start == stop)))
        spec.claim(~own["known"] | (first & (own["stop"] == stop)))
        spec.claim(~(states["SOURCE"] & own["known"]) | last)
        spec.claim(~states["NEXT"] | ~last)

    def claim_way(self):
        """How much is owed, and where the synapse is."""
        spec, own, config = self._spec, self._signal, self._config
        start, stop = (Array(word.start for word in self._words)[self.following],
                       self._words[-1].start)
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
        part = self.origin[: config.segment_bits]
        spec.claim(~waits | self._has(self._words, part))
        spec.claim(~waits | (part >= self.following))
        spec.claim(~waits | (self.origin >> config.segment_bits == self.source))
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
