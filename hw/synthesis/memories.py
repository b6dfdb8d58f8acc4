"""Where Yosys puts the memories of a core on a device: in block RAMs, LUT RAM or registers.

The rule is that of its pass ``memory_libmap``, for memories with one port that reads and one that
writes whole words: each way to build a memory has a cost, and the cheapest one is taken.
"""

from dataclasses import dataclass

from ...model.memory import core_memories

__all__ = ["Placed", "memory_cells", "place_memory"]

MUX = 0.5  # what a bit of a multiplexer costs behind several RAMs, and an enable before them
SHARED = 2  # what a read port of its own costs
READ_FIRST = 6  # what it costs to keep the word of before for a read that meets a write

# Memories that are read as they were when they're written in the same cycle.
KEEPING = ("readout.finished", "counters.totals")
ALWAYS_BLOCK = (  # by an attribute, whatever the size
    "fetch.wheel.pool", "marks.bits.words", "marks.bits.more", "marks.chunks.words")


@dataclass(frozen=True)
class _Ram:
    """A kind of RAM: what one costs, and its shapes, each (width, words, granule of a word)."""

    kind: str
    cost: float
    shapes: tuple[tuple[int, int, int], ...]
    by_bits: bool = False  # only the bits that are used cost

    def count(self, width, words):
        """Return the cost of a memory in such RAMs, how many it takes, and parts of its words."""
        return min(self._in_shape(width, words, *shape) for shape in self.shapes)

    def _in_shape(self, width, words, unit, deep, granule):
        parts = -(-words // deep)  # words of several parts may share a RAM
        padded = -(-width // granule) * granule
        rams = -(-parts * padded // unit)
        cost = self.cost * (parts * width / unit if self.by_bits else rams)
        cost += MUX * (parts - 1) * width + MUX * parts * (parts > 1)
        return cost, rams, parts


_LUT_RAM = ((4, 16, 4),)
_WIDE_BLOCKS = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512))
_RAMS = {
    # Words below 9 bits aren't written alone: their shapes are left out.
    "ecp5": (_Ram("LUT RAM", 4, _LUT_RAM),
             _Ram("block RAM", 128, ((9, 2048, 9), (18, 1024, 9), (36, 512, 9),
                                     *((wide, deep, wide) for wide, deep in _WIDE_BLOCKS[:3])))),
    "ice40": (_Ram("block RAM", 64, ((2, 2048, 1), (4, 1024, 1), (8, 512, 1), (16, 256, 1))),),
    "gowin": (_Ram("LUT RAM", 4, _LUT_RAM, by_bits=True),
              _Ram("block RAM", 128, tuple((wide, deep, wide) for wide, deep in _WIDE_BLOCKS))),
}


@dataclass(frozen=True)
class Placed:
    """Where a memory is.

    Members
    -------
    kind : str
        ``"block RAM"``, ``"LUT RAM"`` or ``"register"``.
    count : int
        How many; registers count by the bit.
    multiplexed : int
        Bits that are chosen from behind several RAMs, beyond those of one word.
    """

    kind: str
    count: int
    multiplexed: int


def place_memory(name, width, words, family):
    """Return where a memory is `Placed`.

    Parameters
    ----------
    name : str
        Its path in the core, as `core_memories` has it.
    width, words : int
    family : str
        One of `FAMILIES`.
    """
    rams, best = _RAMS[family], width * words
    placed = Placed("register", best, best - width)
    if name.endswith(ALWAYS_BLOCK):
        rams, best = rams[-1:], float("inf")
    for ram in rams:
        cost, count, parts = ram.count(width, words)
        cost = int(cost + SHARED + READ_FIRST * name.endswith(KEEPING))
        if cost < best:
            best, placed = cost, Placed(ram.kind, count, (parts - 1) * width)
    return placed


def memory_cells(config, family):
    """Return the cells that the memories of a core take, by kind, ``"register"`` among them."""
    found = {"block RAM": 0, "LUT RAM": 0, "register": 0}
    for name, (width, words) in core_memories(config).items():
        placed = place_memory(name, width, words, family)
        found[placed.kind] += placed.count
    return found
