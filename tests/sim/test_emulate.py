import numpy as np

from ranvier.sim.steps.emulate import predict

from ..designs import random_config, random_events, random_parameters


def drawn(**fixed):
    rng = np.random.default_rng(3)
    config = random_config(rng, **fixed)
    return random_parameters(rng, config), [random_events(rng, config) for _ in range(3)]


def test_costs_are_means_and_the_estimate_names_its_table():
    each, costs = predict(*drawn())
    assert costs["predicted"] == 3
    assert costs["cycles"] == {"mean": each["cycles"].mean(), "largest": each["cycles"].max()}
    assert costs["latency"]["largest"] == each["latency"].max()
    assert costs["traffic"]["ring.sums"]["reads"] > 0
    assert costs["energy_estimate"]["memories_pj"] > costs["energy_estimate"]["arithmetic_pj"] > 0
    assert "45 nm" in costs["energy_estimate"]["table"]


def test_cursors_are_predicted_too():
    parameters, samples = drawn(buffer="cursor", cursors=64)
    each, costs = predict(parameters, samples)
    assert costs["predicted"] == 3
    assert each["cycles"].min() > 0
    assert costs["traffic"]["fetch.wheel.pool"]["writes"] > 0
