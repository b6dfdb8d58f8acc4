import numpy as np
import pytest

from ranvier.sim.noise.bits import Bits
from ranvier.sim.noise.kind import check_bits, check_picks, probability
from ranvier.sim.noise.kinds import KINDS


@pytest.mark.parametrize(("picks", "message"), [
    ([0, 5], r"^item 1 must be one of 5 events, not 5$"),
    ([-1, 4], r"^item 0 must be one of 5 events, not -1$"),
    ([0, 3, 3], r"^item 2 must come after item 1, and differ from it$"),
    ([4, 0], r"^item 1 must come after item 0, and differ from it$"),
])
def test_picks_are_of_what_is_there_and_ascend(picks, message):
    check_picks(np.array([0, 3, 4]), 5, "events")
    check_picks(np.zeros(0, np.int64), 0, "events")
    with pytest.raises(ValueError, match=message):
        check_picks(np.array(picks), 5, "events")


@pytest.mark.parametrize(("bits", "message"), [
    ([[0, 0], [3, 0]], r"^item 1 must have a word from 0 to 2, not 3$"),
    ([[-1, 0]], r"^item 0 must have a word from 0 to 2, not -1$"),
    ([[0, 8]], r"^item 0 must have a bit from 0 to 7, not 8$"),
    ([[0, -1]], r"^item 0 must have a bit from 0 to 7, not -1$"),
    ([[1, 2], [1, 2]], r"^item 1 must come after item 0, and differ from it$"),
    ([[1, 2], [0, 7]], r"^item 1 must come after item 0, and differ from it$"),
])
def test_bits_are_of_words_that_are_there_and_ascend(bits, message):
    check_bits(np.array([[0, 0], [0, 7], [2, 0]]), 3, 8)
    check_bits(np.zeros((0, 2), np.int64), 0, 8)
    with pytest.raises(ValueError, match=message):
        check_bits(np.array(bits), 3, 8)


def test_levels_that_are_probabilities_are_those_of_words():
    for kind in KINDS.values():
        if kind.unit.startswith("probability") and kind.name != "stalls":
            assert kind.amount(0.25) == probability(0.25) == 1 << 30


def test_a_family_of_bits_must_say_of_which_memory():
    with pytest.raises(TypeError, match=r"abstract method '?memory"):
        type("Nameless", (Bits,), {})()
