"""A bank of a core: some of the neurons, with their synapses, delays and state."""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..model.cursors import cut_rows
from .axons import AxonFetch
from .cursor import CursorFetch
from .delays import DendriteDelay
from .integrator import Integrator
from .neuron import NeuronUnit
from .payloads import (
    BAD_WORDS,
    GROUP,
    GROUP_BITS,
    MOST_BAD,
    LoadSignature,
    Memory,
    bank_trace,
    memory_depth,
)
from .ring import DelayRing
from .rows import RowFetch
from .scale import table_places
from .streams import Merge

__all__ = ["Bank", "BankSignature"]


class BankSignature(wiring.Signature):
    """What a bank and the middle of its core tell one another: `Bank` says when."""

    def __init__(self, config):
        bad_words = BAD_WORDS if config.protection != "none" else ()
        super().__init__({
            "i": In(stream.Signature(config.source_bits)),
            "tick": In(config.tick_bits),
            "start": In(1),
            "next": In(config.tick_bits),
            "foreseen": In(1),
            "expected": In(1),
            "spikes": Out(stream.Signature(config.local_bits)),
            "trace": Out(stream.Signature(bank_trace(config))),
            "idle": Out(1),
            "group": In(max(1, config.tick_bits - GROUP_BITS)),
            "look": In(1),
            "busy": Out(GROUP),
            "clear": In(1),
            "load": In(LoadSignature(config)),
            "count": Out(data.StructLayout({
                "touches": 2, "looks": 1, "synaptic_events": 1, "saturations": 2, "overflows": 1,
                "lost": 1, **dict.fromkeys(bad_words, MOST_BAD.bit_length()),
            })),
        })


