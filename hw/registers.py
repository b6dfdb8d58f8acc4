"""The bus of a core: its address map as data, and the register file."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .counters import Counters
from .payloads import (
    BAD_WORDS,
    BANKED,
    BUS_BITS,
    MOST_BAD,
    LoadSignature,
    Memory,
    memories,
    memory_depth,
    memory_shape,
    offset_bits,
)
from .saboteur import PLACE, SETTING

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
VERSION = 3  # of the registers, the address map and the streams

# Bits of the registers of the same names. The last error is that of words with check bits.
STATUS = ("running", "clearing")
ERRORS = ("refused", "dropped", "overflow", "bad_end", "lost", "detected")

# Counts of the sample that runs, or of the last one. They stop at their largest value.
COUNTERS = ("cycles", "ticks", "input_events", "spikes", "touches", "looks", "synaptic_events",
            "saturations", "overflows", "dropped")

# The first two count since the reset. The last ones are 0 where words have no check bits.
TOTALS = ("samples", "refused", *COUNTERS, *BAD_WORDS)
TOTALS_OFFSET = 16

# Registers and their offsets.
REGISTERS = {name: offset for offset, name in enumerate(
    ("identity", "version", "status", "errors", "decision", "value_select", "value_low",
     "value_high"))}
REGISTERS |= {name: TOTALS_OFFSET + k for k, name in enumerate(TOTALS)}

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
        return self.address(Memory.REGISTERS, REGISTERS[name])

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
        Read. Not together with ``w_en``, and counts not in two cycles in a row.
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


def counter_steps(config):
    """Return the most that each counter of a core goes up by in a cycle."""
    each = {"touches": 2, "looks": 1, "synaptic_events": 1, "saturations": 3, "overflows": 1}
    each |= dict.fromkeys(BAD_WORDS, MOST_BAD)
    steps = {name: each[name] * config.banks if name in each else 1
             for name in TOTALS[: config.totals]}
    return steps | {"dropped": 1 + config.banks}


def count_layout(config):
    """Return the layout of what each counter of a sample goes up by in a cycle.

    ``lost`` has none of its own: spikes that are lost in a bank count as ``dropped``.
    """
    steps = counter_steps(config)
    layout = {name: step.bit_length() for name, step in steps.items()
              if name not in ("samples", "refused")}
    return data.StructLayout(layout | {"dropped": 1, "lost": config.banks.bit_length()})


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
    over : In(1)
        A sample's last tick is over.
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
        self._counters = Counters(
            steps=counter_steps(config), kept=TOTALS.index(COUNTERS[0]), bits=BUS_BITS)
        super().__init__({
            "bus": In(BusSignature(config)),
            "load": Out(LoadSignature(config)).array(config.banks),
            "running": In(1),
            "clearing": In(1),
            "begin": In(1),
            "over": In(1),
            "end": In(1),
            "decision": In(config.neuron_bits),
            "bad_end": In(1),
            "count": In(count_layout(config)),
            "value_select": Out(config.neuron_bits),
            "value": In(value_shape),
        })

    @property
    def latency(self):
        """Most cycles from a count to the register that shows it."""
        return self._counters.latency

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
        if config.saboteurs:
            with m.If(memory == Memory.SABOTEUR.value):
                m.d.comb += [there.eq((offset == PLACE) | (offset == SETTING)), banked.eq(1)]
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

    def _count(self, m, refused, selected, offset):
        """Count; returns whether a total is read in this cycle."""
        m.submodules.counters = counters = self._counters
        read = Signal()
        m.d.comb += [
            *(counters.count[name].eq(self.count[name]) for name in self.count.shape().members
              if name != "lost"),
            counters.count.dropped.eq(self.count.dropped + self.count.lost),
            counters.count.samples.eq(self.over),
            counters.count.refused.eq(refused),
            counters.begin.eq(self.begin),
            read.eq(self.bus.r_en & selected & (offset >= TOTALS_OFFSET)
                    & (offset < TOTALS_OFFSET + self._config.totals)),
            counters.read.eq(read),
            counters.index.eq(offset - TOTALS_OFFSET),
        ]
        return read

    def _words(self, m, errors):
        """Return the registers that aren't totals, by name."""
        decision = Signal.like(self.decision)
        value_select = Signal.like(self.value_select)
        value = Signal(2 * BUS_BITS)
        m.d.comb += [value.eq(self.value), self.value_select.eq(value_select)]
        m.d.sync += value_select.eq(self.value_select)
        with m.If(self.end):
            m.d.sync += decision.eq(self.decision)
        return {
            "identity": Const(IDENTITY, BUS_BITS),
            "version": Const(VERSION, BUS_BITS),
            "status": Cat(self.running, self.clearing),
            "errors": errors,
            "decision": decision,
            "value_select": value_select,
            "value_low": value[:BUS_BITS],
            "value_high": value[BUS_BITS:],
        }

    def elaborate(self, platform):
        m = Module()
        bus = self.bus
        offset, memory, _ = self._map.split(bus.address)
        refused = self._load(m)
        detected = ([self.count.detected.any()] if self._config.protection != "none" else [])
        errors = Signal(len(ERRORS) - 1 + len(detected))
        occurred = Signal.like(errors)
        selected = Signal()
        m.d.comb += [
            occurred.eq(Cat(refused, self.count.dropped.any(), self.count.overflows.any(),
                            self.bad_end, self.count.lost.any(), *detected)),
            selected.eq(memory == Memory.REGISTERS.value),
        ]
        words = self._words(m, errors)
        m.d.sync += errors.eq(errors | occurred)
        with m.If(bus.w_en & selected):
            with m.If(offset == REGISTERS["errors"]):
                m.d.sync += errors.eq((errors & ~bus.w_data) | occurred)
            with m.If(offset == REGISTERS["value_select"]):
                m.d.comb += self.value_select.eq(bus.w_data)

        total_read, total_here = self._count(m, refused, selected, offset), Signal()
        held = Signal(BUS_BITS)  # what was read last
        m.d.sync += [total_here.eq(total_read), held.eq(bus.r_data)]
        m.d.comb += bus.r_data.eq(Mux(total_here, self._counters.total, held))
        with m.If(bus.r_en):
            m.d.sync += held.eq(0)
            with m.If(selected):
                with m.Switch(offset):
                    for name, word in words.items():
                        with m.Case(REGISTERS[name]):
                            m.d.sync += held.eq(word)
        return m
