"""What a bank remembers of its spiking neurons: their state and their thresholds."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .cleared import ClearedMemory
from .decay import traces
from .payloads import LoadSignature, Memory
from .plain import plain_memory

__all__ = ["StateMemory", "state"]


def state(config):
    """Return the layout of a neuron's state.

    The traces after the last touch, its tick ``last``, and, where neurons look, ``look``: whether
    one is ``pending``, and its ``slot``, the tick modulo the wheel of looks.
    """
    look = data.StructLayout({"pending": 1, "slot": config.wake_bits})
    return data.StructLayout({
        **traces(config).members,
        "last": config.tick_bits,
        **({"look": look} if config.synapse == "exponential" else {}),
    })


class StateMemory(wiring.Component):
    """Memories of state, threshold at rest and its rise, by local neuron, read as one.

    Parameters
    ----------
    config : CoreConfig
    images : dict of Memory to sequence of int, or None
        Initial words of thresholds. All 0 with None.

    Members
    -------
    read : In(1)
        Read the words of ``neuron``: they come ``latency`` cycles later and hold until as long
        after the next read.
    neuron : In(config.local_bits)
    state : Out(state(config))
    theta0, beta : Out(config.threshold_bits)
        ``beta`` is there if ``config.adaptive``.
    write : In(1)
        Let ``after`` be the state of the neuron that was read last.
    after : In(state(config))
    clear : In(1)
        Set all states to 0, in ``neurons`` cycles from the next on. A reset does the same.
    clearing : Out(1)
        That's going on. Combinational.
    load : In(LoadSignature(config))
        Writes the thresholds.
    """

    latency = 2  # a block RAM's output goes into a register before anything is computed from it

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        self._states = ClearedMemory(
            shape=state(config), depth=-(-config.spiking // config.banks))
        super().__init__({
            "read": In(1),
            "neuron": In(config.local_bits),
            "state": Out(state(config)),
            "theta0": Out(config.threshold_bits),
            **({"beta": Out(config.threshold_bits)} if config.adaptive else {}),
            "write": In(1),
            "after": In(state(config)),
            "clear": In(1),
            "clearing": Out(1),
            "load": In(LoadSignature(config)),
        })

    @property
    def neurons(self):
        """Number of neurons that there is room for: the spiking ones of the fullest bank."""
        return self._states.depth

    def _thresholds(self, m, memory):
        """Return the word of ``memory`` of the neuron that was read last."""
        image = [int(word) for word in self._images.get(memory, [])][: self.neurons]
        # A name of its own: the generator renames a memory that is called like a port.
        read, write = plain_memory(
            m, f"{memory.name.lower()}_words", shape=self._config.threshold_bits,
            depth=max(2, self.neurons), init=image)
        m.d.comb += [
            read.en.eq(self.read),
            read.addr.eq(self.neuron),
            # Leaky outputs of the bank have words too, after those of the spiking neurons.
            write.en.eq(self.load.en & (self.load.memory == memory)
                        & (self.load.address < self.neurons)),
            write.addr.eq(self.load.address),
            write.data.eq(self.load.data),
        ]
        return read.data

    def elaborate(self, platform):
        m = Module()
        latest = Signal(self._config.local_bits)
        m.submodules.states = states = self._states
        m.d.comb += [
            states.read.eq(self.read),
            states.read_address.eq(self.neuron),
            states.write.eq(self.write),
            states.write_address.eq(latest),
            states.after.eq(self.after),
            states.clear.eq(self.clear),
            self.clearing.eq(states.clearing),
        ]
        m.d.sync += [
            self.state.eq(states.word),
            self.theta0.eq(self._thresholds(m, Memory.THETA0)),
        ]
        if self._config.adaptive:
            m.d.sync += self.beta.eq(self._thresholds(m, Memory.BETA))
        with m.If(self.read):
            m.d.sync += latest.eq(self.neuron)
        return m