class Bank(wiring.Component):
    """Owns the neurons j with ``j % config.banks == index``, as local neurons ``j // banks``.

    Sources that spike in a tick are looked up, and their synapses put into the delay ring: at
    once, or with the cursor buffer shortly before they arrive. The
    neurons that are due in the tick, for arrivals first and for looks after them, go through the
    neuron unit (or the integrator, for leaky outputs). A neuron that is due for both is touched
    first, which replaces its look.

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
        ``tick`` becomes the current tick in the next cycle. Allowed while ``idle``.
    next, foreseen, expected
        The tick that is probably the next one: see `SlotMap`.
    spikes : Out(stream.Signature(config.local_bits))
        Local neurons that fire in the current tick.
    trace : Out(stream.Signature(bank_trace(config)))
        A record per touch.
    idle : Out(1)
        All work of the current tick is done but what ``i`` may still bring, and once the record at
        ``trace`` is taken. Combinational.
    group, look, busy
        Which ticks of a group something is due in: see `SlotMap`.
    clear : In(1)
        Forget the sample, in at most ``clear_cycles`` cycles; ``idle`` is 0 meanwhile. Allowed
        while ``idle``. In a stream, where ``tick`` is the first one that hasn't been, forget
        integrals and what has decayed; the first time after a reset, everything.
    load : In(LoadSignature(config))
        Writes the memories, while ``idle``.
    count : Out(data.StructLayout)
        What happened in this cycle: ``touches``, ``looks``, ``synaptic_events``, ``saturations``,
        ``overflows`` and ``lost``; where words are protected, ``corrected`` and ``detected``.
    """

    def __init__(self, *, config, index, images=None):
        if not 0 <= index < config.banks:
            raise ValueError(f"Bank index must be from 0 to {config.banks - 1}, not {index!r}")
        self._config = config
        self._index = index
        if cut_rows(config):
            fetch = CursorFetch
        else:
            fetch = AxonFetch if config.buffer == "cursor" else RowFetch
        self._rows = fetch(config=config, images=images)
        self._delays = DendriteDelay(config=config, images=images) if config.dendrites else None
        self._ring = DelayRing(config=config)
        self._neurons = self._outputs = None
        if index < config.spiking:
            self._neurons = NeuronUnit(config=config, images=images)
        if self.first_output < self.neurons:
            self._outputs = Integrator(config=config, images=images)
        super().__init__(BankSignature(config))

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

    @property
    def reset_cycles(self):
        """Most cycles from the end of a reset until ``idle``."""
        return max(self._ring.reset_cycles, *(unit.clear_cycles for unit in self._stateful()))

    def memory_places(self):
        """Return where each memory that is loaded stands.

        Returns
        -------
        dict of Memory to list of (path, base, words)
            The storages of its words, in their order: names of submodules and of the storage, the
            first of the words in it, and how many.
        """
        config = self._config
        places = {memory: [(("fetch", *path), 0, words) for path, words in storages]
                  for memory, storages in self._rows.memory_places().items()}
        if self._delays:
            places |= {memory: [(("delays", *path), 0, words) for path, words in storages]
                       for memory, storages in self._delays.memory_places().items()}
        if self._neurons:
            for memory in (Memory.THETA0, Memory.BETA) if config.adaptive else (Memory.THETA0,):
                places[memory] = [(("neurons", "memory", f"{memory.name.lower()}_words"), 0,
                                   -(-config.spiking // config.banks))]
            for memory, place in table_places(config).items():
                places[memory] = [(("neurons", "scale", "tables"), place.start, len(place))]
        if self._outputs:
            places[Memory.READOUT] = [(("outputs", "readout"), 0,
                                       memory_depth(config, Memory.READOUT))]
        return places

    @property
    def _cursors(self):
        return self._rows if self._config.buffer == "cursor" else None

    def _stateful(self):
        units = (self._ring, self._neurons, self._outputs, self._cursors)
        return [unit for unit in units if unit is not None]

    def _add_units(self, m):
        """Add the submodules, and give them what they have in common."""
        m.submodules.fetch = self._rows
        if self._delays:
            m.submodules.delays = self._delays
        m.submodules.ring = self._ring
        if self._neurons:
            m.submodules.neurons = self._neurons
        if self._outputs:
            m.submodules.outputs = self._outputs
        loaded = [unit for unit in (self._rows, self._delays, self._neurons, self._outputs) if unit]
        for unit in loaded:
            m.d.comb += [
                unit.load.en.eq(self.load.en),
                unit.load.memory.eq(self.load.memory),
                unit.load.address.eq(self.load.address),
                unit.load.data.eq(self.load.data),
            ]
        for unit in self._stateful():
            m.d.comb += unit.clear.eq(self.clear)
        if self._config.streaming:
            begun = Signal()
            with m.If(self.clear):
                m.d.sync += begun.eq(1)
            for unit in (unit for unit in (self._ring, self._cursors) if unit):
                m.d.comb += unit.clear.eq(self.clear & ~begun)
        if self._cursors:
            m.d.comb += [
                self._cursors.tick.eq(self.tick),
                self._cursors.start.eq(self.start),
                self._cursors.group.eq(self.group),
                self._cursors.look.eq(self.look),
                self.count.lost.eq(self._cursors.lost),
            ]

    def _serve(self, m, tick):
        """Share the neurons that are due between the neuron unit and the integrator."""
        ring, ready = self._ring, self._ring.o
        units = [unit for unit in (self._neurons, self._outputs) if unit]
        to_output = Signal()
        if self._outputs:
            m.d.comb += to_output.eq(ready.p.neuron >= self.first_output if self._neurons else 1)
        m.submodules.trace = merge = Merge(shape=bank_trace(self._config), count=len(units))
        m.d.comb += merge.clear.eq(self.clear)
        for k, unit in enumerate(units):
            mine = to_output if unit is self._outputs else ~to_output
            m.d.comb += [
                unit.tick.eq(tick),
                unit.sum.eq(ring.sum),
                unit.i.payload.eq(ready.payload),
                unit.i.valid.eq(ready.valid & mine),
            ]
            with m.If(mine):
                m.d.comb += ready.ready.eq(unit.i.ready)
            wiring.connect(m, unit.trace, merge.i[k])
        wiring.connect(m, merge.o, wiring.flipped(self.trace))
        if self._neurons:
            wiring.connect(m, self._neurons.spikes, wiring.flipped(self.spikes))
            if self._config.synapse == "exponential":
                wiring.connect(m, self._neurons.wakes, ring.wakes)

    def elaborate(self, platform):
        m = Module()
        rows, ring = self._rows, self._ring
        tick = Signal(self._config.tick_bits)
        with m.If(self.start | self.clear if self._config.streaming else self.start):
            m.d.sync += tick.eq(self.tick)

        self._add_units(m)
        wiring.connect(m, wiring.flipped(self.i), rows.i)
        if self._delays:
            wiring.connect(m, rows.o, self._delays.i)
            wiring.connect(m, self._delays.o, ring.i)
        else:
            wiring.connect(m, rows.o, ring.i)
        self._serve(m, tick)
        m.d.comb += [
            ring.tick.eq(self.tick),
            ring.start.eq(self.start),
            ring.next.eq(self.next),
            ring.foreseen.eq(self.foreseen),
            ring.expected.eq(self.expected),
            ring.group.eq(self.group),
            ring.look.eq(self.look),
            self.busy.eq(ring.busy | self._cursors.busy if self._cursors else ring.busy),
        ]

        working = [unit for unit in (rows, self._delays, ring, self._neurons, self._outputs)
                   if unit]
        m.d.comb += self.idle.eq(Const(1))
        for unit in working:
            with m.If(~unit.idle):
                m.d.comb += self.idle.eq(0)
        if self._cursors:
            # What was put into the wheel shows in `busy` a cycle after the wheel is idle.
            still = Signal()
            m.d.sync += still.eq(self._cursors.idle)
            with m.If(~still):
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
        telling = [unit for unit in (rows, self._delays, self._neurons) if unit]
        if self._config.protection != "none":
            m.d.comb += [self.count[name].eq(sum(unit.faults[name] for unit in telling))
                         for name in BAD_WORDS]
        return m
