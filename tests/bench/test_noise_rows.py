"""Rows of noise tell at which level accuracy is lost, and how sure that is."""

import pytest
import rows.critical
import rows.replays
from scipy.stats import beta


def test_no_difference_still_has_an_interval():
    assert rows.replays.expected(0, 3000) == [0, pytest.approx(3.69, abs=0.01)]
    low, high = rows.replays.expected(2, 50)
    assert low / 50 == pytest.approx(beta.ppf(0.025, 2, 49))
    assert high / 50 == pytest.approx(beta.ppf(0.975, 3, 48))


def study(*levels):
    """Return what a study of weight flips has, with the intervals over chips at each level."""
    rows_ = [{"level": level, "spread": {"interval": interval}} for level, interval in levels]
    return {"clean": {"accuracy": 0.95}, "kinds": {"weight_flips": {
        "unit": "probability per bit", "levels": rows_,
        "critical": {"1": {"level": rows_[0]["level"], "below_first": True}, "5": None}}}}


def test_a_critical_level_has_the_interval_of_its_curve():
    alike = study((0.001, [0.95, 0.95]), (0.01, [0.85, 0.85]))
    middle = pytest.approx(0.001 * 10**0.5)  # straight over the logarithm
    assert rows.critical.over_chips(alike) == [middle, middle]
    spread = study((0.001, [0.95, 0.95]), (0.01, [0.83, 0.88]))
    low, high = rows.critical.over_chips(spread)
    assert low < 0.001 * 10**0.5 < high
    assert rows.critical.over_chips(study((0.001, [0.94, 0.94]))) == [None, None]


def test_the_table_has_all_trainings():
    text = rows.critical.table({
        "plain": study((0.001, [0.94, 0.94])), "aware": study((0.02, [0.9, 0.9]))})
    assert text.splitlines() == [
        "| kind | unit | 1 lost, plain / aware | 5 lost, plain / aware |",
        "|---|---|---|---|",
        "| `weight_flips` | probability per bit | at most 0.001 / at most 0.02 | "
        "not reached / not reached |"]
