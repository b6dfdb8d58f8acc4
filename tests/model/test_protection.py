"""Check bits, and what is read of words whose bits have flipped."""
from itertools import combinations

import numpy as np
import pytest

from ranvier.model.protection import Code, read_weights

from ..designs import random_config

WIDTHS = range(1, 27)


def words(code, count=20):
    """Return values and their stored words."""
    values = np.random.default_rng(code.width).integers(0, 1 << code.width, count)
    return values, code.encode(values)


def flipped(stored, bits):
    return stored ^ sum(1 << bit for bit in bits)


@pytest.mark.parametrize("width", WIDTHS)
def test_secded_corrects_any_flip_and_detects_any_two(width):
    code = Code("secded", width)
    values, stored = words(code)
    assert code.decode(stored).values.tolist() == values.tolist()
    assert not any(flags.any() for flags in code.decode(stored)[1:])
    for bit in range(code.bits):
        reading = code.decode(flipped(stored, [bit]))
        assert reading.values.tolist() == values.tolist()
        assert reading.corrected.all()
        assert not reading.detected.any()
    for pair in combinations(range(code.bits), 2):
        reading = code.decode(flipped(stored, pair))
        assert reading.detected.all()
        assert not reading.corrected.any()


@pytest.mark.parametrize("width", WIDTHS)
def test_secded_takes_the_fewest_check_bits(width):
    """One flip and none must all differ in the check bits, and a parity over all in each."""
    check_bits = Code("secded", width).check_bits
    assert (1 << check_bits - 2) - 1 < width + check_bits - 1 <= (1 << check_bits - 1) - 1


@pytest.mark.parametrize("width", WIDTHS)
def test_parity_detects_an_odd_number_of_flips(width):
    code = Code("parity", width)
    values, stored = words(code)
    assert code.bits == width + 1
    for count in range(min(4, code.bits) + 1):
        reading = code.decode(flipped(stored, range(count)))
        assert not reading.corrected.any()
        assert (reading.detected == count % 2).all()
        assert (reading.values == flipped(values, range(min(count, width)))).all()


def test_without_protection_a_word_is_what_it_holds():
    code = Code("none", 8)
    assert code.encode(np.array([-1, 5])).tolist() == [255, 5]
    assert code.decode(np.array([255, 5])).values.tolist() == [255, 5]


@pytest.mark.parametrize(("protection", "values", "corrected", "detected"), [
    ("none", [-2, -128, 5, -5], [], []), ("parity", [0, -128, 5, 0], [], [0, 3]),
    ("secded", [-1, 0, 5, -1], [0, 3], [1])])
def test_weights_are_read_with_their_sign(protection, values, corrected, detected):
    config = random_config(np.random.default_rng(0), protection=protection)
    weight = np.array([-1, 1, 5, -1], np.int32)
    flips = [(0, 0), (1, 7), (1, 0), (3, 2)]
    reading = read_weights(config, weight, flips)
    assert reading.values.dtype == np.int32
    assert reading.values.tolist() == values
    assert np.flatnonzero(reading.corrected).tolist() == corrected
    assert np.flatnonzero(reading.detected).tolist() == detected
    assert weight.tolist() == [-1, 1, 5, -1]
    assert read_weights(config, weight, []).values.tolist() == weight.tolist()
