"""A bank of a core: some of the neurons, with their synapses, delays and state."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.config import WAKE_SLOTS
from .cursor import CursorFetch
from .integrator import Integrator
from .neuron import NeuronUnit
from .payloads import LoadSignature, Memory, bank_trace, due, memories, memory_depth
from .ring import DelayRing
from .rows import RowFetch
from .scale import table_places
from .slots import SlotMap
from .streams import Merge

__all__ = ["Bank"]


class Bank(wiring.Component):
    """Owns the neurons j with ``j % config.banks == index``, as local neurons ``j // banks``.

    Sources that spike in a tick are looked up, and their synapses put into the delay ring: at
    once, or with the cursor buffer shortly before they arrive. The
    neurons that are due in the tick, for arrivals first and for looks after them, go through the
    neuron unit (or the integrator, for leaky outputs).

    Parameters
    ----------
    config : CoreConfig
    index : int
        Number of the bank.
    images : dict of Memory to sequence of int, or None
        Initial words of the memories: see `bank_images`. All 0 with None.

    Members
    -------
    i : In(stream.Signature(config.source_bits))
        Sources that spike in the current tick.
    tick : In(config.tick_bits)
    start : In(1)
        ``tick`` becomes the current tick in the next cycle. Allowed while ``idle``, and then at
        every cycle.
    spikes : Out(stream.Signature(config.local_bits))
        Local neurons that fire in the current tick.
    trace : Out(stream.Signature(bank_trace(config)))
        A record per touch.
    idle : Out(1)
        All work of the current tick is done but what ``i`` may still bring. Combinational.
    clear : In(1)
        Forget the sample, in at most ``clear_cycles`` cycles; ``idle`` is 0 meanwhile. Allowed
        while ``idle``.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    count : Out(data.StructLayout)
        What happened in this cycle: ``touches``, ``looks``, ``synaptic_events``, ``saturations``,
        ``overflows`` and ``lost``.
    """

    def __init__(self, *, config, index, images=None):
        if not 0 <= index < config.banks:
            raise ValueError(f"Bank index must be from 0 to {config.banks - 1}, not {index!r}")
        self._config = config
        self._index = index
        fetch = CursorFetch if config.buffer == "cursor" else RowFetch
        self._rows = fetch(config=config, images=images)
        self._ring = DelayRing(config=config)
        self._neurons = self._outputs = self._wakes = None
        if index < config.spiking:
            self._neurons = NeuronUnit(config=config, images=images)
        if self.first_output < self.neurons:
            self._outputs = Integrator(config=config, images=images)
        if self._neurons and config.synapse == "exponential":
            self._wakes = SlotMap(slots=WAKE_SLOTS, neurons=config.bank_neurons)
        super().__init__({
            "i": In(stream.Signature(config.source_bits)),
            "tick": In(config.tick_bits),
            "start": In(1),
            "spikes": Out(stream.Signature(config.local_bits)),
            "trace": Out(stream.Signature(bank_trace(config))),
            "idle": Out(1),
            "clear": In(1),
            "load": In(LoadSignature(config)),
            "count": Out(data.StructLayout({
                "touches": 2, "looks": 1, "synaptic_events": 1, "saturations": 2, "overflows": 1,
                "lost": 1,
            })),
        })

    @property
    def neurons(self):
        """Number of neurons in the bank."""
        return len(range(self._index, self._config.neurons, self._config.banks))

    @property
    def first_output(self):
        """First local neuron that is a leaky output; ``neurons`` if there are none."""
        return len(range(self._index, self._config.spiking, self._config.banks))

    @property
    def clear_cycles(self):
        """Most cycles from ``clear`` until ``idle``."""
        return max(unit.clear_cycles for unit in self._stateful())

    def memory_places(self):
        """Return where each memory that is loaded stands.

        Returns
        -------
        dict of Memory to (path, base, words)
            Names of submodules and of the storage, the memory's first word in it, and its size.
        """
        config = self._config
        walk = ("fetch", "walk") if config.buffer == "cursor" else ("fetch",)
        places = {memory: ((*unit, memory.name.lower()), 0, memory_depth(config, memory))
                  for memory, unit in ((Memory.ROWS, ("fetch",)), (Memory.WEIGHTS, walk),
                                       (Memory.LINKS, walk)) if memory in memories(config)}
        if self._neurons:
            for memory in (Memory.THETA0, Memory.BETA) if config.adaptive else (Memory.THETA0,):
                places[memory] = (("neurons", "memory", f"{memory.name.lower()}_words"), 0,
                                  -(-config.spiking // config.banks))
            for memory, place in table_places(config).items():
                places[memory] = (("neurons", "scale", "tables"), place.start, len(place))
        if self._outputs:
            places[Memory.READOUT] = (("outputs", "readout"), 0,
                                      memory_depth(config, Memory.READOUT))
        return places

    @property
    def _cursors(self):
        return self._rows if self._config.buffer == "cursor" else None

    def _stateful(self):
        units = (self._ring, self._wakes, self._neurons, self._outputs, self._cursors)
        return [unit for unit in units if unit is not None]

    def _add_units(self, m):
        """Add the submodules, and give them what they have in common."""
        m.submodules.fetch = self._rows
        m.submodules.ring = self._ring
        if self._wakes:
            m.submodules.wakes = self._wakes
        if self._neurons:
            m.submodules.neurons = self._neurons
        if self._outputs:
            m.submodules.outputs = self._outputs
        loaded = [unit for unit in (self._rows, self._neurons, self._outputs) if unit]
        for unit in loaded:
            m.d.comb += [
                unit.load.en.eq(self.load.en),
                unit.load.memory.eq(self.load.memory),
                unit.load.address.eq(self.load.address),
                unit.load.data.eq(self.load.data),
            ]
        for unit in self._stateful():
            m.d.comb += unit.clear.eq(self.clear)
        if self._cursors:
            m.d.comb += [
                self._cursors.tick.eq(self.tick),
                self._cursors.start.eq(self.start),
                self.count.lost.eq(self._cursors.lost),
            ]

    def _schedule(self, m):
        """Hand over the neurons that are due: arrivals, then looks. Returns that stream."""
        ring, wakes = self._ring, self._wakes
        ready = stream.Signature(due(self._config)).create()
        m.d.comb += [
            ring.tick.eq(self.tick),
            ring.start.eq(self.start),
            ready.valid.eq(ring.o.valid),
            ready.p.neuron.eq(ring.o.p.neuron),
            ready.p.arrival.eq(1),
            ready.p.sum.eq(ring.o.p.sum),
            ring.o.ready.eq(ready.ready),
        ]
        if wakes:
            looks = self._neurons.wakes
            m.d.comb += [
                wakes.slot.eq(self.tick),
                wakes.start.eq(self.start),
                wakes.i.p.neuron.eq(looks.p.neuron),
                wakes.i.p.slot.eq(looks.p.slot),
                wakes.i.valid.eq(looks.valid),
                looks.ready.eq(wakes.i.ready),
            ]
            # A neuron that is due for both is touched first, which replaces its look.
            with m.If(ring.drained):
                m.d.comb += [
                    ready.valid.eq(wakes.o.valid),
                    ready.p.neuron.eq(wakes.o.payload),
                    ready.p.arrival.eq(0),
                    wakes.o.ready.eq(ready.ready),
                ]
        return ready

    def _serve(self, m, ready, tick):
        """Share the stream of due neurons between the neuron unit and the integrator."""
        units = [unit for unit in (self._neurons, self._outputs) if unit]
        to_output = Signal()
        if self._outputs:
            m.d.comb += to_output.eq(ready.p.neuron >= self.first_output if self._neurons else 1)
        m.submodules.trace = merge = Merge(shape=bank_trace(self._config), count=len(units))
        for k, unit in enumerate(units):
            mine = to_output if unit is self._outputs else ~to_output
            m.d.comb += [
                unit.tick.eq(tick),
                unit.i.payload.eq(ready.payload),
                unit.i.valid.eq(ready.valid & mine),
            ]
            with m.If(mine):
                m.d.comb += ready.ready.eq(unit.i.ready)
            wiring.connect(m, unit.trace, merge.i[k])
        wiring.connect(m, merge.o, wiring.flipped(self.trace))
        if self._neurons:
            wiring.connect(m, self._neurons.spikes, wiring.flipped(self.spikes))

    def elaborate(self, platform):
        m = Module()
        rows, ring, wakes = self._rows, self._ring, self._wakes
        tick = Signal(self._config.tick_bits)
        with m.If(self.start):
            m.d.sync += tick.eq(self.tick)

        self._add_units(m)
        wiring.connect(m, wiring.flipped(self.i), rows.i)
        wiring.connect(m, rows.o, ring.i)
        ready = self._schedule(m)
        self._serve(m, ready, tick)

        working = [unit for unit in (rows, ring, wakes, self._neurons, self._outputs) if unit]
        m.d.comb += self.idle.eq(Const(1))
        for unit in working:
            with m.If(~unit.idle):
                m.d.comb += self.idle.eq(0)
        with m.If(self.trace.valid):
            m.d.comb += self.idle.eq(0)

        touches = [unit.touch for unit in (self._neurons, self._outputs) if unit]
        m.d.comb += [
            self.count.touches.eq(sum(touches)),
            self.count.synaptic_events.eq(ring.i.valid & ring.i.ready),
            self.count.overflows.eq(ring.overflow),
        ]
        if self._neurons:
            m.d.comb += [
                self.count.looks.eq(self._neurons.look),
                self.count.saturations.eq(self._neurons.saturations),
            ]
        return m
