import hashlib

import numpy as np
from scipy.stats import norm

from ranvier.sim.noise.normal import STEPS, largest, normal, steps


def test_the_table_is_the_same_everywhere():
    digest = hashlib.sha256(steps().astype("<i8").tobytes()).hexdigest()
    assert digest == "8b4c87d1dc4825e29d28946c588cb2ffd3faa144c0e4978dcac3764323cf8e15"


def test_the_table_is_the_normal_distribution():
    edges = (np.arange(2 * largest()) - largest() + 0.5) / STEPS
    # Scipy's own error is some 1e-16 of the tail or of 1, and the table rounds to nearest.
    assert np.abs(steps() - norm.cdf(edges) * 2**32).max() < 0.5 + 1e-5


def test_opposite_words_give_opposite_integers():
    words = np.random.default_rng(2).integers(0, 1 << 32, 10_000, np.uint32)
    np.testing.assert_array_equal(normal(words), -normal(0xFFFFFFFF - words))


def test_extreme_words_give_the_largest_integers():
    assert normal(np.array([0, 0xFFFFFFFF], np.uint32)).tolist() == [-largest(), largest()]
    assert 6 * STEPS < largest() < 6.5 * STEPS


def test_moments():
    z = normal(np.arange(2049, 1 << 32, 4099, dtype=np.uint32)) / STEPS  # the quantiles, evenly
    assert abs(z.mean()) < 1e-5
    assert abs(z.var() - (1 + 1 / 12 / STEPS**2)) < 1e-4
    assert abs((z**4).mean() - 3) < 1e-3
