"""Sequence detection: the data, and that delays alone learn it."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ranvier.sim.experiment import load_experiment
from ranvier.train.datasets import load_dataset
from ranvier.train.sequence import sequences
from ranvier.train.trainer import train

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_two_inputs_without_noise_are_the_published_samples():
    part = sequences({"train": 2}, 2, 10.0, 0.0)["train"]
    for label, channels in enumerate(([0, 1], [1, 0])):
        times, got = part.sample(label)
        np.testing.assert_array_equal(times, [0, 10_000])
        np.testing.assert_array_equal(got, channels)
    np.testing.assert_array_equal(part.labels, [0, 1])
    assert (part.n_channels, part.n_classes) == (2, 2)


def test_class_is_the_order_of_all_inputs():
    part = sequences({"train": 60}, 3, 10.0, 0.5)["train"]
    orders = list(permutations(range(3)))
    assert np.bincount(part.labels).tolist() == [10] * 6
    for i, label in enumerate(part.labels):
        times, channels = part.sample(i)
        assert tuple(channels) == orders[label]
        assert (np.diff(times) > 0).all()


def test_spikes_are_noisy_around_their_places():
    part = sequences({"test": 6000}, 3, 8.0, 1.5)["test"]
    times = part.times.reshape(-1, 3) / 1000
    # Sorting moves these far less than the four standard errors of 1.5 ms that are allowed.
    np.testing.assert_allclose(times.mean(axis=0), [7.5, 15.5, 23.5], atol=4 * 1.5 / 6000**0.5)
    np.testing.assert_allclose(times.std(axis=0), 1.5, rtol=0.05)


def test_large_noise_swaps_spikes_and_keeps_the_label():
    part = sequences({"train": 200}, 2, 1.0, 50.0)["train"]
    first = part.channels[::2]
    assert 40 < (first != part.labels).sum() < 160
    assert part.times.min() >= 0


def test_sets_differ_and_smaller_ones_are_their_start():
    large = sequences({"train": 30, "test": 30}, 2, 10.0, 1.0)
    small = sequences({"train": 7}, 2, 10.0, 1.0)["train"]
    np.testing.assert_array_equal(small.times, large["train"].times[:14])
    np.testing.assert_array_equal(small.channels, large["train"].channels[:14])
    assert (large["train"].times != large["test"].times).any()


@pytest.mark.parametrize("name", ["sequence", "sequence_orders"])
def test_delays_alone_learn_every_sample(name):
    experiment = load_experiment(EXAMPLES / f"{name}.toml")
    settings = experiment.train
    assert (settings.weight_rate, settings.theta_rate, settings.output_sd) == (0, 0, 0)
    data = load_dataset(experiment.data)
    config = experiment.network_config(data["train"].n_channels, data["train"].n_classes)
    for seed in range(3):
        network, history = train(config, settings, data, seed, progress=False, threads=1)
        assert (network.predict(data["test"], threads=1) == data["test"].labels).all()
        assert history[-1]["accuracy"]["test"] == 1
        (weights,) = network.weights.values()
        assert (weights == settings.output_mean).all()


@pytest.mark.parametrize("mode", ["axonal", "axonal+dendritic"])
@pytest.mark.parametrize("name", ["sequence", "sequence_orders"])
def test_without_a_delay_for_each_synapse_order_is_invisible(name, mode):
    experiment = load_experiment(EXAMPLES / f"{name}.toml")
    data = load_dataset(experiment.data)
    shape = experiment.network_config(data["train"].n_channels, data["train"].n_classes)
    config = replace(shape, delays=mode)
    network, _ = train(config, experiment.train, data, 0, progress=False, threads=1)
    right = (network.predict(data["test"], threads=1) == data["test"].labels).mean()
    assert right == pytest.approx(1 / config.outputs, abs=0.005)


def test_delays_bring_the_spikes_of_an_order_together():
    experiment = load_experiment(EXAMPLES / "sequence_orders.toml")
    data = load_dataset(experiment.data)
    config = experiment.network_config(3, 6)
    network, _ = train(config, experiment.train, data, 0, progress=False, threads=1)
    delays = network.delay("input", "output")
    for label, order in enumerate(permutations(range(3))):
        arrival = np.arange(3) * 10.0 + delays[list(order), label]
        assert np.ptp(arrival) < 5.0  # 20 ms without delays
