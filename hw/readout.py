"""The decision at the end of a sample: first spike, most spikes or largest integral."""

from amaranth.hdl import Module, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory as Storage
from amaranth.lib.wiring import In, Out

from .cleared import ClearedMemory

__all__ = ["Readout"]


class Readout(wiring.Component):
    """Keeps a value for each output neuron, and finds the best one when a sample ends.

    The value is the tick of the first spike (``config.ticks`` for none), the number of spikes, or
    the integral, as ``config.readout`` says. Ties go to the lower class.

    Parameters
    ----------
    config : CoreConfig

    Members
    -------
    update : In(1)
        ``neuron`` has spiked, or has a new integral. Allowed while ``idle``. A spiking neuron
        comes at most every other cycle; an integral may be repeated.
    neuron : In(config.neuron_bits)
        Any neuron of the core; only outputs count.
    tick : In(config.tick_bits)
        The tick of the spike. For ``first-spike`` alone.
    integral : In(signed(config.readout_bits))
        For ``leaky`` alone.
    finish : In(1)
        Offer the decision, ``finish_cycles`` later. Must stay until it's taken, and not longer.
        Allowed from the second cycle after an update.
    o : Out(stream.Signature(config.neuron_bits))
        The class that wins.
    idle : Out(1)
        Neither finding the decision nor clearing. Combinational.
    clear : In(1)
        Bring all values to those of silence, in ``clear_cycles`` cycles; ``idle`` is 0 meanwhile.
        Allowed while ``idle``, from the second cycle after an update. A reset does the same.
    value_select : In(config.neuron_bits)
        A class.
    value : Out(value_shape)
        Its value in the sample that was finished last, a cycle later.
    """

    def __init__(self, *, config):
        self._config = config
        self._values = ClearedMemory(
            shape=self.value_shape, depth=config.outputs,
            rest=config.ticks if config.readout == "first-spike" else 0)
        super().__init__({
            "update": In(1),
            "neuron": In(config.neuron_bits),
            "tick": In(config.tick_bits),
            "integral": In(signed(config.readout_bits)),
            "finish": In(1),
            "o": Out(stream.Signature(config.neuron_bits)),
            "idle": Out(1),
            "clear": In(1),
            "value_select": In(config.neuron_bits),
            "value": Out(self.value_shape),
        })

    @property
    def value_shape(self):
        """Shape of a value."""
        if self._config.readout == "leaky":
            return signed(self._config.readout_bits)
        return unsigned(self._config.tick_bits)

    @property
    def finish_cycles(self):
        """Cycles from ``finish`` until the decision is offered."""
        return self._config.outputs + 2

    @property
    def clear_cycles(self):
        """Cycles from ``clear``, or from the end of a reset, until ``idle``."""
        return self._config.outputs + 1

    def _track(self, m):
        """Let the updates change the values."""
        config, values = self._config, self._values
        output, now, before = Signal(), Signal(), Signal()
        label = Signal(config.neuron_bits)
        tick = Signal(config.tick_bits)
        m.d.comb += [
            output.eq(self.neuron >= config.first_output if config.first_output else 1),
            now.eq(self.update & output),
            label.eq(self.neuron - config.first_output),
        ]
        if config.readout == "leaky":
            m.d.comb += [
                values.write.eq(now),
                values.write_address.eq(label),
                values.after.eq(self.integral),
            ]
            return
        # A spike reads its value in one cycle and writes it in the next.
        m.d.sync += [before.eq(now), values.write_address.eq(label), tick.eq(self.tick)]
        m.d.comb += [values.read.eq(now), values.read_address.eq(label)]
        if config.readout == "first-spike":
            # Spikes come in the order of their ticks.
            m.d.comb += [
                values.write.eq(before & (values.word == config.ticks)),
                values.after.eq(tick),
            ]
        else:
            m.d.comb += [values.write.eq(before), values.after.eq(values.word + 1)]

    def _rank(self, m, label, known, best):
        """Compare the value of ``label``, if it's ``known``, with the ``best``, and keep it."""
        values = self._values
        m.submodules.finished = finished = Storage(
            shape=self.value_shape, depth=max(2, self._config.outputs), init=[])
        read, write = finished.read_port(), finished.write_port()
        better = Signal()
        earlier = self._config.readout == "first-spike"
        m.d.comb += [
            better.eq(values.word < best if earlier else values.word > best),
            read.addr.eq(self.value_select),
            self.value.eq(read.data),
            write.en.eq(known),
            write.addr.eq(label),
            write.data.eq(values.word),
        ]
        with m.If(known & (better | (label == 0))):
            m.d.sync += [best.eq(values.word), self.o.payload.eq(label)]

    def elaborate(self, platform):
        m = Module()
        m.submodules.values = values = self._values
        label = Signal(self._config.neuron_bits)  # the class whose value is read
        ranked = Signal(self._config.neuron_bits)  # the class before it
        known = Signal()  # whose value is there
        best = Signal(self.value_shape)

        self._track(m)
        self._rank(m, ranked, known, best)
        m.d.comb += values.clear.eq(self.clear)
        m.d.sync += [known.eq(0), ranked.eq(label)]
        with m.FSM():
            with m.State("TRACK"):
                m.d.sync += label.eq(0)
                m.d.comb += self.idle.eq(~values.clearing)
                with m.If(self.finish):
                    m.next = "RANK"
            with m.State("RANK"):
                m.d.comb += [values.read.eq(1), values.read_address.eq(label)]
                m.d.sync += [known.eq(1), label.eq(label + 1)]
                with m.If(label == self._config.outputs - 1):
                    m.next = "LAST"
            with m.State("LAST"):
                m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "TRACK"
        return m
