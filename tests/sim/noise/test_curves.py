import numpy as np
import pytest

from ranvier.sim.noise.curves import Crossing, critical_level, kept_accuracy

LEVELS = [0.001, 0.01, 0.1]


def test_crossing_on_a_straight_line():
    found = critical_level([0, 10, 30], [0.95, 0.945, 0.905], 0.95, 1)
    assert found.level == pytest.approx(12.5)
    assert not found.below_first


def test_crossing_on_a_logarithmic_axis():
    found = critical_level(LEVELS, [0.95, 0.93, 0.89], 0.95, 5, logarithmic=True)
    assert found.level == pytest.approx(0.1 * 10**-0.75 * 10**0.5)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_crossing_at_a_level(logarithmic):
    """93 of 100 is a point below 94 of 100, though 0.94 - 0.01 isn't 0.93 in binary."""
    for clean in range(10, 100):
        accuracies = [clean / 100, (clean - 1) / 100, 0]
        found = critical_level(LEVELS, accuracies, clean / 100, 1, logarithmic=logarithmic)
        assert found.level == pytest.approx(0.01)


def test_first_of_several_crossings():
    assert critical_level([1, 2, 3, 4], [0.9, 0.8, 0.9, 0.7], 0.9, 10).level == pytest.approx(2)


def test_never_and_below_the_first_differ():
    assert critical_level(LEVELS, [0.95, 0.96, 0.94], 0.95, 5) is None
    assert critical_level(LEVELS, [0.9, 0.95, 0.95], 0.95, 5) == Crossing(0.001, True)


def test_area_of_a_level_curve():
    assert kept_accuracy(LEVELS, [0.9, 0.9, 0.9], 0.9) == pytest.approx(1)
    assert kept_accuracy(LEVELS, [0.45, 0.45, 0.45], 0.9, logarithmic=True) == pytest.approx(0.5)


def test_area_depends_on_the_axis():
    curve = [0.8, 0.4, 0]
    assert kept_accuracy(LEVELS, curve, 0.8, logarithmic=True) == pytest.approx(0.5)
    linear = (0.009 * 0.75 + 0.09 * 0.25) / 0.099
    assert kept_accuracy(LEVELS, curve, 0.8) == pytest.approx(linear)


@pytest.mark.parametrize("measure", [
    lambda *arguments, **axis: critical_level(*arguments, 1, **axis), kept_accuracy])
@pytest.mark.parametrize(("levels", "accuracies", "logarithmic", "text"), [
    ([1, 1], [0.5, 0.5], False, r"Levels must rise, not be \[1.0, 1.0\]"),
    ([1, 2], [0.5], False, r"Levels and accuracies must be two vectors of one length, not of "
                           r"shapes \(2,\) and \(1,\)"),
    ([0, 1], [0.5, 0.5], True, "Levels must be above 0 on a logarithmic axis, not 0.0")])
def test_curves_that_cannot_be(measure, levels, accuracies, logarithmic, text):
    with pytest.raises(ValueError, match=f"^{text}$"):
        measure(np.array(levels), np.array(accuracies), 0.9, logarithmic=logarithmic)


def test_numbers_that_cannot_be():
    with pytest.raises(ValueError, match=r"^Drop must be above 0 points, not 0$"):
        critical_level(LEVELS, [0.9, 0.9, 0.9], 0.9, 0)
    with pytest.raises(ValueError, match=r"^An area must have at least 2 levels, not 1$"):
        kept_accuracy([1], [0.9], 0.9)
