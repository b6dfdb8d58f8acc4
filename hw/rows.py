"""Row fetch: streams the synapses of a source out of a bank's memories."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .payloads import (
    LoadSignature,
    Memory,
    memories,
    memory_depth,
    memory_shape,
    ring_link,
    ring_row,
    synapse,
)
from .plain import plain_memory

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
        With the ring.
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

    latency = 5  # cycles from an accepted source to its first synapse
    row_cycles = 3  # for each row of a source, at least

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        super().__init__({
            "i": In(stream.Signature(config.source_bits)),
            "o": Out(stream.Signature(synapse(config))),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
        })

    def _memory(self, m, memory):
        return loaded_memory(m, self._config, memory, self.load, self._images)

    def _bounds(self, m, begin):
        """Fetch the rows of sources. Returns the next row's word and end, whether they're known,
        and whether there's no other to be fetched. ``begin`` takes them.
        """
        config = self._config
        rows = self._memory(m, Memory.ROWS)
        word = data.View(ring_row(config), rows.data)
        first, stop = Signal(ring_row(config)), Signal.like(word.start)
        ready, waiting = Signal(), Signal()
        segment_bits = (config.segments - 1).bit_length()
        row = Signal(config.source_bits + segment_bits)
        with m.If(begin):
            m.d.sync += ready.eq(0)
        with m.FSM():
            with m.State("SOURCE"):
                m.d.comb += [
                    waiting.eq(1),
                    self.i.ready.eq(~ready | begin),
                    rows.addr.eq(self.i.payload << segment_bits),
                ]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += row.eq(self.i.payload << segment_bits)
                    m.next = "START"
            with m.State("START"):
                m.d.comb += rows.addr.eq(row + 1)
                m.d.sync += first.eq(word)
                m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += rows.addr.eq(row + 1)
                m.d.sync += [stop.eq(word.start), ready.eq(1)]
                if segment_bits:
                    m.next = "NEXT"
                    with m.If(row[:segment_bits].all()):
                        m.next = "SOURCE"
                else:
                    m.next = "SOURCE"
            if segment_bits:
                with m.State("NEXT"):  # where this row ends, the source's next one starts
                    m.d.comb += rows.addr.eq(row + 1)
                    with m.If(~ready | begin):
                        m.d.sync += row.eq(row + 1)
                        m.next = "START"
        return first, stop, ready, waiting & ~ready

    def elaborate(self, platform):
        m = Module()
        config = self._config
        begin = Signal()  # start streaming the next row
        first, stop, ready, unread = self._bounds(m, begin)
        weights = self._memory(m, Memory.WEIGHTS)

        address = Signal.like(stop)
        left = Signal(signed(len(stop) + 1), init=-1)  # synapses after this one; -1: none at all
        fewer = Signal.like(left)
        streaming, advance, there = Signal(), Signal(), Signal()
        m.d.comb += [
            fewer.eq(left - 1),
            streaming.eq(~left[-1]),
            advance.eq(~self.o.valid | self.o.ready),
            begin.eq(ready & (~streaming | (advance & fewer[-1]))),
            weights.en.eq(advance),
            weights.addr.eq(address),
            self.o.p.weight.eq(weights.data),
            self.o.valid.eq(there),
            self.idle.eq(unread & ~streaming & ~there),
        ]
        with m.If(advance):
            m.d.sync += [there.eq(streaming), address.eq(address + 1)]
            with m.If(streaming):
                m.d.sync += left.eq(fewer)
        with m.If(begin):
            m.d.sync += [address.eq(first.start), left.eq(stop - first.start - 1)]

        if Memory.LINKS in memories(config):
            links = self._memory(m, Memory.LINKS)
            m.d.comb += [links.en.eq(advance), links.addr.eq(address)]
            link = data.View(ring_link(config), links.data)
            for name in ring_link(config).members:
                m.d.comb += self.o.p[name].eq(link[name])
        if config.delays == "axonal":
            self._follow(m, self.o.p.delay, first.delay, begin, advance, step=0)
        if config.rows == "dense":
            self._follow(m, self.o.p.target, first.first, begin, advance, step=1)
            m.d.comb += self.o.valid.eq(there & weights.data.any())
        return m

    def _follow(self, m, field, initial, begin, advance, *, step):
        """Give ``field`` of the events what the row says, ``step`` more for each synapse."""
        value, output = Signal.like(field), Signal.like(field)
        m.d.comb += field.eq(output)
        with m.If(advance):
            m.d.sync += [output.eq(value), value.eq(value + step)]
        with m.If(begin):
            m.d.sync += value.eq(initial)
