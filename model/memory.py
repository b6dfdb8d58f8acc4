"""The memories of a core, to the bit: what delay buffers and rows cost, before there is any RTL."""

from .sizes import FEWEST_SLOTS, FRACTION, LOOKUP, LOW_WORDS, TILE, WHEEL_TICKS, chunk_bits
from .tables import high_words_stored

TABLE_BITS = FRACTION + 1
TOTAL_BITS = 32  # of a counter
SLEEP_WORDS = 4

# Widths and words that a block RAM can have, by the name of a family of devices.
BLOCK_RAMS = {
    "ecp5": ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512)),
    "ice40": ((2, 2048), (4, 1024), (8, 512), (16, 256)),
    "gowin": ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512)),
}


def fetch_memories(config):
    """Return the memories in which a bank keeps its synapses and the spikes in flight.

    Returns
    -------
    dict of str to (int, int)
        Width and words of each, by its name below the bank.
    """
    def stored(width):
        return config.code(width).bits

    synaptic = config.delays == "synaptic"
    row_bits, weight_bits = stored(config.row_bits), stored(config.weight_bits)
    wheel = _wheel(config) if config.buffer == "cursor" else {}
    if wheel and synaptic:
        return {
            "fetch.rows": (row_bits, config.row_words),
            "fetch.walk.weights": (weight_bits, config.synapses),
            "fetch.walk.links": (stored(config.link_bits), config.synapses),
            **wheel,
        }
    links = _tiles("fetch.links", stored(config.link_bits), config.synapses)
    dendrites = stored(config.dendritic_bits), config.dendrites * config.bank_neurons
    return {
        "fetch.rows": (row_bits, config.row_words),
        **_tiles("fetch.weights", weight_bits, config.synapses),
        **(links if config.link_bits else {}),
        **wheel,
        **({"delays.dendrites": dendrites} if config.dendrites else {}),
    }


def _wheel(config):
    """Return the memories of a bank's cursors."""
    phase_bits = (WHEEL_TICKS - 1).bit_length()
    return {
        "fetch.wheel.heads": (config.cursor_bits, config.wheel_slots),
        "fetch.wheel.marks": (LOOKUP // WHEEL_TICKS, config.wheel_slots * WHEEL_TICKS // LOOKUP),
        "fetch.wheel.pool": (config.pointer_bits + phase_bits + config.lap_bits
                             + config.cursor_bits + 1, config.cursors),
    }


def _marks(config):
    """Return the memories of a bank's marks: bits of neurons in chunks, chunks, groups of slots."""
    neurons, sizes = config.bank_neurons, sorted(config.wheel_sizes, reverse=True)
    bit_bits = chunk_bits(neurons)
    chunks = -(-neurons >> bit_bits)
    bits = {f"ring.marks.bits.{name}": (min(1 << bit_bits, neurons),
                                        slots << (chunks - 1).bit_length())
            for name, slots in zip(("words", "more"), sizes, strict=False)}
    return {
        **bits,
        "ring.marks.chunks.words": (chunks, sum(sizes)),
        "ring.marks.groups.words": (
            LOOKUP, max(FEWEST_SLOTS, *config.wheel_sizes) // LOOKUP),
    }


def ring_memories(config):
    """Return the memories of a bank's ring: as `fetch_memories`."""
    return {"ring.sums.words": (config.sum_bits, config.slots * config.bank_neurons),
            **_marks(config)}


def _tiles(name, width, words):
    """Return a memory of synapses, in tiles."""
    return {f"{name}.tile_{k}": (width, min(TILE, words - start))
            for k, start in enumerate(range(0, words, TILE))}


def _neuron_memories(config):
    exponential = config.synapse == "exponential"
    threshold_bits = config.code(config.threshold_bits).bits
    spiking = -(-config.spiking // config.banks)
    traces = 1 + exponential + config.adaptive
    look_bits = 1 + config.wake_bits if exponential else 0  # a slot, and whether one is pending
    tables = traces * (LOW_WORDS + max(2, high_words_stored(config)))
    state_bits = traces * config.trace_bits + config.tick_bits + look_bits
    memories = {
        "neurons.memory.states.words": (config.code(state_bits).bits, spiking),
        "neurons.memory.theta0_words": (threshold_bits, spiking),
        "neurons.scale.tables": (TABLE_BITS, tables + SLEEP_WORDS * exponential),
    }
    if config.adaptive:
        memories["neurons.memory.beta_words"] = (threshold_bits, spiking)
    return memories


def bank_memories(config, bank):
    """Return all memories of a bank: as `fetch_memories`."""
    memories = fetch_memories(config) | ring_memories(config)
    if bank < config.spiking:
        memories |= _neuron_memories(config)
    spiking = len(range(bank, config.spiking, config.banks))
    if spiking < len(range(bank, config.neurons, config.banks)):
        outputs = config.bank_neurons - config.spiking // config.banks
        memories |= {"outputs.readout": (TABLE_BITS, config.ticks),
                     "outputs.integrals.words": (config.readout_bits, outputs)}
    # An address without bits makes ill-formed Verilog.
    return {name: (width, max(2, words)) for name, (width, words) in memories.items()}


def core_memories(config):
    """Return width and words of all memories of a core, by their paths with dots between."""
    value_bits = config.readout_bits if config.readout == "leaky" else config.tick_bits
    outputs = (value_bits, max(2, config.outputs))
    return {
        **{f"bank_{bank}.{name}": shape for bank in range(config.banks)
           for name, shape in bank_memories(config, bank).items()},
        "registers.counters.totals": (TOTAL_BITS, config.totals),
        "readout.values.words": outputs,
        "readout.finished": outputs,
    }


def bits(memories):
    """Return the bits of memories as `fetch_memories` gives them."""
    return sum(width * words for width, words in memories.values())


def block_rams(memories, family):
    """Return how many block RAMs memories take, if all of them are in some.

    Tools put the smallest ones into LUTs or registers, and may not find the best shapes.

    Parameters
    ----------
    memories : dict of str to (int, int)
        Width and words.
    family : str
        One of `BLOCK_RAMS`.
    """
    return sum(min(-(-width // wide) * -(-words // deep) for wide, deep in BLOCK_RAMS[family])
               for width, words in memories.values())


def buffer_memory(config):
    """Return ``bits`` and block RAMs by family of what a bank's rows and delays take, as a dict."""
    memories = fetch_memories(config) | ring_memories(config)
    return {"bits": bits(memories),
            **{family: block_rams(memories, family) for family in BLOCK_RAMS}}
