"""Bus traffic of a run: what loads a core, what reads it back, and what flips its weights.

A program is an array (operations, 3) of uint32: 1 to write or 0 to read, address, data. Running it
leaves the words that were read in the last column.
"""

import numpy as np

from ..hw.images import bank_images, load_words
from ..hw.payloads import BAD_WORDS, Memory, memory_depth, memory_shape
from ..hw.registers import COUNTERS, BusMap

__all__ = ["READ_BACK", "decode", "flip_program", "load_program", "read_program"]

# Registers that are read after each sample, besides the values of the readout.
READ_BACK = ("status", "errors", "decision", *COUNTERS, *BAD_WORDS)
VALUE = ("value_low", "value_low", "value_high")  # a value is there 2 cycles after its selection


def _program(writes, addresses, data):
    columns = np.broadcast_arrays(writes, addresses, data)
    return np.stack(columns, axis=1).astype(np.uint32)


def load_program(parameters):
    """Return the program that loads every memory of a core with `Parameters`."""
    return _program(1, *load_words(parameters))


def read_program(config):
    """Return the program that reads counters and readout values after a sample."""
    bus = BusMap(config)
    program = [(0, bus.register(name), 0) for name in READ_BACK]
    for label in range(config.outputs):
        program.append((1, bus.register("value_select"), label))
        program += [(0, bus.register(name), 0) for name in VALUE]
    return np.array(program, np.uint32)


def decode(config, data):
    """Return counters (dict) and readout values (outputs,) int64 from the data of a read program.

    Parameters
    ----------
    data : (operations,) uint32
        Last column of `read_program` after it was run.
    """
    counters = dict(zip(READ_BACK, data[: len(READ_BACK)].tolist(), strict=True))
    words = data[len(READ_BACK) :].reshape(config.outputs, 1 + len(VALUE)).astype(np.uint64)
    values = (words[:, 2] | (words[:, 3] << np.uint64(32))).view(np.int64)
    return counters, values


def flip_program(parameters, flips, memory=Memory.WEIGHTS):
    """Return the program that flips bits of a memory, and the one that brings them back.

    Parameters
    ----------
    parameters : Parameters
        What the core is loaded with.
    flips : sequence of (int, int, int)
        Bank, address in its memory, bit. Bits of one word add up.
    memory : Memory
        One that each bank has of its own.

    Raises
    ------
    ValueError
        If a bank, an address or a bit isn't there.
    """
    config, bus = parameters.config, BusMap(parameters.config)
    words, bits = memory_depth(config, memory), memory_shape(config, memory).width
    images = {}
    before, after = {}, {}
    for bank, address, bit in flips:
        if not (0 <= bank < config.banks and 0 <= address < words
                and 0 <= bit < bits):
            raise ValueError(
                f"A flip must be in banks 0 to {config.banks - 1}, words 0 to "
                f"{words - 1} and bits 0 to {bits - 1}, "
                f"not at bank {bank}, word {address}, bit {bit}")
        if bank not in images:
            images[bank] = bank_images(parameters, bank)[memory]
        place = bus.address(memory, address, bank)
        before[place] = int(images[bank][address]) & ((1 << bits) - 1)
        after[place] = after.get(place, before[place]) ^ (1 << bit)
    places = np.array(list(before), np.int64)
    return tuple(_program(1, places, np.array(list(words.values()), np.int64))
                 for words in (after, before))
