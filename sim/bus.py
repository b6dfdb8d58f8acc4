"""Bus traffic of a run: what loads a core, what reads it back, and what flips its weights.

A program is an array (operations, 3) of uint32: 1 to write or 0 to read, address, data. Running it
leaves the words that were read in the last column.
"""

import numpy as np

from ..hw.images import bank_images, load_words
from ..hw.payloads import BAD_WORDS, BANKED, Memory, memories, memory_depth, memory_shape
from ..hw.registers import COUNTERS, BusMap
from ..hw.saboteur import PLACE, SETTING, STATES, Mode, setting
from ..hw.state import state

__all__ = ["READ_BACK", "decode", "flip_program", "load_program", "read_program",
           "sabotage_program"]

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

    Where a bank has a saboteur and but one flip, that's who flips it.

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
    bits = memory_shape(config, memory).width
    for flip in flips:
        _check_place("A flip", config, memory, *flip)
    if config.saboteurs and len({bank for bank, _, _ in flips}) == len(flips) > 0:
        return tuple(
            np.concatenate([sabotage_program(config, memory, *flip, mode) for flip in flips])
            for mode in (Mode.FLIPPED, Mode.OFF))
    images = {}
    before, after = {}, {}
    for bank, address, bit in flips:
        if bank not in images:
            images[bank] = bank_images(parameters, bank)[memory]
        place = bus.address(memory, address, bank)
        before[place] = int(images[bank][address]) & ((1 << bits) - 1)
        after[place] = after.get(place, before[place]) ^ (1 << bit)
    places = np.array(list(before), np.int64)
    return tuple(_program(1, places, np.array(list(words.values()), np.int64))
                 for words in (after, before))


def sabotage_program(config, memory, bank, address, bit, mode):
    """Return the program that lets a bank's saboteur read one bit wrong; with `Mode.OFF`, none.

    It's wrong until the saboteur is set anew, or the core is reset. The memory keeps what it holds.

    Parameters
    ----------
    config : CoreConfig
        With ``saboteurs``.
    memory : Memory
        One that each bank has of its own, or `ranvier.hw.saboteur.STATES`.
    bank, address, bit : int
        Of a word in the bank; those of check bits come after a word's own.
    mode : Mode

    Raises
    ------
    ValueError
        If the core has no saboteurs, or a bank, a memory, a word or a bit isn't there.
    """
    if not config.saboteurs:
        raise ValueError("A core must have saboteurs to be sabotaged, and has none: "
                         "saboteurs = true in [design]")
    there = [STATES, *(each for each in BANKED if each in memories(config))]
    if memory not in there:
        raise ValueError(f"A sabotage must be in {', '.join(each.name for each in there)}, "
                         f"not in {memory!r}")
    _check_place("A sabotage", config, memory, bank, address, bit)
    bus = BusMap(config)
    places = [bus.address(Memory.SABOTEUR, offset, bank) for offset in (PLACE, SETTING)]
    word = setting().const({"bit": bit, "memory": memory, "mode": mode}).as_value().value
    return _program(1, places, [address, word])


def _check_place(what, config, memory, bank, address, bit):
    if memory == STATES:
        words, bits = -(-config.spiking // config.banks), config.code(state(config).size).bits
    else:
        words, bits = memory_depth(config, memory), memory_shape(config, memory).width
    if not (0 <= bank < config.banks and 0 <= address < words and 0 <= bit < bits):
        raise ValueError(f"{what} must be in banks 0 to {config.banks - 1}, words 0 to "
                         f"{words - 1} and bits 0 to {bits - 1}, "
                         f"not at bank {bank}, word {address}, bit {bit}")
