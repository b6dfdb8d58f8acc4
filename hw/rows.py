"""Row fetch: streams the synapses of a source out of a bank's memories."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .checked import checked, tell
from .payloads import (
    LoadSignature,
    Memory,
    faults,
    fetched,
    memories,
    memory_depth,
    memory_shape,
    ring_link,
    ring_row,
)
from .plain import plain_memory
from .saboteur import sabotaged
from .tiled import TiledMemory

__all__ = ["RowFetch", "loaded_memory"]


def loaded_memory(m, config, memory, load, images):
    """Add a memory that is written through ``load`` to a module. Returns its read port.

    ``images`` : initial words by `Memory`; without them they are 0.
    """
    read, write = plain_memory(
        m, memory.name.lower(), shape=memory_shape(config, memory),
        depth=memory_depth(config, memory), init=[int(word) for word in images.get(memory, [])])
    m.d.comb += [
        write.en.eq(load.en & (load.memory == memory)),
        write.addr.eq(load.address),
        write.data.eq(load.data),
    ]
    read.data = sabotaged(m, config, memory, read.data, load, address=read.addr, read=read.en)
    return read


class RowFetch(wiring.Component):
    """Streams the synapses of each source that it's given, one per cycle.

    Three memories: ``rows`` (where a row starts; the next row's start is its end; and what its
    synapses have in common), ``weights``, and ``links`` (target and delay of the same synapse, as
    far as the row doesn't tell). The bounds of the next row are fetched while one is streamed. In a
    dense row, a weight of 0 is no synapse: it takes a cycle.

    Parameters
    ----------
    config : CoreConfig
        With the ring, or as a part of `AxonFetch`.
    images : dict of Memory to sequence of int, or None
        Initial words of the three memories. All 0 with None.

    Members
    -------
    i : In(stream.Signature(config.source_bits))
        Sources that have spiked.
    o : Out(stream.Signature(fetched(config)))
    idle : Out(1)
        No source is being worked on.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    faults : Out(faults())
        Bad words that were used in this cycle. There if words are protected.
    """

    latency = 7  # cycles from an accepted source to its first synapse
    row_cycles = 5  # for each row of a source, at least

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        self._synapses = {
            memory: TiledMemory(shape=memory_shape(config, memory),
                                depth=memory_depth(config, memory),
                                init=self._images.get(memory, []))
            for memory in (Memory.WEIGHTS, Memory.LINKS) if memory in memories(config)}
        super().__init__(self._ports())

    def _ports(self):
        config = self._config
        return {
            "i": In(stream.Signature(config.source_bits)),
            "o": Out(stream.Signature(fetched(config))),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
            **({"faults": Out(faults())} if config.protection != "none" else {}),
        }

    def memory_places(self):
        """Return the storages of each memory, in the order of their words: names and depths."""
        return {Memory.ROWS: [(("rows",), memory_depth(self._config, Memory.ROWS))]} | {
            memory: [((memory.name.lower(), name), depth) for name, depth in storage.places()]
            for memory, storage in self._synapses.items()}

    def _storage(self, m, memory, address, advance):
        """Let a memory of synapses load through ``load``. Returns an address's word, `Checked`."""
        m.submodules[memory.name.lower()] = storage = self._synapses[memory]
        m.d.comb += [
            storage.enable.eq(advance),
            storage.address.eq(address),
            storage.write.eq(self.load.en & (self.load.memory == memory)),
            storage.write_address.eq(self.load.address),
            storage.after.eq(self.load.data),
        ]
        word = sabotaged(m, self._config, memory, storage.word, self.load, address=address,
                         read=advance, latency=storage.latency)
        return checked(m, self._config, memory, word)

    def _look_up(self, m, begin):
        """Look up the rows of sources. ``begin`` takes the next one.

        Returns its word, where it ends, whether they're known, and whether there's no other; and
        the word that is read, `Checked`.
        """
        config = self._config
        rows = loaded_memory(m, config, Memory.ROWS, self.load, self._images)
        found = checked(m, config, Memory.ROWS, rows.data)
        word = data.View(ring_row(config), found.value)
        first = Signal(ring_row(config))
        stop = Signal.like(word.start)
        known = Signal()
        resting = Signal()
        segment_bits = (config.segments - 1).bit_length()
        row = Signal(config.source_bits + segment_bits + 1)  # one after the last row ends it
        m.d.comb += rows.addr.eq(row)
        with m.FSM() as states:
            with m.State("SOURCE"):
                m.d.comb += [resting.eq(1), self.i.ready.eq(~known)]
                m.d.sync += row.eq(self.i.payload << segment_bits)
                with m.If(self.i.valid & self.i.ready):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += row.eq(row + 1)
                m.next = "STOP"
            with m.State("STOP"):
                m.d.sync += first.eq(word)
                m.next = "KNOWN"
            with m.State("KNOWN"):
                m.d.sync += [stop.eq(word.start), known.eq(1)]
                m.next = "SOURCE"
                if segment_bits:
                    with m.If(row[:segment_bits] != 0):
                        m.next = "NEXT"
            if segment_bits:
                with m.State("NEXT"):  # where this row ends, the source's next one starts
                    with m.If(~known):
                        m.next = "START"
        with m.If(begin):
            m.d.sync += known.eq(0)
        if config.protection != "none":
            found = self._distrust(m, states, found, first, stop)
        return first, stop, known, resting & ~known, found

    def _distrust(self, m, states, found, first, stop):
        """Let a row be empty if its word, or the next one, is bad. Returns the word when it's used.

        The first word comes in the state ``STOP``, the next one in ``KNOWN``.
        """
        doubtful, used = Signal(), Signal()
        m.d.comb += used.eq(states.ongoing("STOP") | states.ongoing("KNOWN"))
        with m.If(states.ongoing("STOP")):
            m.d.sync += doubtful.eq(found.detected)
        with m.If(states.ongoing("KNOWN") & (doubtful | found.detected)):
            m.d.sync += stop.eq(first.start)
        return found.when(used)

    def elaborate(self, platform):
        m = Module()
        config = self._config
        begin = Signal()  # the row that comes next is streamed from now on
        first, stop, known, unread, found = self._look_up(m, begin)

        address = Signal.like(stop)
        left = Signal(signed(len(stop) + 1), init=-1)  # synapses after this one; -1: none at all
        fewer = Signal.like(left)
        streaming = Signal()  # there is a synapse at the address
        read = Signal()  # and one at the memories' outputs
        there = Signal()  # and in their registers
        advance = Signal()
        m.d.comb += [
            fewer.eq(left - 1),
            streaming.eq(~left[-1]),
            advance.eq(~there | self.o.ready),
            begin.eq(known & advance & (~streaming | fewer[-1])),
            self.o.valid.eq(there),
            self.idle.eq(unread & ~streaming & ~read & ~there),
        ]
        with m.If(advance):
            m.d.sync += [address.eq(address + 1), read.eq(streaming), there.eq(read)]
            with m.If(streaming):
                m.d.sync += left.eq(fewer)
        with m.If(begin):
            m.d.sync += [address.eq(first.start), left.eq(stop - first.start - 1)]

        weight = self._storage(m, Memory.WEIGHTS, address, advance)
        m.d.comb += self.o.p.weight.eq(weight.value)
        words = [weight]
        if Memory.LINKS in memories(config):
            words.append(self._storage(m, Memory.LINKS, address, advance))
            link = data.View(ring_link(config), words[1].value)
            for name in ring_link(config).members:
                m.d.comb += self.o.p[name].eq(link[name])
        if config.dendrite_bits:
            self._follow(m, "kind", first.kind, begin, advance, step=0)
        if config.delays != "synaptic":
            self._follow(m, "delay", first.delay, begin, advance, step=0)
        if config.rows == "dense":
            self._follow(m, "target", first.first, begin, advance, step=1)
            m.d.comb += self.o.valid.eq(there & weight.value.any())
        if config.protection != "none":
            for word in words[1:]:  # nobody knows where it goes
                with m.If(word.detected):
                    m.d.comb += self.o.valid.eq(0)
            m.d.comb += tell(self.faults, [found, *(
                word.when(there & self.o.ready) for word in words)])
        return m

    def _follow(self, m, name, initial, begin, advance, *, step):
        """Give a field of the events what the row says, ``step`` more for each synapse."""
        field = self.o.p[name]
        addressed, between, output = (
            Signal.like(field, name=f"{name}_{stage}")
            for stage in ("addressed", "between", "output"))
        m.d.comb += field.eq(output)
        with m.If(advance):
            m.d.sync += [
                output.eq(between), between.eq(addressed), addressed.eq(addressed + step)]
        with m.If(begin):
            m.d.sync += addressed.eq(initial)
