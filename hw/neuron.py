"""The neuron unit: touches and looks at the spiking neurons of a bank."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .decay import DecayUnit, traces
from .payloads import SUM_LATENCY, LoadSignature, bank_trace, due, faults, wake
from .scale import ScaleUnit
from .sleep import SleepUnit
from .state import StateMemory
from .touch import TouchUnit

__all__ = ["NeuronUnit"]


class NeuronUnit(wiring.Component):
    """Touches and looks at neurons, one at a time: after the model's contract.

    Keeps the traces, the tick of the last touch and the tick of the pending look of each spiking
    neuron of a bank. A neuron that is due is decayed, fires or not, receives its arrivals, and is
    asked when it has to be looked at next. docs/neuron.md has the cycles of each step.

    Parameters
    ----------
    config : CoreConfig
        With a spiking neuron at least.
    images : dict of Memory to sequence of int, or None
        Initial words of thresholds (by local neuron) and tables. All 0 with None.

    Members
    -------
    i : In(stream.Signature(due(config)))
        Neurons that are due in this tick, each at most once for arrivals. A look that isn't the
        neuron's pending one is ignored: a touch has replaced it.
    sum : In(signed(config.sum_bits))
        The arrivals of a neuron that was accepted ``SUM_LATENCY`` cycles before.
    tick : In(config.tick_bits)
        The current tick. Must hold still while not ``idle``.
    spikes : Out(stream.Signature(config.local_bits))
        Neurons that fired, once per tick at most.
    trace : Out(stream.Signature(bank_trace(config)))
        The state after each touch.
    wakes : Out(stream.Signature(wake(config)))
        Looks to come. None with ``jump`` synapses.
    touch, look : Out(1)
        A pulse per touch, and per look that wasn't ignored.
    saturations : Out(2)
        With ``touch``: traces that saturated.
    idle : Out(1)
        Nothing is due, in work or waiting at an output. Combinational.
    clear : In(1)
        Bring all neurons to rest, in ``clear_cycles`` cycles; ``idle`` is 0 meanwhile. Allowed
        while ``idle``. A reset does the same. In a stream, forget what has decayed by ``tick``.
    load : In(LoadSignature(config))
        Writes thresholds and tables, while ``idle``.
    faults : Out(faults())
        Bad thresholds with ``touch``; a bad state whenever it's read. There if words are
        protected.

    Raises
    ------
    ValueError
        If no neuron spikes.
    """

    ignored_cycles = 3  # from an ignored look to the next word

    def __init__(self, *, config, images=None):
        if config.spiking < 1:
            raise ValueError(f"Core must have a spiking neuron, not {config.spiking}")
        self._config = config
        self._jump = config.synapse == "jump"
        self._memory = StateMemory(config=config, images=images)
        self._scale = ScaleUnit(config=config, images=images)
        self._decay = DecayUnit(config=config)
        self._touch = TouchUnit(config=config)
        self._sleep = None if self._jump else SleepUnit(config=config)
        super().__init__({
            "i": In(stream.Signature(due(config))),
            "sum": In(signed(config.sum_bits)),
            "tick": In(config.tick_bits),
            "spikes": Out(stream.Signature(config.local_bits)),
            "trace": Out(stream.Signature(bank_trace(config))),
            "wakes": Out(stream.Signature(wake(config))),
            "touch": Out(1),
            "look": Out(1),
            "saturations": Out(2),
            "idle": Out(1),
            "clear": In(1),
            "load": In(LoadSignature(config)),
            **({"faults": Out(faults())} if config.protection != "none" else {}),
        })

    @property
    def clear_cycles(self):
        """Cycles from ``clear``, or from the end of a reset, until ``idle``."""
        return self._memory.clear_cycles

    def cycles(self, *, forever=True):
        """Return the cycles from an accepted neuron to the next one, with the outputs free.

        With ``exponential`` synapses they depend on whether it needs no look before its next touch.
        With ``jump`` synapses a spike takes one more.
        """
        if self._jump:
            return 16
        return 19 if forever else 19 + self._sleep.search_cycles

    def _compute(self, m, word):
        """Connect state, decay and touch."""
        memory, decay, touch, scale = self._memory, self._decay, self._touch, self._scale
        names = traces(self._config).members
        accepted, amount = Signal(SUM_LATENCY), Signal.like(self.sum)
        elapsed = Signal.like(decay.elapsed)
        m.d.sync += [
            accepted.eq(Cat(self.i.valid & self.i.ready, accepted)),
            elapsed.eq(self.tick - memory.state.last),
        ]
        with m.If(accepted[-1]):
            m.d.sync += amount.eq(self.sum)
        m.d.comb += [
            memory.neuron.eq(self.i.p.neuron),
            memory.clear.eq(self.clear),
            decay.elapsed.eq(elapsed),
            *(decay.i[name].eq(memory.state[name]) for name in names),
            decay.scale.product.eq(scale.user.product),
            scale.user.address.eq(decay.scale.address),
            scale.user.x.eq(decay.scale.x),
            touch.i.eq(decay.o),
            touch.arrival.eq(word.arrival),
            touch.sum.eq(amount),
            touch.theta0.eq(memory.theta0),
            memory.after.eq(memory.state),
        ]
        if self._config.streaming:
            m.d.comb += memory.tick.eq(self.tick)
        if self._config.adaptive:
            m.d.comb += touch.beta.eq(memory.beta)
        if self._config.protection != "none":
            with m.If(self.touch):
                m.d.comb += self.faults.eq(memory.faults)
        with m.If(word.arrival | touch.fired):
            m.d.comb += memory.after.last.eq(self.tick)
            m.d.comb += [memory.after[name].eq(touch.o[name]) for name in names]

    def _deliver(self, m, word):
        """Drive the payloads; returns whether the outputs are empty, and are after this cycle."""
        touch = self._touch
        silent, empty = Signal(), Signal()
        outputs = (self.spikes, self.trace, self.wakes)
        m.d.comb += [
            silent.eq(~Cat(port.valid for port in outputs).any()),
            # These have long been taken, or a cycle more makes no odds; their ports' ready would
            # make a path from the middle of the core to the state. Records of jump come last.
            empty.eq(~self.spikes.valid & (~self.trace.valid | (self._jump & self.trace.ready))
                     & (~self.wakes.valid | self.wakes.ready)),
            self.spikes.payload.eq(word.neuron),
            self.trace.p.neuron.eq(word.neuron),
            self.trace.p.fired.eq(touch.fired),
            *(self.trace.p[name].eq(touch.o[name]) for name in traces(self._config).members),
            self.wakes.p.neuron.eq(word.neuron),
            self.saturations.eq(Mux(self.touch, touch.saturations, 0)),
        ]
        for port in outputs:
            with m.If(port.ready):
                m.d.sync += port.valid.eq(0)
        return silent, empty

    def _look_again(self, m, lent):
        """Connect the sleep unit, which has the multiplier while it's ``lent``."""
        memory, touch, scale, sleep = self._memory, self._touch, self._scale, self._sleep
        pending = Signal()
        sizes = [stored ^ stored[-1].replicate(len(stored))
                 for stored in (memory.after[name] for name in traces(self._config).members)]
        m.submodules.sleep = sleep
        m.d.comb += [
            sleep.p.eq(touch.o.p),
            sleep.q.eq(touch.o.q),
            sleep.a.eq(touch.o.a if self._config.adaptive else 0),
            sleep.stored.eq(reduce(or_, sizes)),
            sleep.theta0.eq(memory.theta0),
            sleep.tick.eq(self.tick),
            sleep.scale.product.eq(scale.user.product),
            memory.after.look.pending.eq(pending),
            memory.after.look.slot.eq(self.wakes.p.slot),
        ]
        with m.If(lent):
            m.d.comb += [
                scale.user.address.eq(sleep.scale.address),
                scale.user.x.eq(sleep.scale.x),
            ]
        with m.If(sleep.start):
            m.d.sync += pending.eq(0)
        with m.If(sleep.found):
            m.d.sync += [
                pending.eq(1), self.wakes.p.slot.eq(sleep.slot), self.wakes.valid.eq(1)]

    def _control(self, m, word, silent, empty, lent):
        """Take the accepted neuron through its steps."""
        memory, decay, touch = self._memory, self._decay, self._touch
        genuine = Signal()  # an arrival, or the pending look
        touched = Signal()
        m.d.sync += decay.start.eq(0)  # from a register: it's the multiplier's choice
        known = Const(1) if self._jump else self._sleep.done  # when the next look is due
        m.d.comb += [genuine.eq(word.arrival), touched.eq(word.arrival | touch.fired)]
        if not self._jump:
            look = memory.state.look
            with m.If(look.pending & (look.slot == self.tick[: len(look.slot)])):
                m.d.comb += genuine.eq(1)

        with m.FSM():
            with m.State("REST"):
                m.d.comb += [
                    self.i.ready.eq(~memory.clearing),
                    self.idle.eq(~memory.clearing & ~self.i.valid),
                    memory.read.eq(self.i.valid & self.i.ready),
                ]
                with m.If(memory.read):
                    m.d.sync += word.eq(self.i.p)
                    m.next = "READ"
            with m.State("READ"):
                m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.comb += self.look.eq(genuine & ~word.arrival)
                m.d.sync += decay.start.eq(genuine)
                if self._config.protection != "none":
                    m.d.comb += self.faults.eq(memory.state_faults)
                m.next = "START"
                with m.If(~genuine):
                    m.next = "REST"
            with m.State("START"):
                m.next = "DECAY"
            with m.State("DECAY"):
                with m.If(decay.done):
                    m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.sync += lent.eq(1)
                m.next = "TOUCH"
            with m.State("TOUCH"):
                m.d.comb += self.touch.eq(touched)
                m.d.sync += [self.trace.valid.eq(touched), self.spikes.valid.eq(touch.fired)]
                if not self._jump:
                    m.d.comb += self._sleep.start.eq(1)
                m.next = "WRITE"
            with m.State("WRITE"):
                with m.If(known):
                    # If nothing is on its way, the next tick may begin when the state is kept.
                    m.d.comb += self.idle.eq(silent & ~self.i.valid)
                    with m.If(empty):
                        m.d.comb += memory.write.eq(1)
                        m.d.sync += lent.eq(0)
                        m.next = "REST"

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = self._memory
        m.submodules.scale = self._scale
        m.submodules.decay = self._decay
        m.submodules.touch = self._touch
        for loaded in (self._memory, self._scale):
            wiring.connect(m, loaded.load, wiring.flipped(self.load))

        word = Signal.like(self.i.p)  # the neuron in work
        self._compute(m, word)
        silent, empty = self._deliver(m, word)
        lent = Signal()  # the multiplier, to the sleep unit
        if not self._jump:
            self._look_again(m, lent)
        self._control(m, word, silent, empty, lent)
        return m
