"""The integrator: leaky outputs, which don't spike."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .cleared import ClearedMemory
from .payloads import SUM_LATENCY, TABLE_BITS, LoadSignature, Memory, bank_trace, due, memory_depth
from .plain import plain_memory

__all__ = ["Integrator"]


class Integrator(wiring.Component):
    """Adds each tick's arrivals, times that tick's readout word, to an output's integral.

    Parameters
    ----------
    config : CoreConfig
        With a ``leaky`` readout.
    images : dict of Memory to sequence of int, or None
        Initial words of the readout table. All 0 with None.

    Members
    -------
    i : In(stream.Signature(due(config)))
        Output neurons (by local number) that are due in this tick. Looks are ignored.
    sum : In(signed(config.sum_bits))
        The arrivals of a neuron that was accepted ``SUM_LATENCY`` cycles before.
    tick : In(config.tick_bits)
        The current tick. Must hold still while not ``idle``. A window of a stream starts at the
        tick that it is after ``clear``.
    trace : Out(stream.Signature(bank_trace(config)))
        The integral after each touch.
    touch : Out(1)
        A pulse per touch.
    idle : Out(1)
        Nothing is due, in work or waiting at the output. Combinational.
    clear : In(1)
        Set all integrals to 0, in ``clear_cycles`` cycles; ``idle`` is 0 meanwhile. Allowed
        while ``idle``. A reset does the same.
    load : In(LoadSignature(config))
        Writes the readout table, while ``idle``.

    Raises
    ------
    ValueError
        If the readout isn't ``leaky``.
    """

    cycles = SUM_LATENCY + 4  # from an accepted arrival to the next word, with the output free

    def __init__(self, *, config, images=None):
        if config.readout != "leaky":
            raise ValueError(f"Readout of an integrator must be leaky, not {config.readout!r}")
        self._config = config
        self._images = {} if images is None else images
        # The first output of any bank is this local neuron or the next one.
        self._first = config.spiking // config.banks
        self._integrals = ClearedMemory(
            shape=signed(config.readout_bits), depth=config.bank_neurons - self._first)
        super().__init__({
            "i": In(stream.Signature(due(config))),
            "sum": In(signed(config.sum_bits)),
            "tick": In(config.tick_bits),
            "trace": Out(stream.Signature(bank_trace(config))),
            "touch": Out(1),
            "idle": Out(1),
            "clear": In(1),
            "load": In(LoadSignature(config)),
        })

    @property
    def clear_cycles(self):
        """Cycles from ``clear``, or from the end of a reset, until ``idle``."""
        return self._integrals.depth + 1

    def _factor(self, m, read):
        """Return the readout word of the current tick, a cycle after ``read``.

        In a stream the tick must have been the current one for a cycle.
        """
        depth = memory_depth(self._config, Memory.READOUT)
        image = [int(word) for word in self._images.get(Memory.READOUT, [])]
        port, write = plain_memory(m, "readout", shape=TABLE_BITS, depth=depth, init=image)
        tick = self.tick
        if self._config.streaming:
            start, tick = Signal.like(self.tick), Signal.like(self.tick)
            m.d.sync += tick.eq(self.tick - start)
            with m.If(self._integrals.clearing):
                m.d.sync += start.eq(self.tick)
        m.d.comb += [
            port.en.eq(read),
            port.addr.eq(tick),
            write.en.eq(self.load.en & (self.load.memory == Memory.READOUT)),
            write.addr.eq(self.load.address),
            write.data.eq(self.load.data),
        ]
        return port.data

    def elaborate(self, platform):
        m = Module()
        m.submodules.integrals = integrals = self._integrals
        config = self._config
        neuron = Signal(config.local_bits)
        amount = Signal(signed(config.sum_bits))
        factor = Signal(TABLE_BITS)
        product = Signal(signed(config.sum_bits + TABLE_BITS))
        before = Signal(signed(config.readout_bits))
        total = Signal(signed(config.readout_bits))
        accept, waited = Signal(), Signal(range(SUM_LATENCY))
        readout = self._factor(m, waited == 0)

        m.d.comb += [
            integrals.clear.eq(self.clear),
            integrals.read.eq(accept),
            integrals.read_address.eq(self.i.p.neuron - self._first),
            integrals.write_address.eq(neuron - self._first),
            integrals.after.eq(total),
            self.trace.p.neuron.eq(neuron),
            self.trace.p.p.eq(total),
        ]
        m.d.sync += [
            factor.eq(readout),
            product.eq(amount * factor),
            before.eq(integrals.word),
            total.eq(before + product),
        ]
        with m.FSM():
            with m.State("REST"):
                m.d.comb += [
                    self.i.ready.eq(~integrals.clearing),
                    self.idle.eq(~integrals.clearing & ~self.i.valid),
                    accept.eq(self.i.valid & self.i.ready & self.i.p.arrival),
                ]
                m.d.sync += neuron.eq(self.i.p.neuron)
                with m.If(accept):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += [waited.eq(waited + 1), amount.eq(self.sum)]
                with m.If(waited == SUM_LATENCY - 1):
                    m.d.sync += waited.eq(0)
                    m.next = "MULTIPLY"
            with m.State("MULTIPLY"):
                m.next = "ADD"
            with m.State("ADD"):
                m.next = "WRITE"
            with m.State("WRITE"):
                m.d.comb += self.trace.valid.eq(1)
                with m.If(self.trace.ready):
                    m.d.comb += [integrals.write.eq(1), self.touch.eq(1)]
                    m.next = "REST"
        return m
