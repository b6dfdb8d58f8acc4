"""Dendritic delays: what a target adds to the delays of its synapses."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .checked import checked, tell
from .payloads import LoadSignature, Memory, faults, fetched, memory_depth, synapse
from .rows import loaded_memory

__all__ = ["DendriteDelay"]


class DendriteDelay(wiring.Component):
    """Adds a delay of its target to each synaptic event, one event per cycle.

    Parameters
    ----------
    config : CoreConfig
        With dendritic delays.
    images : dict of Memory to sequence of int, or None
        Initial words of ``dendrites``. All 0 with None.

    Members
    -------
    i : In(stream.Signature(fetched(config)))
    o : Out(stream.Signature(synapse(config)))
    idle : Out(1)
        No event is on its way.
    load : In(LoadSignature(config))
        Writes the memory, while ``idle``.
    faults : Out(faults())
        Bad words that were used in this cycle. There if words are protected.
    """

    latency = 2

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        super().__init__({
            "i": In(stream.Signature(fetched(config))),
            "o": Out(stream.Signature(synapse(config))),
            "idle": Out(1),
            "load": In(LoadSignature(config)),
            **({"faults": Out(faults())} if config.protection != "none" else {}),
        })

    def memory_places(self):
        """Return the storage of the memory: as of `RowFetch`."""
        return {Memory.DENDRITES: [
            (("dendrites",), memory_depth(self._config, Memory.DENDRITES))]}

    def elaborate(self, platform):
        m = Module()
        config = self._config
        dendrites = loaded_memory(m, config, Memory.DENDRITES, self.load, self._images)
        dendritic = checked(m, config, Memory.DENDRITES, dendrites.data)
        event = Signal(fetched(config))  # whose dendritic delay is there
        read = Signal()
        advance = Signal()
        kind = [self.i.p.kind] if config.dendrite_bits else []
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            self.i.ready.eq(advance),
            dendrites.en.eq(advance),
            dendrites.addr.eq(Cat(*kind, self.i.p.target)),
            self.idle.eq(~read & ~self.o.valid),
        ]
        with m.If(advance):
            m.d.sync += [
                read.eq(self.i.valid),
                event.eq(self.i.payload),
                self.o.valid.eq(read),
                self.o.p.target.eq(event.target),
                self.o.p.weight.eq(event.weight),
                self.o.p.delay.eq(event.delay + dendritic.value),
            ]
        if config.protection != "none":
            m.d.comb += tell(self.faults, [dendritic.when(read & advance)])
        return m
