"""The ring delay buffer: an accumulator per neuron and slot, and which of them are in use."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .fixed import saturate
from .payloads import synapse
from .slots import SlotMap

__all__ = ["DelayRing"]


class DelayRing(wiring.Component):
    """Adds up synaptic events by the tick at which they arrive, and drains a tick at a time.

    An event goes in per cycle, whatever its target and slot (the sum just written is forwarded).
    An accumulator that isn't marked in the ring's `SlotMap` counts as 0, so only marks are
    cleared.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    i : In(stream.Signature(synapse(config)))
        Events of the tick that was started last, due ``delay`` ticks after it.
    tick : In(config.tick_bits)
        The tick to drain with ``start``; its low bits are the slot.
    start : In(1)
        Drain ``tick``, from the next cycle on. Allowed while ``idle``, and then at every cycle.
    o : Out(stream.Signature(data.StructLayout))
        The neurons that are due, ascending: ``neuron`` (local) and ``sum``.
    overflow : Out(1)
        A sum was saturated in this cycle. Can't happen with at most ``config.fan_in`` synapses
        on a neuron.
    drained : Out(1)
        Nothing is left of the started tick. Combinational; it tells from the cycle after
        ``start`` on.
    idle : Out(1)
        ``drained``, and no event is in flight. Combinational.
    clear : In(1)
        Forget everything, in ``clear_cycles`` cycles from the next on; ``idle`` is 0 meanwhile.
        Allowed while ``idle``.
    """

    latency = 6  # cycles from ``start`` to the first neuron

    def __init__(self, *, config):
        self._config = config
        self._marks = SlotMap(slots=config.slots, neurons=config.bank_neurons)
        super().__init__({
            "i": In(stream.Signature(synapse(config))),
            "tick": In(config.tick_bits),
            "start": In(1),
            "o": Out(stream.Signature(data.StructLayout({
                "neuron": config.local_bits, "sum": signed(config.sum_bits)}))),
            "overflow": Out(1),
            "drained": Out(1),
            "idle": Out(1),
            "clear": In(1),
        })

    @property
    def clear_cycles(self):
        """Cycles that ``clear`` takes."""
        return self._marks.clear_cycles

    def elaborate(self, platform):
        m = Module()
        config = self._config
        slot_bits = config.slots.bit_length() - 1
        m.submodules.marks = marks = self._marks
        m.submodules.sums = sums = Memory(
            shape=signed(config.sum_bits), depth=config.bank_neurons * config.slots, init=[])
        write = sums.write_port()
        read = sums.read_port(transparent_for=(write,))

        slot = Signal(slot_bits)  # of the tick that was started last
        reading = Signal()  # the drain takes the memory's read port
        read_before = Signal()
        accepted = Signal()
        adding = Signal()  # an event is in its second cycle
        address = Signal.like(write.addr)
        weight = Signal.like(self.i.p.weight)

        m.d.comb += [
            marks.clear.eq(self.clear),
            marks.start.eq(self.start),
            marks.slot.eq(self.tick[:slot_bits]),
        ]
        with m.If(self.start):
            m.d.sync += slot.eq(self.tick[:slot_bits])

        # First cycle of an event: mark it and read its accumulator.
        m.d.comb += [
            marks.i.p.slot.eq(slot + self.i.p.delay),
            marks.i.p.neuron.eq(self.i.p.target),
            marks.i.valid.eq(self.i.valid & ~reading),
            self.i.ready.eq(marks.i.ready & ~reading),
            accepted.eq(self.i.valid & self.i.ready),
            read.en.eq(accepted | reading),
            read.addr.eq(Mux(reading, Cat(slot, marks.o.payload),
                             Cat(marks.i.p.slot, self.i.p.target))),
        ]
        m.d.sync += [
            adding.eq(accepted),
            address.eq(read.addr),
            weight.eq(self.i.p.weight),
        ]

        # Second cycle: add and write back.
        total, clipped = saturate(m, Mux(marks.present, read.data, 0) + weight, config.sum_bits)
        m.d.comb += [
            write.en.eq(adding),
            write.addr.eq(address),
            write.data.eq(total),
            self.overflow.eq(adding & clipped),
        ]

        # The drain goes first at the read port: it needs it once per due neuron.
        m.d.comb += [
            reading.eq(marks.o.valid & ~read_before & (~self.o.valid | self.o.ready)),
            marks.o.ready.eq(read_before),
            self.drained.eq(marks.drained & ~read_before & ~self.o.valid),
            self.idle.eq(self.drained & marks.idle),
        ]
        m.d.sync += read_before.eq(reading)
        with m.If(read_before):
            m.d.sync += [
                self.o.valid.eq(1),
                self.o.p.neuron.eq(marks.o.payload),
                self.o.p.sum.eq(read.data),
            ]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
