"""What a bank remembers of its spiking neurons: their state and their thresholds."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..model.sizes import LOW_WORDS
from .checked import Checked, checked, decode, encode, tell
from .cleared import ClearedMemory
from .decay import traces
from .payloads import LoadSignature, Memory, faults, memory_shape
from .plain import plain_memory
from .saboteur import STATES, sabotaged

__all__ = ["StateMemory", "state"]

LOW_BITS = LOW_WORDS.bit_length() - 1


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
        They come a cycle after the state, so that no path leads from ``neuron`` to their memories.
        ``beta`` is there if ``config.adaptive``.
    write : In(1)
        Let ``after`` be the state of the neuron that was read last.
    after : In(state(config))
    clear : In(1)
        Set all states to 0, in ``neurons`` cycles from the next on. A reset does the same. In a
        stream, only traces that are 0 by now, in `age_cycles` per neuron; and ``last`` is ``tick``
        then. So it never is as long ago as tick numbers take to come again.
    clearing : Out(1)
        That's going on. Combinational.
    tick : In(config.tick_bits)
        In a stream: the tick up to which time has passed. Must hold still while ``clearing``.
    load : In(LoadSignature(config))
        Writes the thresholds.
    faults, state_faults : Out(faults())
        With ``theta0`` and ``beta``, and with ``state``: how many are bad. A state that isn't
        corrected counts as 0, rest. There if words are protected.
    """

    latency = 2  # a block RAM's output goes into a register before anything is computed from it
    age_cycles = latency + 2  # for each neuron: how long it has rested is judged in a cycle, too

    def __init__(self, *, config, images=None):
        self._config = config
        self._images = {} if images is None else images
        self._code = config.code(state(config).size)
        self._states = ClearedMemory(
            shape=state(config) if config.protection == "none" else self._code.bits,
            depth=-(-config.spiking // config.banks))
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
            **({"tick": In(config.tick_bits)} if config.streaming else {}),
            "load": In(LoadSignature(config)),
            **(dict.fromkeys(("faults", "state_faults"), Out(faults()))
               if config.protection != "none" else {}),
        })

    @property
    def neurons(self):
        """Number of neurons that there is room for: the spiking ones of the fullest bank."""
        return self._states.depth

    @property
    def clear_cycles(self):
        """Cycles from ``clear``, or from the end of a reset, until nothing is ``clearing``."""
        return 1 + self.neurons * (self.age_cycles if self._config.streaming else 1)

    def _thresholds(self, m, memory, asked, neuron):
        """Return the word of ``memory`` of the ``neuron`` that was ``asked`` for, `Checked`."""
        image = [int(word) for word in self._images.get(memory, [])][: self.neurons]
        # A name of its own: the generator renames a memory that is called like a port.
        read, write = plain_memory(
            m, f"{memory.name.lower()}_words",
            shape=memory_shape(self._config, memory), depth=max(2, self.neurons), init=image)
        m.d.comb += [
            read.en.eq(asked),
            read.addr.eq(neuron),
            # Leaky outputs of the bank have words too, after those of the spiking neurons.
            write.en.eq(self.load.en & (self.load.memory == memory)
                        & (self.load.address < self.neurons)),
            write.addr.eq(self.load.address),
            write.data.eq(self.load.data),
        ]
        word = sabotaged(m, self._config, memory, read.data, self.load, address=read.addr,
                         read=read.en)
        return checked(m, self._config, memory, word)

    def _connect(self, m, states):
        """Return what was read of the states' memory, `Checked`, and what is written to it."""
        word = sabotaged(m, self._config, STATES, states.word, self.load,
                         address=states.read_address, read=states.read)
        if self._config.protection == "none":
            return Checked(word, None, None), states.after
        after = Signal(state(self._config), name="written")
        read, corrected, detected = decode(m, word, self._code, "state")
        m.d.comb += states.after.eq(encode(after, self._code))
        return Checked(Mux(detected, 0, read), corrected, detected), after

    def _age(self, m, states, after):
        """Let ``clear`` forget the traces that are 0 by now; looks to come stay."""
        aging, step = Signal(), Signal(range(self.age_cycles))
        neuron = Signal(range(max(2, self.neurons)), name="aged")
        rested = Signal(self._config.tick_bits)
        old = Signal()
        m.d.sync += rested.eq(self.tick - self.state.last)
        m.d.comb += old.eq(rested[LOW_BITS:] >= self._config.forgets_after // LOW_WORDS)
        with m.If(self.clear):
            m.d.sync += aging.eq(1)
        with m.If(aging):
            m.d.comb += [
                self.clearing.eq(1),
                states.read.eq(step == 0),
                states.read_address.eq(neuron),
                states.write.eq((step == self.age_cycles - 1) & old),
                states.write_address.eq(neuron),
                after.eq(0),
                after.last.eq(self.tick),
            ]
            if self._config.synapse == "exponential":
                m.d.comb += after.look.eq(self.state.look)
            m.d.sync += step.eq(step + 1)
            with m.If(step == self.age_cycles - 1):
                m.d.sync += [step.eq(0), neuron.eq(neuron + 1)]
                with m.If(neuron == self.neurons - 1):
                    m.d.sync += [neuron.eq(0), aging.eq(0)]

    def elaborate(self, platform):
        m = Module()
        latest, asked = Signal(self._config.local_bits), Signal()
        m.submodules.states = states = self._states
        found, after = self._connect(m, states)
        m.d.comb += [
            states.read.eq(self.read),
            states.read_address.eq(self.neuron),
            states.write.eq(self.write),
            states.write_address.eq(latest),
            after.eq(self.after),
            states.clear.eq(0 if self._config.streaming else self.clear),
            self.clearing.eq(states.clearing),
        ]
        if self._config.streaming:
            self._age(m, states, after)
        words = [self._thresholds(m, Memory.THETA0, asked, latest)]
        m.d.sync += [self.state.eq(found.value), self.theta0.eq(words[0].value)]
        if self._config.adaptive:
            words.append(self._thresholds(m, Memory.BETA, asked, latest))
            m.d.sync += self.beta.eq(words[1].value)
        if self._config.protection != "none":
            m.d.sync += [*tell(self.faults, words), *tell(self.state_faults, [found])]
        m.d.sync += asked.eq(self.read)
        with m.If(self.read):
            m.d.sync += latest.eq(self.neuron)
        return m
