"""The bus of a core: its address map as data, and the register file."""

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .payloads import (
    BANKED,
    BUS_BITS,
    LoadSignature,
    Memory,
    memories,
    memory_depth,
    memory_shape,
    offset_bits,
)

__all__ = [
    "COUNTERS",
    "ERRORS",
    "IDENTITY",
    "REGISTERS",
    "STATUS",
    "VERSION",
    "BusMap",
    "BusSignature",
    "RegisterFile",
    "count_layout",
]

IDENTITY = 0x52414E56  # "RANV"
VERSION = 1  # of the registers, the address map and the streams

# Bits of the registers of the same names.
STATUS = ("running", "clearing")
ERRORS = ("refused", "dropped", "overflow", "bad_end", "lost")

# Counts of the sample that runs, or of the last one. They stop at their largest value.
COUNTERS = ("cycles", "ticks", "input_events", "spikes", "touches", "looks", "synaptic_events",
            "saturations", "overflows", "dropped")

# Registers in the order of their offsets.
REGISTERS = ("identity", "version", "status", "errors", "samples", "refused", "decision",
             "value_select", "value_low", "value_high", *COUNTERS)

COUNTER_BITS = BUS_BITS

_MEMORY_BITS = 4


@dataclass(frozen=True)
class BusMap:
    """Where registers and memories stand on the bus of a core.

    An address is, from its low end: the offset within a memory, the memory (a `Memory` code), and
    the bank. Tables are the same in all banks: the bank of their addresses is ignored, and one
    write reaches all.

    Parameters
    ----------
    config : CoreConfig

    Raises
    ------
    ValueError
        If an address, target and delay of a synapse, or the word of a row need more than 32 bits.
    """

    config: object

    def __post_init__(self):
        if self.address_bits > BUS_BITS:
            raise ValueError(f"Bus addresses must fit {BUS_BITS} bits, not {self.address_bits}")
        for memory, name in ((Memory.LINKS, "Target and delay of a synapse"),
                             (Memory.ROWS, "The word of a row")):
            bits = memory_shape(self.config, memory).width
            if bits > BUS_BITS:
                raise ValueError(f"{name} must fit {BUS_BITS} bits, not {bits}")

    @property
    def bank_bits(self):
        """Width of the bank in an address."""
        return (self.config.banks - 1).bit_length()

    @property
    def address_bits(self):
        """Width of an address."""
        return offset_bits(self.config) + _MEMORY_BITS + self.bank_bits

    def address(self, memory, offset=0, bank=0):
        """Return the bus address of a word; works on arrays of offsets."""
        return offset + ((memory.value + (bank << _MEMORY_BITS)) << offset_bits(self.config))

    def register(self, name):
        """Return the bus address of a register."""
        return self.address(Memory.REGISTERS, REGISTERS.index(name))

    def split(self, address):
        """Return offset, memory code and bank of an address given as a `Value`."""
        bits = offset_bits(self.config)
        return (address[:bits], address[bits : bits + _MEMORY_BITS],
                address[bits + _MEMORY_BITS :])


class BusSignature(wiring.Signature):
    """A port for registers and for loading memories, from the side of its master.

    Members
    -------
    address : Out(BusMap(config).address_bits)
    w_en : Out(1)
        Write ``w_data`` in this cycle.
    w_data : Out(32)
    r_en : Out(1)
        Read. Not together with ``w_en``.
    r_data : In(32)
        The register read, in the cycle after ``r_en`` and until the next read. 0 for memories.
    """

    def __init__(self, config):
        super().__init__({
            "address": Out(BusMap(config).address_bits),
            "w_en": Out(1),
            "w_data": Out(BUS_BITS),
            "r_en": Out(1),
            "r_data": In(BUS_BITS),
        })


def count_layout(config):
    """Return the layout of what each counter goes up by in a cycle.

    ``lost`` has none of its own: spikes that are lost in a bank count as ``dropped``.
    """
    several = (4 * config.banks).bit_length()
    return data.StructLayout(dict.fromkeys((*COUNTERS, "lost"), several))


