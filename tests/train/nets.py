"""Small random networks and stimuli that fire a lot."""

from itertools import pairwise

import numpy as np

from ranvier.train.config import NetworkConfig
from ranvier.train.engine import Inputs
from ranvier.train.network import Network
from ranvier.train.samples import Dataset
from ranvier.train.settings import TrainConfig

EXPONENTIAL = TrainConfig(
    epochs=1, hidden_mean=1.5, hidden_sd=1.5, output_mean=1.2, output_sd=1.0, recurrent_sd=0.8,
    hidden_delay=10.0, output_delay=10.0, recurrent_delay=10.0, beta=0.3,
)  # fmt: skip
JUMP = TrainConfig(
    epochs=1, hidden_mean=0.6, hidden_sd=0.5, output_mean=0.4, output_sd=0.5, recurrent_sd=0.3,
    hidden_delay=10.0, output_delay=10.0, recurrent_delay=10.0, beta=0.1,
)  # fmt: skip
MIXED = TrainConfig(
    epochs=1, hidden_mean=2.0, hidden_sd=3.0, output_mean=0.3, output_sd=4.0, recurrent_sd=0.4,
    hidden_delay=12.0, output_delay=6.0, recurrent_delay=9.0, beta=0.3,
)  # fmt: skip


# Skips a layer, feeds back, and feeds itself.
TANGLE = (
    ("input", "hidden0"), ("hidden1", "hidden0"), ("input", "hidden1"), ("hidden0", "hidden1"),
    ("hidden1", "hidden1"), ("input", "output"), ("hidden0", "output"),
)  # fmt: skip


def loop(*hidden):
    """Return the connections of a chain of populations, of which the last feeds itself."""
    names = [f"hidden{k}" for k in range(len(hidden))]
    chain = ["input", *names, "output"]
    return (*pairwise(chain), (names[-1], names[-1]))


def random_net(seed, recurrent=False, **changes):
    """Return a network of 5 inputs and 3 outputs. ``recurrent``: its last hidden feeds itself."""
    fields = {"inputs": 5, "hidden": (6, 5), "outputs": 3, "tau_a": 60.0, "duration": 80.0}
    fields |= {"delay_min": 0.5, "delay_max": 15.0, **changes}
    if recurrent:
        fields["connections"] = loop(*fields["hidden"])
    config = NetworkConfig(**fields)
    network = Network.random(config, JUMP if config.synapse == "jump" else EXPONENTIAL, seed)
    rng = np.random.default_rng([seed, 9])
    for name in config.spiking:
        network.theta0[name] *= rng.uniform(0.8, 1.2, network.theta0[name].shape)
    return network


def mixed_net(seed, **changes):
    """Return a network of 5 inputs and 3 outputs with as many negative weights as positive ones."""
    fields = {"inputs": 5, "hidden": (12, 7), "outputs": 3, "connections": loop(12, 7)}
    fields |= {"delay_min": 1.0, "delay_max": 12.0, "duration": 60.0, **changes}
    return Network.random(NetworkConfig(**fields), MIXED, seed)


def random_data(seed, samples=3, events=30, channels=5, classes=3):
    """Return a dataset of random events within 50 ms."""
    rng = np.random.default_rng([seed, 10])
    times = np.sort(rng.integers(0, 50_000, (samples, events)), axis=1)
    return Dataset(
        times=times.ravel(),
        channels=rng.integers(0, channels, samples * events).astype(np.int32),
        offsets=np.arange(0, samples * events + 1, events),
        labels=rng.integers(0, classes, samples),
        n_channels=channels,
        n_classes=classes,
    )


def forward(engine, network, data):
    """Run all samples of a dataset."""
    net = engine.pack(network)
    return net, engine.forward(net, Inputs.of(data), np.arange(len(data.labels)))
