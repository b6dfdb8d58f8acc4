"""The pull on spike counts points the right way, and wakes what's silent."""

import numpy as np
import pytest

from ranvier.train.engine import Engine
from ranvier.train.regulariser import add_rate_pull, excess

from .nets import forward, random_data, random_net


def test_excess_is_the_distance_from_the_range():
    np.testing.assert_array_equal(
        excess(np.array([0.0, 1.0, 2.5, 4.0, 7.0]), 1.0, 4.0), [-1.0, 0.0, 0.0, 0.0, 3.0]
    )


def pull(network, data, **fields):
    """Return the gradients of the penalty alone, and the counts."""
    engine = Engine(network.config, 1)
    counts = engine.counts(forward(engine, network, data)[1])
    gradients = {name: np.zeros_like(array) for name, array in network.arrays().items()}
    add_rate_pull(gradients, network.config, counts, data.labels, **fields)
    return gradients, counts


def test_range_met_means_no_pull():
    network, data = random_net(1), random_data(2)
    gradients, _ = pull(network, data, low=0.0, high=1e9, strength=1.0)
    assert not any(array.any() for array in gradients.values())


def test_busy_neurons_are_held_back_and_quiet_ones_pushed():
    network, data = random_net(1), random_data(2)
    network.theta0["hidden0"][0] = 1e3
    gradients, counts = pull(network, data, low=2.0, high=5.0, strength=0.5)
    rate = counts["hidden0"].mean(axis=0)
    assert rate[0] == 0
    assert (rate > 5).any()
    by_theta = gradients["theta0/hidden0"]
    assert (by_theta[rate < 2] > 0).all()
    assert (by_theta[rate > 5] < 0).all()
    assert by_theta[0] == pytest.approx(0.5 * 2.0)
    by_weight = gradients["weights/input/hidden0"]
    assert (by_weight[:, rate < 2] < 0).all()
    assert (by_weight[:, rate > 5] > 0).all()
    activity = counts["input"].mean(axis=0)
    np.testing.assert_allclose(by_weight[:, 0], -activity / activity.mean())
    assert not any(array.any() for name, array in gradients.items() if "output" in name)


def test_silent_right_outputs_are_pulled():
    network, data = random_net(1, readout="first-spike"), random_data(2)
    network.theta0["output"][:] = 1e3
    gradients, _ = pull(network, data, low=0.0, high=1e9, strength=1.0)
    share = np.bincount(data.labels, minlength=3) / 3
    np.testing.assert_allclose(gradients["theta0/output"], share)
    assert (gradients["weights/hidden1/output"].sum(axis=0) <= 0).all()


def test_descending_the_pull_wakes_a_silent_network():
    network, data = random_net(1, hidden=(6,)), random_data(2)
    network.weights["input", "hidden0"][:] = 0.0
    for _ in range(60):
        gradients, counts = pull(network, data, low=2.0, high=8.0, strength=0.05)
        network.weights["input", "hidden0"] -= gradients["weights/input/hidden0"]
        network.theta0["hidden0"] -= gradients["theta0/hidden0"]
    rate = counts["hidden0"].mean(axis=0)
    assert (rate > 1.5).all()
    assert (rate < 8.5).all()