class RegisterFile(wiring.Component):
    """Registers and counters of a core, and the decoding of its bus.

    Parameters
    ----------
    config : CoreConfig
    value_shape : shape
        Of a readout value. At most 64 bits.

    Members
    -------
    bus : In(BusSignature(config))
    load : Out(LoadSignature(config)).array(config.banks)
        The writes that reach the memories of each bank, a cycle after they came.
    running, clearing : In(1)
        What the core does. Writes to a memory while ``running`` are refused, as those to words
        that aren't there: an error that sticks until a 1 is written to its bit.
    begin : In(1)
        A sample begins: the counters of a sample go to 0, before what this cycle counts.
    end : In(1)
        A sample has ended with ``decision``.
    decision : In(config.neuron_bits)
    bad_end : In(1)
        A sample ended at another tick than its last word asked for.
    count : In(count_layout(config))
        What the counters go up by in this cycle.
    value_select : Out(config.neuron_bits)
        The class whose ``value`` is to be read. Combinational.
    value : In(value_shape)
        Readout value of that class, a cycle later.
    """

    def __init__(self, *, config, value_shape):
        self._config = config
        self._map = BusMap(config)
        super().__init__({
            "bus": In(BusSignature(config)),
            "load": Out(LoadSignature(config)).array(config.banks),
            "running": In(1),
            "clearing": In(1),
            "begin": In(1),
            "end": In(1),
            "decision": In(config.neuron_bits),
            "bad_end": In(1),
            "count": In(count_layout(config)),
            "value_select": Out(config.neuron_bits),
            "value": In(value_shape),
        })

    def _load(self, m):
        """Pass writes on to the banks; return whether the write of this cycle is refused."""
        config, bus = self._config, self.bus
        offset, memory, bank = self._map.split(bus.address)
        there, banked = Signal(), Signal()
        for code in memories(config):
            with m.If(memory == code.value):
                m.d.comb += there.eq(offset < memory_depth(config, code))
                if code in BANKED:
                    m.d.comb += banked.eq(1)
        allowed, refused = Signal(), Signal()
        in_banks = bank < config.banks if len(bank) else Const(1)
        m.d.comb += [
            allowed.eq(there & (in_banks | ~banked) & ~self.running),
            refused.eq(bus.w_en & ~allowed & (memory != Memory.REGISTERS.value)),
        ]
        for k, load in enumerate(self.load):
            mine = ~banked | (bank == k) if len(bank) else Const(1)
            m.d.sync += load.en.eq(bus.w_en & allowed & mine)
            with m.If(bus.w_en):
                m.d.sync += [
                    load.memory.eq(memory),
                    load.address.eq(offset),
                    load.data.eq(bus.w_data),
                ]
        return refused

    def _counters(self, m):
        """Count, and return the counters by name."""
        counters = {}
        for name in COUNTERS:
            counter = counters[name] = Signal(COUNTER_BITS, name=name)
            step = Signal.like(self.count[name], name=f"{name}_step")
            total = Signal(COUNTER_BITS + 1, name=f"{name}_total")
            m.d.sync += [
                step.eq(self.count[name] + (self.count.lost if name == "dropped" else 0)),
                counter.eq(Mux(total[-1], counter | ~0, total)),
            ]
            m.d.comb += total.eq(counter + step)
            with m.If(self.begin):
                m.d.sync += counter.eq(0)
        return counters

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        offset, memory, _ = self._map.split(bus.address)
        refused = self._load(m)
        words = self._counters(m)

        words |= {name: Signal(BUS_BITS, name=name) for name in ("samples", "refused")}
        errors, occurred = Signal(len(ERRORS)), Signal(len(ERRORS))
        decision = Signal.like(self.decision)
        selected = Signal()
        value_select = Signal.like(self.value_select)
        m.d.comb += [
            self.value_select.eq(value_select),
            occurred.eq(Cat(refused, self.count.dropped.any(), self.count.overflows.any(),
                            self.bad_end, self.count.lost.any())),
            selected.eq(memory == Memory.REGISTERS.value),
        ]
        m.d.sync += [errors.eq(errors | occurred), value_select.eq(self.value_select)]
        with m.If(bus.w_en & selected):
            with m.If(offset == REGISTERS.index("errors")):
                m.d.sync += errors.eq((errors & ~bus.w_data) | occurred)
            with m.If(offset == REGISTERS.index("value_select")):
                m.d.comb += self.value_select.eq(bus.w_data)
        with m.If(refused & ~words["refused"].all()):
            m.d.sync += words["refused"].eq(words["refused"] + 1)
        with m.If(self.end):
            m.d.sync += [words["samples"].eq(words["samples"] + 1), decision.eq(self.decision)]

        value = Signal(2 * BUS_BITS)
        m.d.comb += value.eq(self.value)
        words |= {
            "identity": Const(IDENTITY, BUS_BITS),
            "version": Const(VERSION, BUS_BITS),
            "status": Cat(self.running, self.clearing),
            "errors": errors,
            "decision": decision,
            "value_select": value_select,
            "value_low": value[:BUS_BITS],
            "value_high": value[BUS_BITS:],
        }
        with m.If(bus.r_en):
            m.d.sync += bus.r_data.eq(0)
            with m.If(selected & (offset < len(REGISTERS))):
                m.d.sync += bus.r_data.eq(Array(words[name] for name in REGISTERS)[
                    offset[: (len(REGISTERS) - 1).bit_length()]])
        return m
