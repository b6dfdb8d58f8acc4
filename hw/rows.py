"""Row fetch: streams the synapses of a source out of a bank's memories."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .payloads import LoadSignature, Memory, memory_depth, memory_shape, synapse
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

    latency = 5  # cycles from an accepted source to its first synapse
    source_cycles = 3  # cycles from an accepted source to the next one, at least

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        super().__init__({
            "i": In(stream.Signature(config.source_bits)),
            "o": Out(stream.Signature(synapse(config))),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
        })

    def elaborate(self, platform):
        m = Module()
        config = self._config
        rows, weights, links = (
            loaded_memory(m, config, memory, self.load, self._images)
            for memory in (Memory.ROWS, Memory.WEIGHTS, Memory.LINKS))

        start = Signal.like(rows.data)  # of the row that comes next
        stop = Signal.like(rows.data)
        ready = Signal()  # start and stop are known
        begin = Signal()  # and start streaming now
        source = Signal(config.source_bits)
        waiting = Signal()  # no bounds are being read

        with m.FSM():
            with m.State("SOURCE"):
                m.d.comb += [
                    waiting.eq(1),
                    self.i.ready.eq(~ready | begin),
                    rows.addr.eq(self.i.payload),
                ]
                with m.If(self.i.valid & self.i.ready):
                    m.d.sync += source.eq(self.i.payload)
                    m.next = "START"
            with m.State("START"):
                m.d.comb += rows.addr.eq(source + 1)
                m.d.sync += start.eq(rows.data)
                m.next = "STOP"
            with m.State("STOP"):
                m.d.sync += stop.eq(rows.data)
                m.d.sync += ready.eq(1)
                m.next = "SOURCE"

        address = Signal.like(rows.data)
        end = Signal.like(rows.data)
        streaming = Signal()
        advance = Signal()
        m.d.comb += [
            streaming.eq(address < end),
            advance.eq(~self.o.valid | self.o.ready),
            begin.eq(ready & (~streaming | (advance & (address + 1 == end)))),
            weights.en.eq(advance),
            links.en.eq(advance),
            weights.addr.eq(address),
            links.addr.eq(address),
            self.o.p.weight.eq(weights.data),
            self.o.p.target.eq(links.data[:config.local_bits]),
            self.o.p.delay.eq(links.data[config.local_bits:]),
        ]
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(streaming),
                address.eq(Mux(streaming, address + 1, address)),
            ]
        with m.If(begin):
            m.d.sync += [address.eq(start), end.eq(stop), ready.eq(0)]
        m.d.comb += self.idle.eq(waiting & ~ready & ~streaming & ~self.o.valid)
        return m
