"""Layouts of everything that travels between units; widths come from the core's config."""

from amaranth.hdl import Shape, signed, unsigned
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import Out

from ..model.memory import SLEEP_WORDS
from ..model.sizes import FEWEST_SLOTS, FRACTION, LOOKUP, LOW_WORDS, WHEEL_TICKS
from ..model.tables import high_words_stored

__all__ = [
    "BAD_WORDS",
    "BANKED",
    "BUS_BITS",
    "GROUP",
    "GROUP_BITS",
    "MOST_BAD",
    "SUM_LATENCY",
    "TABLE_BITS",
    "LoadSignature",
    "Memory",
    "bank_trace",
    "content_shape",
    "cursor_index",
    "cursor_link",
    "cursor_row",
    "due",
    "faults",
    "fetched",
    "input_word",
    "memories",
    "memory_depth",
    "memory_shape",
    "offset_bits",
    "output_word",
    "p_shape",
    "ring_link",
    "ring_row",
    "synapse",
    "trace_record",
    "waiting",
    "wake",
    "wheel_bits",
]

BUS_BITS = 32  # data width of the bus
TABLE_BITS = FRACTION + 1  # unsigned width of a table word: 1.0 is 2**FRACTION
GROUP = LOOKUP  # ticks that are looked up together
GROUP_BITS = GROUP.bit_length() - 1
SUM_LATENCY = 4  # cycles from an accepted neuron that is due to the sum of its arrivals


class Memory(enum.Enum, shape=4):
    """What a bus address selects: the registers, or a memory that is loaded through the bus."""

    REGISTERS = 0
    ROWS = 1
    WEIGHTS = 2
    LINKS = 3
    THETA0 = 4
    BETA = 5
    LOW_M = 6
    LOW_S = 7
    LOW_A = 8
    HIGH_M = 9
    HIGH_S = 10
    HIGH_A = 11
    SLEEP = 12
    SABOTEUR = 13
    READOUT = 14
    DENDRITES = 15


# Memories that hold different words in each bank; the tables are the same in all of them. It's the
# network, and its words are those that have check bits, if the config says so.
BANKED = (Memory.ROWS, Memory.WEIGHTS, Memory.LINKS, Memory.THETA0, Memory.BETA, Memory.DENDRITES)

BAD_WORDS = ("corrected", "detected")  # what becomes of them, and the counters of that
MOST_BAD = 6  # that a bank uses in a cycle


def input_word(config):
    """Return the layout of a core's input: an event of ``channel`` at ``tick``.

    A word with ``last`` ends the sample; its ``tick`` is the number of ticks to run.
    """
    return data.StructLayout({
        "tick": config.tick_bits,
        "channel": config.channel_bits,
        "last": 1,
    })


def output_word(config):
    """Return the layout of a core's output: a spike of ``neuron`` at ``tick``.

    A word with ``last`` ends the sample; its ``neuron`` is the decision, a class index.
    """
    return data.StructLayout({
        "tick": config.tick_bits,
        "neuron": config.neuron_bits,
        "last": 1,
    })


def p_shape(config):
    """Return the shape of a record's ``p``: a trace, or a leaky output's integral."""
    bits = config.trace_bits
    return signed(max(bits, config.readout_bits) if config.readout == "leaky" else bits)


def trace_record(config):
    """Return the layout of a trace record: the state of ``neuron`` after its touch at ``tick``.

    A record with ``last`` ends the sample; its ``tick`` is the number of ticks, the rest is 0.
    """
    return data.StructLayout({
        "tick": config.tick_bits,
        "neuron": config.neuron_bits,
        "fired": 1,
        "last": 1,
        "p": p_shape(config),
        "q": signed(config.trace_bits),
        "a": signed(config.trace_bits),
    })


def bank_trace(config):
    """Return the layout of a record inside a bank: no tick, and ``neuron`` is local."""
    return data.StructLayout({
        "neuron": config.local_bits,
        "fired": 1,
        "p": p_shape(config),
        "q": signed(config.trace_bits),
        "a": signed(config.trace_bits),
    })


def synapse(config):
    """Return the layout of a synaptic event: what ``target`` (local) gets ``delay`` ticks later."""
    return data.StructLayout({
        "target": config.local_bits,
        "delay": (config.slots - 1).bit_length(),
        "weight": signed(config.weight_bits),
    })


def fetched(config):
    """Return the layout of a synaptic event without its dendritic delay.

    ``kind`` says which of its target's it has, if there are several.
    """
    return data.StructLayout({
        **{name: field.shape for name, field in synapse(config)},
        **({"kind": config.dendrite_bits} if config.dendrite_bits else {}),
    })


def cursor_index(config):
    """Return the shape of a cursor's number."""
    return unsigned(config.cursor_bits)


def ring_row(config):
    """Return the layout of a row's bounds: it starts at a synapse and ends where the next starts.

    With it is what's common to its synapses: axonal ``delay``, in a dense row the ``first``
    target, and the ``kind`` of dendritic delay.
    """
    return data.StructLayout({
        "start": config.synapses.bit_length(),
        **({"delay": config.delay_bits} if config.delays != "synaptic" else {}),
        **({"first": config.local_bits} if config.rows == "dense" else {}),
        **({"kind": config.dendrite_bits} if config.dendrite_bits else {}),
    })


def ring_link(config):
    """Return the layout of what a synapse has of its own but for the weight; it may be nothing."""
    return data.StructLayout({
        **({"target": config.local_bits} if config.rows == "sparse" else {}),
        **({"delay": config.delay_bits} if config.delays == "synaptic" else {}),
    })


