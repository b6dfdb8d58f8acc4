"""Losses are what they say, and their gradients are their differences."""

import numpy as np
import pytest

from ranvier.train.losses import cross_entropy

LABELS = np.array([2, 0, 1, 1])


def scores(readout):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 50, (4, 3)) if readout == "first-spike" else rng.normal(0, 1, (4, 3))


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky"])
def test_gradient_is_the_difference(readout):
    fields = {"readout": readout, "scale": 3.0, "duration": 60.0}
    score = scores(readout)
    _, pull = cross_entropy(score, LABELS, **fields)
    for index in np.ndindex(score.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = score.copy()
            moved[index] += step
            sides.append(cross_entropy(moved, LABELS, **fields)[0].sum())
        assert pull[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-9)


def test_first_spike_prefers_the_earliest():
    score = np.array([[10.0, 12.0, 14.0]])
    loss = [
        cross_entropy(score, np.array([k]), readout="first-spike", scale=2.0, duration=60.0)[0][0]
        for k in range(3)
    ]
    assert loss[1] - loss[0] == pytest.approx(1.0)
    assert loss[2] - loss[0] == pytest.approx(2.0)


def test_a_silent_output_counts_as_the_samples_end_and_has_no_gradient():
    fields = {"labels": np.array([1]), "readout": "first-spike", "scale": 5.0, "duration": 60.0}
    loss, pull = cross_entropy(np.array([[20.0, np.inf, 30.0]]), **fields)
    wanted, other = cross_entropy(np.array([[20.0, 60.0, 30.0]]), **fields)
    assert loss == wanted
    assert pull[0, 1] == 0.0
    np.testing.assert_array_equal(pull[0, [0, 2]], other[0, [0, 2]])


def test_all_silent_is_finite():
    fields = {"readout": "first-spike", "scale": 5.0, "duration": 60.0}
    loss, pull = cross_entropy(np.full((1, 3), np.inf), np.array([1]), **fields)
    assert loss[0] == pytest.approx(np.log(3))
    assert not pull.any()


def test_far_scores_do_not_overflow():
    score = np.array([[1e6, -1e6]])
    loss, pull = cross_entropy(score, np.array([1]), readout="leaky", scale=1.0, duration=1.0)
    assert loss[0] == pytest.approx(2e6)
    np.testing.assert_allclose(pull, [[1.0, -1.0]])
