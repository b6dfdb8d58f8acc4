"""Row fetch: streams the synapses of a source out of a bank's memories."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory as Storage
from amaranth.lib.wiring import In, Out

from .payloads import LoadSignature, Memory, memory_depth, memory_shape, synapse
from .tiled import TiledMemory

__all__ = ["RowFetch"]


class RowFetch(wiring.Component):
    """Streams the synapses of each source that it's given, one per cycle.

    Three memories: ``rows`` (where the row of a source starts; the next row's start is its end),
    ``weights``, and ``links`` (target and delay of the same synapse). The bounds of the next
    source are fetched while a row is streamed.

    Parameters
    ----------
    config : CoreConfig
    images : dict of Memory to sequence of int, or None
        Initial words of the three memories. All 0 with None.

    Members
    -------
    i : In(stream.Signature(config.source_bits))
        Sources that have spiked.
    o : Out(stream.Signature(synapse(config)))
    idle : Out(1)
        No source is being worked on.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    """

    latency = 7  # cycles from an accepted source to its first synapse
    source_cycles = 5  # cycles from an accepted source to the next one, at least

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        self._synapses = {
            memory: TiledMemory(shape=memory_shape(config, memory),
                                depth=memory_depth(config, memory),
                                init=self._images.get(memory, []))
            for memory in (Memory.WEIGHTS, Memory.LINKS)}
        super().__init__({
            "i": In(stream.Signature(config.source_bits)),
            "o": Out(stream.Signature(synapse(config))),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
        })

    def memory_places(self):
        """Return the storages of each memory, in the order of their words: names and depths."""
        return {Memory.ROWS: [(("rows",), memory_depth(self._config, Memory.ROWS))]} | {
            memory: [((memory.name.lower(), name), depth) for name, depth in storage.places()]
            for memory, storage in self._synapses.items()}

    def _storage(self, m, memory):
        """Let a memory of synapses load through ``load``; returns it."""
        m.submodules[memory.name.lower()] = storage = self._synapses[memory]
        m.d.comb += [
            storage.write.eq(self.load.en & (self.load.memory == memory)),
            storage.write_address.eq(self.load.address),
            storage.after.eq(self.load.data),
        ]
        return storage

    def _bounds(self, m):
        """Return the read port of the memory of bounds, which loads through ``load``."""
        config, memory = self._config, Memory.ROWS
        m.submodules.rows = storage = Storage(
            shape=memory_shape(config, memory), depth=memory_depth(config, memory),
            init=[int(word) for word in self._images.get(memory, [])])
        write = storage.write_port()
        m.d.comb += [
            write.en.eq(self.load.en & (self.load.memory == memory)),
            write.addr.eq(self.load.address),
            write.data.eq(self.load.data),
        ]
        return storage.read_port()

    def _look_up(self, m, rows, begin):
        """Look up the bounds of the next source's row.

        Returns the bounds, whether they're known, and whether no source is being looked up.
        """
        bounds = Signal(data.StructLayout({"start": rows.data.shape(), "stop": rows.data.shape()}))
        known, resting = Signal(), Signal()
        source = Signal(self._config.source_bits)
        next_source = Signal.like(rows.addr)
        with m.FSM():
            with m.State("SOURCE"):
                m.d.comb += [resting.eq(1), self.i.ready.eq(~known)]
                m.d.sync += source.eq(self.i.payload)
                with m.If(self.i.valid & self.i.ready):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += rows.addr.eq(source)
                m.d.sync += next_source.eq(source + 1)
                m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += rows.addr.eq(next_source)
                m.d.sync += bounds.start.eq(rows.data)
                m.next = "KNOWN"
            with m.State("KNOWN"):
                m.d.sync += [bounds.stop.eq(rows.data), known.eq(1)]
                m.next = "SOURCE"
        with m.If(begin):
            m.d.sync += known.eq(0)
        return bounds, known, resting

    def elaborate(self, platform):
        m = Module()
        config = self._config
        rows = self._bounds(m)
        weights = self._storage(m, Memory.WEIGHTS)
        links = self._storage(m, Memory.LINKS)

        begin = Signal()  # the row that comes next is streamed from now on
        bounds, ready, waiting = self._look_up(m, rows, begin)

        address = Signal.like(rows.data)
        end = Signal.like(rows.data)
        streaming = Signal()  # there is a synapse at the address
        read = Signal()  # and one at the memories' outputs
        advance, ending = Signal(), Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            ending.eq(~streaming | (address + 1 == end)),
            begin.eq(ready & advance & ending),
            weights.enable.eq(advance),
            links.enable.eq(advance),
            weights.address.eq(address),
            links.address.eq(address),
            self.o.p.weight.eq(weights.word),
            self.o.p.target.eq(links.word[:config.local_bits]),
            self.o.p.delay.eq(links.word[config.local_bits:]),
            self.idle.eq(waiting & ~ready & ~streaming & ~read & ~self.o.valid),
        ]
        with m.If(advance):
            m.d.sync += [
                address.eq(address + 1),
                streaming.eq(~ending),
                read.eq(streaming),
                self.o.valid.eq(read),
            ]
        with m.If(begin):
            m.d.sync += [
                address.eq(bounds.start),
                end.eq(bounds.stop),
                streaming.eq(bounds.start != bounds.stop),
            ]
        return m