def cursor_row(config):
    """Return the layout of a row's beginning: its first synapse, and that one's delay.

    Of rows that are sorted by delay. A delay of 0 says that the row is empty.
    """
    return data.StructLayout({"pointer": config.pointer_bits, "delay": config.delay_bits})


def cursor_link(config):
    """Return the layout of a synapse but for its weight, in a row that is sorted by delay.

    ``gap`` is by how much longer the row's next synapse takes. ``end`` ends a stretch of the row
    that is sent at once; one with a gap of 0 ends the row.
    """
    return data.StructLayout({
        "target": config.local_bits,
        "gap": config.gap_bits,
        "end": 1,
    })


def waiting(config):
    """Return the layout of a spike in flight: a cursor, and the next synapse of its row.

    Or the row itself, where it has one delay. It arrives in tick ``phase`` of the slot after the
    one in which the cursor is handed out, if ``lap`` is the wheel's.
    """
    return data.StructLayout({
        "pointer": config.pointer_bits,
        "phase": (WHEEL_TICKS - 1).bit_length(),
        "lap": config.lap_bits,
        "cursor": cursor_index(config),
    })


def due(config):
    """Return the layout of a neuron (local) that is due: for an ``arrival``, or for a look."""
    return data.StructLayout({
        "neuron": config.local_bits,
        "arrival": 1,
    })


def wheel_bits(config):
    """Return the width of a slot that stands for one in any of a bank's wheels."""
    cursors = config.wheel_slots * WHEEL_TICKS if config.buffer == "cursor" else 1
    return (max(FEWEST_SLOTS, *config.wheel_sizes, cursors) - 1).bit_length()


def wake(config):
    """Return the layout of a request to look at ``neuron`` (local) in the tick of a slot."""
    return data.StructLayout({"neuron": config.local_bits, "slot": wheel_bits(config)})


def memories(config):
    """Return the memories that a core of ``config`` has, in the order of their codes.

    A saboteur's words aren't one: they are registers, which no network is loaded into.
    """
    exponential = config.synapse == "exponential"
    missing = {
        Memory.REGISTERS: True,
        Memory.SABOTEUR: True,
        Memory.LINKS: config.rows == "dense" and config.delays != "synaptic",
        Memory.BETA: not config.adaptive,
        Memory.LOW_A: not config.adaptive,
        Memory.HIGH_A: not config.adaptive,
        Memory.LOW_S: not exponential,
        Memory.HIGH_S: not exponential,
        Memory.SLEEP: not exponential,
        Memory.READOUT: config.readout != "leaky",
        Memory.DENDRITES: config.dendrites == 0,
    }
    return [memory for memory in Memory if not missing.get(memory, False)]


def memory_depth(config, memory):
    """Return the number of words of ``memory`` in one bank.

    The coarse decay tables have room for the longest gap and are filled up with zeros, so that
    any time constant can be loaded. There are two words at least, as an address without bits makes
    ill-formed Verilog.
    """
    high = high_words_stored(config)
    return max(2, {
        Memory.ROWS: config.row_words,
        Memory.WEIGHTS: config.synapses,
        Memory.LINKS: config.synapses,
        Memory.THETA0: config.bank_neurons,
        Memory.BETA: config.bank_neurons,
        Memory.LOW_M: LOW_WORDS,
        Memory.LOW_S: LOW_WORDS,
        Memory.LOW_A: LOW_WORDS,
        Memory.HIGH_M: high,
        Memory.HIGH_S: high,
        Memory.HIGH_A: high,
        Memory.SLEEP: SLEEP_WORDS,
        Memory.READOUT: config.ticks,
        Memory.DENDRITES: config.bank_neurons * config.dendrites,
    }[Memory(memory)])


def faults():
    """Return the layout of how many bad words a unit uses in a cycle, by what becomes of them."""
    return data.StructLayout(dict.fromkeys(BAD_WORDS, 2))


def memory_shape(config, memory):
    """Return the shape of a word of ``memory``, check bits included.

    It's at the low end of a bus word.
    """
    content = content_shape(config, memory)
    if config.protection == "none" or Memory(memory) not in BANKED:
        return content
    return unsigned(config.code(content.width).bits)


def content_shape(config, memory):
    """Return the shape of what a word of ``memory`` holds, at its low end."""
    return Shape.cast({
        Memory.ROWS: unsigned(config.row_bits),
        Memory.WEIGHTS: signed(config.weight_bits),
        Memory.LINKS: unsigned(config.link_bits),
        Memory.THETA0: unsigned(config.threshold_bits),
        Memory.BETA: unsigned(config.threshold_bits),
        Memory.DENDRITES: unsigned(config.dendritic_bits),
    }.get(Memory(memory), unsigned(TABLE_BITS)))


def offset_bits(config):
    """Return the width of a word's address within a memory."""
    depths = [memory_depth(config, memory) for memory in memories(config)]
    return max(6, (max(depths) - 1).bit_length())


class LoadSignature(wiring.Signature):
    """A port through which the memories of a unit are written while the core doesn't run.

    Members
    -------
    en : Out(1)
        Write this cycle. A unit ignores memories that it doesn't have.
    memory : Out(Memory)
    address : Out(offset_bits(config))
    data : Out(32)
        The word, at the low end.
    """

    def __init__(self, config):
        super().__init__({
            "en": Out(1),
            "memory": Out(Memory),
            "address": Out(offset_bits(config)),
            "data": Out(BUS_BITS),
        })
