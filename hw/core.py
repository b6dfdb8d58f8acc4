"""The core: banks in a row, the schedule of ticks, and the loop of recurrent spikes."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .bank import Bank
from .images import bank_images
from .payloads import input_word, output_word, trace_record
from .readout import Readout
from .registers import BusSignature, RegisterFile
from .relay import Relay
from .scheduler import Scheduler
from .streams import Broadcast, Buffer, Merge

__all__ = ["NeuronCore"]


class NeuronCore(wiring.Component):
    """Runs a spiking network, sample by sample: docs/contract.md is what it computes.

    docs/core.md has the block diagram, the schedule of a tick, the registers and the cycles.

    Parameters
    ----------
    config : CoreConfig
    parameters : Parameters, or None
        What the memories hold from the start. With None they're 0, and the bus has to load them.

    Members
    -------
    i : In(stream.Signature(input_word(config)))
        Events sorted by tick; at most one per channel and tick. A word with ``last`` ends the
        sample after as many ticks as its ``tick`` says. Events of a tick that has passed, of a
        tick from ``config.ticks`` on or of a channel that isn't there are dropped and counted.
        With ``config.streaming``, see docs/contract.md.
    o : Out(stream.Signature(output_word(config)))
        Every spike, by tick; then a word with ``last``: the number of ticks, and the decision.
    trace : Out(stream.Signature(trace_record(config)))
        A record per touch, by tick; then a record with ``last``, with the number of ticks.
    bus : In(BusSignature(config))
        Registers, and loading of the memories: see `BusMap`.

    Raises
    ------
    ValueError
        If the parameters are of another config, or a word or an address doesn't fit the bus.
    """

    def __init__(self, config, parameters=None):
        if parameters is not None and parameters.config != config:
            raise ValueError(f"Core parameters must be of the config {config!r}, "
                             f"not of {parameters.config!r}")
        self._config = config
        self._parameters = parameters
        self._banks = [
            Bank(config=config, index=k,
                 images=None if parameters is None else bank_images(parameters, k))
            for k in range(config.banks)
        ]
        self._relays = [Relay(config=config) for _ in self._banks if config.relays]
        self._readout = Readout(config=config)
        super().__init__({
            "i": In(stream.Signature(input_word(config))),
            "o": Out(stream.Signature(output_word(config))),
            "trace": Out(stream.Signature(trace_record(config))),
            "bus": In(BusSignature(config)),
        })

    @property
    def config(self):
        return self._config

    @property
    def parameters(self):
        return self._parameters

    @property
    def clear_cycles(self):
        """Most cycles from the last word on ``o`` or ``trace`` until a sample may begin."""
        return max(unit.clear_cycles for unit in (*self._banks, self._readout)) + (
            5 + 3 * self._config.relays)

    @property
    def reset_cycles(self):
        """Most cycles from the end of a reset until a sample may begin."""
        return max(bank.reset_cycles for bank in self._banks) + self.clear_cycles

    def memory_places(self):
        """Return where each loaded memory stands, a dict per bank: see `Bank.memory_places`."""
        return [{memory: [((f"bank_{k}", *path), base, words) for path, base, words in places]
                 for memory, places in bank.memory_places().items()}
                for k, bank in enumerate(self._banks)]

    @property
    def _near(self):
        """The banks, or what stands for them in the middle of the core."""
        return [relay.near for relay in self._relays] or self._banks

    def _neuron(self, local, bank):
        """Return the neuron that is ``local`` in ``bank``."""
        return local * self._config.banks + bank

    def _merge(self, m, shape, count, clear):
        """Return a merge that forgets its turn between samples: they all cost the same."""
        merge = Merge(shape=shape, count=count)
        m.d.comb += merge.clear.eq(clear)
        return merge

    def _join_spikes(self, m, clear):
        """Merge the spikes of the banks. Returns a stream of neurons."""
        config = self._config
        m.submodules.spikes = merge = self._merge(m, config.neuron_bits, config.banks, clear)
        for k, bank in enumerate(self._near):
            m.d.comb += [
                merge.i[k].payload.eq(self._neuron(bank.spikes.payload, k)),
                merge.i[k].valid.eq(bank.spikes.valid),
                bank.spikes.ready.eq(merge.i[k].ready),
            ]
        return merge.o

    def _join_traces(self, m, tick, clear):
        """Merge the records of the banks. Returns a stream of records, and whether one waits."""
        config = self._config
        m.submodules.traces = merge = self._merge(m, trace_record(config), config.banks, clear)
        for k, bank in enumerate(self._near):
            record, local = merge.i[k].p, bank.trace.p
            m.d.comb += [
                record.tick.eq(tick),
                record.neuron.eq(self._neuron(local.neuron, k)),
                *(record[name].eq(local[name]) for name in ("fired", "p", "q", "a")),
                merge.i[k].valid.eq(bank.trace.valid),
                bank.trace.ready.eq(merge.i[k].ready),
            ]
        return merge.o, merge.left

    def _spread(self, m, spikes, events, clear):
        """Send spikes and input events to all banks. Returns whether none is on its way."""
        config = self._config
        m.submodules.sources = merge = self._merge(m, config.source_bits, 2, clear)
        m.submodules.buffer = buffer = Buffer(shape=config.source_bits)
        m.submodules.broadcast = broadcast = Broadcast(
            shape=config.source_bits, count=config.banks)
        m.d.comb += [
            merge.i[0].payload.eq(spikes.payload + config.inputs),
            merge.i[0].valid.eq(spikes.valid),
            spikes.ready.eq(merge.i[0].ready),
            merge.i[1].payload.eq(events.payload),
            merge.i[1].valid.eq(events.valid),
            events.ready.eq(merge.i[1].ready),
        ]
        wiring.connect(m, merge.o, buffer.i)
        wiring.connect(m, buffer.o, broadcast.i)
        for k, bank in enumerate(self._near):
            wiring.connect(m, broadcast.o[k], bank.i)
        return ~merge.o.valid & ~buffer.o.valid

    def _finish(self, m, scheduler, spikes, traces, decision):
        """Send spikes and records out, and the last words after them."""
        sent, traced = Signal(), Signal()  # the last words that were taken
        m.d.comb += [
            self.o.p.tick.eq(scheduler.tick),
            self.o.p.neuron.eq(spikes.payload),
            self.o.valid.eq(spikes.valid),
            spikes.ready.eq(self.o.ready),
            self.trace.payload.eq(traces.payload),
            self.trace.valid.eq(traces.valid),
            traces.ready.eq(self.trace.ready),
        ]
        with m.If(scheduler.finish):
            m.d.comb += [
                self.o.p.tick.eq(scheduler.length),
                self.o.p.neuron.eq(decision.payload),
                self.o.p.last.eq(1),
                self.o.valid.eq(decision.valid & ~sent),
                decision.ready.eq(scheduler.finished),
            ]
            with m.If(~traces.valid):
                m.d.comb += [
                    self.trace.payload.eq(0),
                    self.trace.p.tick.eq(scheduler.length),
                    self.trace.p.last.eq(1),
                    self.trace.valid.eq(~traced),
                ]
                m.d.sync += traced.eq(traced | self.trace.ready)
            m.d.sync += sent.eq(sent | (self.o.valid & self.o.ready))
            m.d.comb += scheduler.finished.eq(
                (sent | (self.o.valid & self.o.ready))
                & (traced | (~traces.valid & self.trace.ready)))
            with m.If(scheduler.finished):
                m.d.sync += [sent.eq(0), traced.eq(0)]

    def _count(self, m, registers, scheduler, spikes):
        """Let the registers see what happens."""
        count = registers.count
        m.d.comb += [
            registers.begin.eq(scheduler.begin),
            registers.running.eq(scheduler.running),
            registers.clearing.eq(scheduler.clearing),
            registers.bad_end.eq(scheduler.bad_end),
            registers.over.eq(scheduler.over),
            registers.end.eq(scheduler.finished),
            registers.decision.eq(self.o.p.neuron),
            count.cycles.eq(scheduler.ticking),
            count.ticks.eq(scheduler.start),
            count.input_events.eq(scheduler.events.valid & scheduler.events.ready),
            count.spikes.eq(spikes.valid & spikes.ready),
            count.dropped.eq(scheduler.dropped),
        ]
        # A register beside each bank: many of them are far apart.
        counted = []
        for k, bank in enumerate(self._near):
            counted.append(Signal.like(bank.count, name=f"counted_{k}"))
            m.d.sync += counted[k].eq(bank.count)
        m.d.comb += [count[name].eq(sum(bank[name] for bank in counted))
                     for name in self._banks[0].count.shape().members]

    def _decide(self, m, scheduler, spikes, traces):
        """Let the readout see spikes, or the records of leaky outputs, and decide in the end."""
        m.submodules.readout = readout = self._readout
        updates = traces if self._config.readout == "leaky" else spikes
        m.d.comb += [
            readout.finish.eq(scheduler.finish),
            readout.clear.eq(scheduler.clear),
        ]
        m.d.sync += [
            readout.update.eq(updates.valid & updates.ready),
            readout.neuron.eq(traces.p.neuron if updates is traces else spikes.payload),
            readout.tick.eq(scheduler.tick - scheduler.length if self._config.streaming
                            else scheduler.tick),
            readout.integral.eq(traces.p.p),
        ]
        return readout

    def elaborate(self, platform):
        m = Module()
        config = self._config
        m.submodules.registers = registers = RegisterFile(
            config=config, value_shape=self._readout.value_shape)
        m.submodules.scheduler = scheduler = Scheduler(
            config=config, counting=config.counting_cycles)
        m.submodules.fork = fork = Broadcast(shape=config.neuron_bits, count=2)
        for k, bank in enumerate(self._banks):
            m.submodules[f"bank_{k}"] = bank
        for k, relay in enumerate(self._relays):
            m.submodules[f"relay_{k}"] = relay
            wiring.connect(m, relay.far, self._banks[k])
        for k, bank in enumerate(self._near):
            m.d.comb += [
                bank.tick.eq(scheduler.upcoming),
                bank.start.eq(scheduler.start),
                bank.next.eq(scheduler.next),
                bank.foreseen.eq(scheduler.foreseen),
                bank.expected.eq(scheduler.expected),
                bank.group.eq(scheduler.group),
                bank.look.eq(scheduler.look),
                bank.clear.eq(scheduler.clear),
            ]
            wiring.connect(m, registers.load[k], bank.load)
        wiring.connect(m, wiring.flipped(self.bus), registers.bus)
        wiring.connect(m, wiring.flipped(self.i), scheduler.i)

        spikes = self._join_spikes(m, scheduler.clear)
        traces, left = self._join_traces(m, scheduler.tick, scheduler.clear)
        wiring.connect(m, spikes, fork.i)
        spread = self._spread(m, fork.o[1], scheduler.events, scheduler.clear)
        readout = self._decide(m, scheduler, spikes, traces)
        self._finish(m, scheduler, fork.o[0], traces, readout.o)
        self._count(m, registers, scheduler, spikes)
        m.d.comb += [
            registers.value.eq(readout.value),
            readout.value_select.eq(registers.value_select),
            scheduler.busy.eq(reduce(or_, (bank.busy for bank in self._near))),
            scheduler.settled.eq(Cat(bank.idle for bank in self._near).all()
                                 & ~left & ~spikes.valid & spread & readout.idle),
        ]
        return m
