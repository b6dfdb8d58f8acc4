"""Losses are what they say, and their gradients are their differences."""

import numpy as np
import pytest

from ranvier.train.losses import both, check_loss, cross_entropy, distance

LABELS = np.array([2, 0, 1, 1])


def scores(readout):
    rng = np.random.default_rng(0)
    return rng.uniform(0, 50, (4, 3)) if readout == "first-spike" else rng.normal(0, 1, (4, 3))


def differences(loss, score, pull):
    """Compare each derivative with the central difference."""
    for index in np.ndindex(score.shape):
        sides = []
        for step in (1e-6, -1e-6):
            moved = score.copy()
            moved[index] += step
            sides.append(loss(moved).sum())
        assert pull[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky", "max"])
def test_gradient_is_the_difference(readout):
    fields = {"readout": readout, "scale": 3.0, "duration": 60.0}
    score = scores(readout)
    _, pull = cross_entropy(score, LABELS, **fields)
    differences(lambda moved: cross_entropy(moved, LABELS, **fields)[0], score, pull)


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


def test_the_distance_is_the_papers():
    score = np.array([[10.0, 13.0, 14.0], [30.0, 8.0, 9.0]])
    loss, pull = distance(score, np.array([0, 1]), gap=2.0, duration=60.0)
    np.testing.assert_array_equal(loss, [(1 + 4) / 2, (400 + 1) / 2])
    np.testing.assert_array_equal(pull, [[-3.0, 1.0, 2.0], [20.0, -19.0, -1.0]])


def test_the_gradient_of_the_distance_is_the_difference():
    score = scores("first-spike")
    fields = {"gap": 2.5, "duration": 60.0}
    _, pull = distance(score, LABELS, **fields)
    differences(lambda moved: distance(moved, LABELS, **fields)[0], score, pull)


def test_the_distance_ignores_a_common_shift():
    score = scores("first-spike")
    one, other = (
        distance(score + shift, LABELS, gap=2.0, duration=80.0)[0] for shift in (0.0, 7.0)
    )
    np.testing.assert_allclose(one, other)


def test_a_silent_output_has_no_gradient_in_the_distance():
    fields = {"labels": np.array([1]), "gap": 2.0, "duration": 60.0}
    for silent in range(3):
        score, filled = np.array([[20.0, 25.0, 30.0]]), np.array([[20.0, 25.0, 30.0]])
        score[0, silent], filled[0, silent] = np.inf, 60.0
        loss, pull = distance(score, **fields)
        wanted, other = distance(filled, **fields)
        assert loss == wanted
        assert pull[0, silent] == 0.0
        kept = np.arange(3) != silent
        np.testing.assert_array_equal(pull[0, kept], other[0, kept])


def test_both_are_the_sum():
    score = scores("first-spike")
    score[1, 2] = np.inf
    loss, pull = both(score, LABELS, scale=3.0, gap=2.5, strength=0.1, duration=60.0)
    parts = [
        cross_entropy(score, LABELS, readout="first-spike", scale=3.0, duration=60.0),
        distance(score, LABELS, gap=2.5, duration=60.0),
    ]
    np.testing.assert_array_equal(loss, parts[0][0] + 0.1 * parts[1][0])
    np.testing.assert_array_equal(pull, parts[0][1] + 0.1 * parts[1][1])


@pytest.mark.parametrize(("loss", "readout", "message"), [
    ("hinge", "leaky", "loss must be one of cross-entropy, distance, cross-entropy.distance, "
     "not 'hinge'"),
    ("distance", "max", "Readout for the loss distance must be one of first-spike, not 'max'"),
    ("cross-entropy+distance", "leaky", "Readout for the loss cross-entropy.distance must be one "
     "of first-spike, not 'leaky'"),
    ("cross-entropy", "median", "Readout for the loss cross-entropy must be one of first-spike, "
     "spike-count, leaky, max, not 'median'"),
])
def test_unknown_pairs_are_refused(loss, readout, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_loss(loss, readout)
    check_loss("distance", "first-spike")
