"""A bit of a stored word that is read wrong on purpose, in cores that are generated for it."""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, enum

from .payloads import Memory, offset_bits

__all__ = ["PLACE", "SETTING", "STATES", "Mode", "sabotaged", "setting"]

PLACE, SETTING = 0, 1
"""Offsets of a bank's two words in `Memory.SABOTEUR`: the address, and the rest."""

STATES = Memory.REGISTERS
"""Stands for the neurons' states in a setting: no bus address has them."""


class Mode(enum.Enum, shape=2):
    """What becomes of the bit whenever its word is read."""

    OFF = 0
    STUCK_0 = 1
    STUCK_1 = 2
    FLIPPED = 3


def setting():
    """Return the layout of the second word: which bit of which memory is read wrong, and how."""
    return data.StructLayout({"bit": 7, "memory": Memory, "mode": Mode})


def sabotaged(m: Module, config, memory, word, load, *, address, read, latency=1):
    """Return what is read of ``memory``, through the saboteur of its bank.

    Each memory keeps the two words of its bank: they are the same registers, which synthesis
    merges. Where ``config`` has no saboteurs, the word is returned as it is.

    Parameters
    ----------
    m : Module
    config : CoreConfig
    memory : Memory
        One of `BANKED`, or `STATES`.
    word : Value
        What the storage gives, ``latency`` cycles after its address, check bits included.
    load : LoadSignature(config)
    address, read : Value
        Of the storage: the word that is read, and whether the read goes on in this cycle.
    latency : int
    """
    if not config.saboteurs:
        return word
    name = "states" if memory == STATES else memory.name.lower()
    place = Signal(offset_bits(config), name=f"{name}_place")
    wrong = Signal(setting(), name=f"{name}_wrong")
    with m.If(load.en & (load.memory == Memory.SABOTEUR)):
        with m.If(load.address == PLACE):
            m.d.sync += place.eq(load.data)
        with m.If(load.address == SETTING):
            m.d.sync += wrong.eq(load.data)
    hit = (wrong.memory == memory) & (place == address)
    for cycle in range(latency):
        kept = Signal(name=f"{name}_hit_{cycle}")
        with m.If(read):
            m.d.sync += kept.eq(hit)
        hit = kept
    found = Signal(word.shape(), name=f"{name}_sabotaged")
    stored, given = Value.cast(word), Value.cast(found)
    mask = Signal(len(given), name=f"{name}_mask")
    m.d.comb += [mask.eq(Mux(hit, 1 << wrong.bit, 0)), given.eq(stored)]
    with m.Switch(wrong.mode):
        with m.Case(Mode.STUCK_0):
            m.d.comb += given.eq(stored & ~mask)
        with m.Case(Mode.STUCK_1):
            m.d.comb += given.eq(stored | mask)
        with m.Case(Mode.FLIPPED):
            m.d.comb += given.eq(stored ^ mask)
    return found
