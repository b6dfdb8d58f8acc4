"""The exponential without a branch is that of the library, over the whole range."""

import math

import numba as nb
import numpy as np

from ranvier.train.exact.exponential import exponential


@nb.njit
def of_all(values):
    out = np.empty_like(values)
    for k in range(len(values)):
        out[k] = exponential(values[k])
    return out


def test_exponential_is_the_librarys():
    """A series of 14 terms, four roundings of 1.1e-16 that matter: within 4e-16."""
    rng = np.random.default_rng(0)
    values = np.concatenate([
        rng.uniform(-708, 708, 100_000), rng.normal(0, 1, 100_000), rng.normal(0, 1e-6, 1000),
        [0.0, 708.0, -708.0, math.log(2), -math.log(2) / 2, math.log(2) / 2],
    ])  # fmt: skip
    wanted = np.array([math.exp(value) for value in values])
    assert (np.abs(of_all(values) / wanted - 1.0)).max() < 4.5e-16
    assert of_all(np.zeros(3)).tolist() == [1.0] * 3


def test_what_is_too_small_stays_next_to_nothing():
    assert (of_all(np.array([-709.0, -1e4, -1e300, -np.inf])) < 4e-308).all()
