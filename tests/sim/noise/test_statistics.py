import numpy as np
import pytest
from scipy.stats import binomtest

from ranvier.sim.noise.statistics import effective_size, mcnemar, wilson


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
