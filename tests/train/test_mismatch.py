"""A drawn device differs from its network by the noise that was asked for, and by no more."""

import numpy as np
import pytest

from ranvier.train.config import NetworkConfig
from ranvier.train.mismatch import mismatched
from ranvier.train.network import Network
from ranvier.train.settings import TrainConfig
from ranvier.train.trainer import train
from ranvier.train.yinyang import yinyang

from .nets import random_net


def noisy(**noise):
    return TrainConfig(epochs=1, **noise)


def draw(network, seed=1, **noise):
    return mismatched(network, noisy(**noise), np.random.default_rng(seed))


def test_without_noise_it_is_the_network_itself():
    network = random_net(1)
    assert draw(network) is network


@pytest.mark.parametrize(("kind", "noise"), [
    ("theta0", "theta_noise"), ("weights", "weight_noise"), ("delays", "delay_noise"),
    ("tau", "tau_noise"),
])  # fmt: skip
def test_only_the_kind_that_is_asked_for_moves(kind, noise):
    network = random_net(1)
    first = {name: array.copy() for name, array in network.arrays().items()}
    device = draw(network, **{noise: 0.2})
    for name, array in device.arrays().items():
        assert np.array_equal(array, first[name]) == (not name.startswith(kind + "/")), name
        np.testing.assert_array_equal(network.arrays()[name], first[name])
    device.check()


def test_noise_has_the_size_that_is_asked_for():
    network = random_net(1, hidden=(100, 100), delay_min=0.5, delay_max=100.0)
    for parts in network.delays.values():
        parts[0][:] = 50.0
    device = draw(network, theta_noise=0.1, weight_noise=0.05, delay_noise=2.0)
    pair = ("hidden0", "hidden1")
    ratio = device.weights[pair] / network.weights[pair] - 1
    shift = device.delays[pair][0] - 50.0
    theta = device.theta0["hidden0"] / network.theta0["hidden0"] - 1
    # 10 000 numbers give their deviation to 0.7 %, 100 to 7 %.
    assert ratio.std() == pytest.approx(0.05, rel=0.04)
    assert shift.std() == pytest.approx(2.0, rel=0.04)
    assert theta.std() == pytest.approx(0.1, rel=0.3)
    assert abs(np.corrcoef(ratio.ravel(), shift.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("taus", ["shared", "population"])
def test_time_constants_move_together_where_they_are_shared(taus):
    network = random_net(1, hidden=(3,) * 20, taus=taus)
    first = np.array(list(network.tau.values()))
    ratios = np.array(list(draw(network, tau_noise=0.05).tau.values())) / first
    assert len(np.unique(ratios[:, 0])) == (1 if taus == "shared" else 21)
    assert len(np.unique(ratios[0])) == 3
    drawn = [
        next(iter(draw(network, seed, tau_noise=0.05).tau.values())) / first[0]
        for seed in range(200)
    ]
    # 200 numbers give their deviation to 5 %.
    np.testing.assert_allclose(np.std(drawn, axis=0), 0.05, rtol=0.2)


def test_parameters_stay_within_their_bounds():
    network = random_net(1, delays="axonal+dendritic")
    device = draw(network, theta_noise=5.0, weight_noise=5.0, delay_noise=50.0, tau_noise=5.0)
    device.check()
    delays = np.concatenate([part.ravel() for parts in device.delays.values() for part in parts])
    assert {delays.min(), delays.max()} == set(Network.bounds(network.config)["delays"])


def test_what_is_drawn_later_does_not_depend_on_theta_noise():
    network, later = random_net(1), []
    for noise in (0.0, 0.1):
        rng = np.random.default_rng(3)
        mismatched(network, noisy(theta_noise=noise), rng)
        later.append(rng.random())
    assert later[0] == later[1]


def test_training_meets_another_device_in_each_batch(monkeypatch):
    config = NetworkConfig(
        inputs=5, hidden=(6,), outputs=3, readout="first-spike", delay_min=0.1, delay_max=10.0,
        duration=60.0,
    )  # fmt: skip
    data = yinyang({"train": 60}, 0.0, 30.0)
    devices = []

    def keep(network, settings, rng):
        devices.append(mismatched(network, settings, rng))
        return devices[-1]

    monkeypatch.setattr("ranvier.train.trainer.mismatched", keep)
    settings = TrainConfig(epochs=1, batch=20, weight_rate=0.0, delay_rate=0.0, weight_noise=0.1)
    network, _ = train(config, settings, data, 3, progress=False, threads=1)
    pair = ("input", "hidden0")
    ratios = [device.weights[pair] / network.weights[pair] for device in devices]
    assert len(ratios) == 3
    assert np.std(ratios, axis=0).min() > 0.001
