"""The ring delay buffer: who is due in which tick, with the sum of its arrivals or for a look."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .fixed import saturate
from .payloads import GROUP, SUM_LATENCY, due, synapse, wake
from .slots import SlotMap
from .streams import Buffer
from .updated import UpdatedMemory

__all__ = ["DelayRing"]


class DelayRing(wiring.Component):
    """Adds up synaptic events by the tick at which they arrive, and drains a tick at a time.

    An event goes in per cycle, whatever its target and slot. An accumulator that isn't marked in
    the ring's `SlotMap` counts as 0, so only marks are cleared. Looks to come are marked in a
    wheel of their own in the same map.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    i : In(stream.Signature(synapse(config)))
        Events of the tick that was started last, due ``delay`` ticks after it.
    wakes : In(stream.Signature(wake(config)))
        Looks to come. There with ``exponential`` synapses.
    tick : In(config.tick_bits)
        The tick to drain with ``start``.
    start : In(1)
        Drain ``tick``, from the next cycle on. Allowed while ``idle``.
    next, foreseen, expected
        The tick that is probably drained next: as of `SlotMap`, modulo its slots.
    o : Out(stream.Signature(due(config)))
        The neurons that are due: those with arrivals, then those to be looked at, ascending.
    sum : Out(signed(config.sum_bits))
        The arrivals of a neuron that was accepted ``SUM_LATENCY`` cycles before.
    overflow : Out(1)
        A sum was saturated in this cycle. Can't happen with at most ``config.fan_in`` synapses
        on a neuron.
    idle : Out(1)
        Nothing is left of the started tick, and no event is in flight. Combinational; it tells
        from the cycle after ``start`` on.
    group, look, busy
        Which ticks of a group something is due in: as of `SlotMap`, modulo its slots.
    clear : In(1)
        Forget everything, in at most ``clear_cycles`` cycles from the next on; ``idle`` is 0
        meanwhile. Allowed while ``idle``. A reset does the same, in ``reset_cycles``.
    """

    latency = 7  # cycles from ``start`` to the first neuron, if nobody has foreseen it

    def __init__(self, *, config):
        self._config = config
        self._looks = config.synapse == "exponential"
        self._marks = SlotMap(sizes=config.wheel_sizes, neurons=config.bank_neurons)
        super().__init__({
            "i": In(stream.Signature(synapse(config))),
            **({"wakes": In(stream.Signature(wake(config)))} if self._looks else {}),
            "tick": In(config.tick_bits),
            "start": In(1),
            "next": In(len(self._marks.slot)),
            "foreseen": In(1),
            "expected": In(1),
            "o": Out(stream.Signature(due(config))),
            "sum": Out(signed(config.sum_bits)),
            "overflow": Out(1),
            "idle": Out(1),
            "group": In(len(self._marks.group)),
            "look": In(1),
            "busy": Out(GROUP),
            "clear": In(1),
        })

    @property
    def clear_cycles(self):
        """Most cycles that ``clear`` takes."""
        return self._marks.clear_cycles

    @property
    def reset_cycles(self):
        """Cycles from the end of a reset until ``idle``."""
        return self._marks.reset_cycles

    def _mark(self, m, event, waiting, reading):
        """Send events and looks to the marks; returns whether the event goes in."""
        marks, entered = self._marks, Signal()
        m.d.comb += [
            marks.i.p.kind.eq(0),
            marks.i.p.slot.eq(event.slot),
            marks.i.p.neuron.eq(event.target),
            marks.i.valid.eq(waiting & ~reading),
            entered.eq(waiting & ~reading & marks.i.ready),
        ]
        if self._looks:
            m.d.comb += self.wakes.ready.eq(marks.i.ready & ~reading)
            with m.If(self.wakes.valid):
                m.d.comb += [
                    marks.i.p.kind.eq(1),
                    marks.i.p.slot.eq(self.wakes.p.slot),
                    marks.i.p.neuron.eq(self.wakes.p.neuron),
                    marks.i.valid.eq(~reading),
                    entered.eq(0),
                ]
        return entered

    def _add(self, m, entered, event, reading, drained):
        """Add events to their accumulators, a cycle behind their marks. Returns if any is there."""
        config = self._config
        m.submodules.sums = sums = UpdatedMemory(
            shape=signed(config.sum_bits), depth=config.bank_neurons * config.slots)
        adding = Signal(SUM_LATENCY - 1)  # bit k: an event was marked k + 1 cycles ago
        weights = [Signal.like(event.weight, name=f"weight_{k}") for k in range(len(adding))]
        address = Signal.like(sums.address)
        slot_bits = (config.slots - 1).bit_length()
        m.d.sync += [
            adding.eq(Cat(entered, adding)),
            address.eq(Cat(event.slot[:slot_bits], event.target)),
            *(after.eq(before) for after, before in
              zip(weights, (event.weight, *weights), strict=False)),
        ]
        total, clipped = saturate(m, sums.word + weights[-1], config.sum_bits)
        m.d.comb += [
            sums.address.eq(Mux(reading, drained, address)),
            sums.blank.eq(adding[-2] & ~self._marks.present),
            sums.write.eq(adding[-1]),
            sums.after.eq(total),
            self.overflow.eq(adding[-1] & clipped),
            self.sum.eq(sums.word),
        ]
        return adding.any()

    def elaborate(self, platform):
        m = Module()
        config = self._config
        m.submodules.marks = marks = self._marks
        tick = Signal(config.tick_bits)  # that was started last
        m.submodules.buffer = buffer = Buffer(shape=synapse(config))
        event = Signal(data.StructLayout({
            "slot": len(marks.slot), "target": config.local_bits,
            "weight": signed(config.weight_bits)}))
        waiting = Signal()  # an event that isn't marked yet
        asked = Signal(2)  # a neuron was handed out a cycle ago, or two
        handed, reading = Signal(config.local_bits), Signal(config.local_bits)  # and which

        m.d.comb += [
            marks.clear.eq(self.clear),
            marks.start.eq(self.start),
            marks.slot.eq(self.tick),
            marks.next.eq(self.next),
            marks.foreseen.eq(self.foreseen),
            marks.expected.eq(self.expected),
            marks.group.eq(self.group),
            marks.look.eq(self.look),
            self.busy.eq(marks.busy),
            self.o.p.neuron.eq(marks.o.p.neuron),
            self.o.p.arrival.eq(marks.o.p.kind == 0),
            self.o.valid.eq(marks.o.valid),
            marks.o.ready.eq(self.o.ready),
        ]
        with m.If(self.start):
            m.d.sync += tick.eq(self.tick)
        m.d.sync += [
            asked.eq(Cat(self.o.valid & self.o.ready, asked)),
            handed.eq(self.o.p.neuron),
            reading.eq(handed),
        ]

        # While a sum is read for the drain, no event may be a cycle behind its mark.
        entered = self._mark(m, event, waiting, asked[0])
        wiring.connect(m, wiring.flipped(self.i), buffer.i)
        m.d.comb += buffer.o.ready.eq(~waiting | entered)
        with m.If(buffer.o.ready):
            m.d.sync += [
                waiting.eq(buffer.o.valid),
                event.slot.eq(tick + buffer.o.p.delay),
                event.target.eq(buffer.o.p.target),
                event.weight.eq(buffer.o.p.weight),
            ]
        slot_bits = (config.slots - 1).bit_length()
        adding = self._add(m, entered, event, asked[1], Cat(tick[:slot_bits], reading))
        m.d.comb += self.idle.eq(marks.idle & ~buffer.o.valid & ~waiting & ~adding)
        return m
