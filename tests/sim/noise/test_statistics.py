import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from ranvier.sim.noise.statistics import (
    effective_size,
    holm,
    mcnemar,
    mismatch_bound,
    paired_difference,
    wilson,
)


@pytest.mark.parametrize(("right", "size"), [(0, 10), (10, 10), (279, 300), (1, 3000)])
def test_wilson_equals_scipy(right, size):
    expected = binomtest(right, size).proportion_ci(method="wilson")
    np.testing.assert_allclose(wilson(right / size, size), expected, rtol=1e-12, atol=1e-15)


def test_one_instance_counts_its_samples():
    rng = np.random.default_rng(1)
    assert effective_size(rng.random((1, 300)) < 0.9) == 300


def test_equal_instances_count_once():
    right = np.random.default_rng(1).random((1, 300)) < 0.9
    assert effective_size(np.repeat(right, 10, 0)) == pytest.approx(300)


def test_equal_samples_count_as_instances():
    right = np.repeat([[True], [False], [True], [True], [False]], 200, 1)
    assert effective_size(right) == pytest.approx(4)  # the variance of 5 is estimated with 5 - 1


def test_trials_count_once_at_most():
    opposite = np.arange(4)[:, None] % 2 == np.arange(6) % 2
    assert effective_size(opposite) == 24


def test_unrelated_trials_count_all():
    rng = np.random.default_rng(4)
    sizes = [effective_size(rng.random((10, 300)) < 0.8) for _ in range(50)]
    assert 2500 < np.mean(sizes) <= 3000


def test_certainty_counts_the_samples_once():
    assert effective_size(np.ones((10, 300), bool)) == 300
    assert effective_size(np.zeros((10, 300), bool)) == 300


def test_intervals_cover_with_crossed_trials():
    """Taken as independent trials, unequal samples and chips would give far too small ones."""
    rng = np.random.default_rng(5)
    cover = naive = 0
    rounds = 400
    for _ in range(rounds):
        chip, sample = rng.normal(0, 0.06, (10, 1)), rng.choice([-0.45, 0.05], (1, 300), p=[.1, .9])
        right = rng.random((10, 300)) < np.clip(0.9 + chip + sample, 0, 1)
        truth = np.clip(0.9 + rng.normal(0, 0.06, 20_000)[:, None] + [[-0.45, 0.05]], 0, 1)
        truth = truth.mean(0) @ [0.1, 0.9]
        low, high = wilson(right.mean(), effective_size(right))
        cover += low <= truth <= high
        low, high = wilson(right.mean(), right.size)
        naive += low <= truth <= high
    assert cover > 0.93 * rounds
    assert naive < 0.5 * rounds


def test_mcnemar_counts_the_samples_that_change():
    clean = np.array([1, 1, 1, 1, 1, 1, 0, 0], bool)
    noisy = np.array([0, 0, 0, 0, 0, 1, 0, 1], bool)
    assert mcnemar(clean, noisy) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(clean, clean) == 1


def table(both, lost, won, neither):
    """Return paired outcomes with these counts."""
    counts = [both, lost, won, neither]
    return np.repeat([1, 1, 0, 0], counts) > 0, np.repeat([1, 0, 1, 0], counts) > 0


def test_paired_difference_of_a_published_example():
    """M. Fagerland, S. Lydersen and P. Laake, Stat. Med. 33 (2014), 2850: -0.507 to -0.026."""
    difference, interval = paired_difference(*table(1, 7, 1, 12))
    assert difference == pytest.approx(-6 / 21)
    np.testing.assert_allclose(interval, (-0.507, -0.026), atol=5e-4)


def test_paired_difference_turns_around():
    one, other = table(200, 25, 5, 70)
    difference, (low, high) = paired_difference(one, other)
    back, (back_low, back_high) = paired_difference(other, one)
    np.testing.assert_allclose([-difference, -high, -low], [back, back_low, back_high])


@pytest.mark.parametrize("counts", [(100, 0, 0, 0), (0, 0, 0, 100), (90, 0, 0, 10)])
def test_equal_outcomes_still_have_an_interval(counts):
    difference, (low, high) = paired_difference(*table(*counts))
    assert difference == 0
    assert low == pytest.approx(-high)
    assert 0.01 < high < 0.06


def test_all_worse_stays_within_a_whole():
    difference, (low, high) = paired_difference(*table(0, 50, 0, 0))
    assert difference == -1
    assert low == -1
    assert -0.95 < high < -0.85


def test_counts_may_be_large():
    _, (low, high) = paired_difference(*table(90_000, 3_000, 2_000, 5_000))
    assert high - low == pytest.approx(2 * 1.96 * (5000 / 1e5**2) ** 0.5, rel=0.02)


def test_paired_intervals_cover_and_are_shorter_than_unpaired_ones():
    rng = np.random.default_rng(6)
    cover, rounds, widths = 0, 1000, []
    for _ in range(rounds):
        counts = rng.multinomial(300, [0.88, 0.04, 0.02, 0.06])
        _, (low, high) = paired_difference(*table(*counts))
        cover += low <= -0.02 <= high
        widths.append(high - low)
    assert 0.93 * rounds < cover < 0.98 * rounds
    low, high = wilson(0.92, 300)
    assert np.mean(widths) < high - low


@pytest.mark.parametrize(("trials", "bound"), [(300, 0.01), (3000, 0.001), (10_000, 0.0003)])
def test_no_mismatch_bounds_their_share(trials, bound):
    assert mismatch_bound(0, trials) == pytest.approx(1 - 0.05 ** (1 / trials), rel=1e-6)
    assert mismatch_bound(0, trials) == pytest.approx(bound, rel=0.01)
    assert mismatch_bound(1, trials) > 1.5 * bound


def test_holm_of_an_example():
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(adjusted) == ["a", "b", "c", "d"]
    np.testing.assert_allclose(list(adjusted.values()), [0.03, 0.06, 0.06, 0.02])


def closed(p_values, name):
    """Return Holm's p-value by its definition: the worst Bonferroni of all sets with the name."""
    others = [p for other, p in p_values.items() if other != name]
    sets = [s for k in range(len(others) + 1) for s in itertools.combinations(others, k)]
    return max(min(1, (len(s) + 1) * min([*s, p_values[name]])) for s in sets)


def test_holm_is_the_closed_test():
    rng = np.random.default_rng(7)
    for _ in range(30):
        p_values = {str(i): float(p) for i, p in enumerate(rng.random(6) ** 3)}
        expected = {name: closed(p_values, name) for name in p_values}
        assert holm(p_values) == pytest.approx(expected)


def test_holm_keeps_the_rate_of_wrong_studies():
    p_values = np.random.default_rng(8).random((2000, 10))
    wrong = sum(min(holm(dict(enumerate(row))).values()) < 0.05 for row in p_values)
    assert 0.03 < wrong / 2000 < 0.065
    assert np.mean(p_values.min(1) < 0.05) > 0.3
