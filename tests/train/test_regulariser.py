"""The pull on spike counts points the right way, and wakes what's silent."""

import numpy as np
import pytest

from ranvier.train.engine import Engine
from ranvier.train.regulariser import add_rate_pull, excess, margin_penalty, wake

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
    totals = {name: spikes.sum(axis=0) for name, spikes in counts.items()}
    fired = counts["output"] > 0
    penalty = add_rate_pull(gradients, network.config, totals, fired, data.labels, **fields)
    return gradients, counts, penalty


def test_range_met_means_no_pull():
    network, data = random_net(1), random_data(2)
    gradients, _, penalty = pull(network, data, low=0.0, high=1e9, strength=1.0)
    assert penalty == 0
    assert not any(array.any() for array in gradients.values())


def test_busy_neurons_are_held_back_and_quiet_ones_pushed():
    network, data = random_net(1), random_data(2)
    network.theta0["hidden0"][0] = 1e3
    gradients, counts, penalty = pull(network, data, low=2.0, high=5.0, strength=0.5)
    rate = counts["hidden0"].mean(axis=0)
    squares = [excess(counts[f"hidden{k}"].mean(axis=0), 2.0, 5.0) ** 2 for k in (0, 1)]
    assert penalty == pytest.approx(0.25 * np.concatenate(squares).sum())
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
    gradients, _, penalty = pull(network, data, low=0.0, high=1e9, strength=1.0)
    share = np.bincount(data.labels, minlength=3) / 3
    assert penalty == pytest.approx(0.5 * (share**2).sum())
    np.testing.assert_allclose(gradients["theta0/output"], share)
    assert (gradients["weights/hidden1/output"].sum(axis=0) <= 0).all()


def test_descending_the_pull_wakes_a_silent_network():
    network, data = random_net(1, hidden=(6,)), random_data(2)
    network.weights["input", "hidden0"][:] = 0.0
    for _ in range(60):
        gradients, counts, _ = pull(network, data, low=2.0, high=8.0, strength=0.05)
        network.weights["input", "hidden0"] -= gradients["weights/input/hidden0"]
        network.theta0["hidden0"] -= gradients["theta0/hidden0"]
    rate = counts["hidden0"].mean(axis=0)
    assert (rate > 1.5).all()
    assert (rate < 8.5).all()


def test_a_skipped_layer_pulls_a_threshold_only_once():
    pairs = (("input", "hidden0"), ("input", "hidden1"), ("hidden0", "hidden1"),
             ("hidden1", "output"))  # fmt: skip
    network, data = random_net(1, connections=pairs), random_data(2)
    network.theta0["hidden1"][:] = 1e3
    gradients, _, _ = pull(network, data, low=2.0, high=1e9, strength=1.0)
    np.testing.assert_array_equal(gradients["theta0/hidden1"], 2.0)
    assert (gradients["weights/input/hidden1"] <= 0).all()
    assert (gradients["weights/hidden0/hidden1"] <= 0).all()


PEAKS = np.array([[0.2, 0.9, 1.4], [-0.5, 1.2, 0.1]])
COUNTS = np.array([[0, 0, 0], [0, 1, 2]])
THETA0 = np.array([1.0, 1.0, 2.0])


def test_the_margin_penalty_is_on_silent_neurons_below_the_margin():
    value, pull = margin_penalty(PEAKS, COUNTS, THETA0, margin=0.8, strength=2.0)
    np.testing.assert_allclose(value, [0.6**2 + 0.2**2, 1.3**2])
    np.testing.assert_allclose(pull, [[-1.2, 0.0, -0.4], [-2.6, 0.0, 0.0]])


def test_the_margin_penaltys_gradients_are_its_differences():
    fields = {"margin": 0.8, "strength": 3.0}
    _, pull = margin_penalty(PEAKS, COUNTS, THETA0, **fields)
    for index in np.ndindex(PEAKS.shape):
        step = np.zeros(PEAKS.shape)
        step[index] = 1e-6
        sides = [margin_penalty(PEAKS + s * step, COUNTS, THETA0, **fields)[0].sum()
                 for s in (1, -1)]  # fmt: skip
        assert pull[index] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)
    for neuron, step in enumerate(1e-6 * np.eye(3)):
        sides = [margin_penalty(PEAKS, COUNTS, THETA0 + s * step, **fields)[0].sum()
                 for s in (1, -1)]  # fmt: skip
        by_theta = -0.8 * pull[:, neuron].sum()
        assert by_theta == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)


def test_waking_raises_all_weights_of_the_silent_but_those_of_a_self_loop():
    network = random_net(1, recurrent=True)
    before = {pair: array.copy() for pair, array in network.weights.items()}
    totals = {"hidden0": np.ones(6, int), "hidden1": np.array([3, 0, 1, 0, 2])}
    assert wake(network, totals, 0.25) == 2
    change = {pair: array - before[pair] for pair, array in network.weights.items()}
    wanted = np.zeros((6, 5))
    wanted[:, [1, 3]] = 0.25
    np.testing.assert_allclose(change.pop(("hidden0", "hidden1")), wanted)
    assert not any(array.any() for array in change.values())
