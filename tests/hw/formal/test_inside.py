# amaranth: UnusedElaboratable=no
"""Signals and memories of a unit are found by name."""
import pytest

from ranvier.hw.cleared import ClearedMemory
from ranvier.hw.formal.inside import Inside


def inside():
    return Inside(ClearedMemory(shape=4, depth=3))


def test_signal_and_memory_are_found():
    unit = inside()
    assert len(unit.signal("sweep")) == 2
    assert len(unit.word("words", address=0)) == 4


def test_unknown_names_are_refused():
    unit = inside()
    with pytest.raises(LookupError, match=r"^Name in ClearedMemory must be that of one signal, not "
                                          r"'swept', which 0 have$"):
        unit.signal("swept")
    with pytest.raises(LookupError, match=r"^Path in ClearedMemory must be that of a submodule, "
                                          r"not 'word'$"):
        unit.word("word", address=0)
