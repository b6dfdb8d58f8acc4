"""Rows on exactness: gradients against a complex step, and the grid against continuous time."""

import numpy as np
from complexstep import Simulator, derivatives
from registry import ENGINE, row
from rows.accuracy import example, run_seeds, trained

from ranvier.train.config import NetworkConfig
from ranvier.train.engine import Engine, Inputs
from ranvier.train.grid import TickEngine
from ranvier.train.losses import cross_entropy
from ranvier.train.network import Network
from ranvier.train.settings import TrainConfig
from ranvier.train.yinyang import yinyang

HERE = ("bench/complexstep.py", "bench/rows/exactness.py", "bench/ours.py")
SMALLEST = 1e-6
"""Derivatives are compared relative to themselves, but to no less than this part of the largest of
their array: one that is 0 can't have a relative error."""


def small_network(seed, hidden=(6, 5), events=30):
    """Return a recurrent network whose neurons fire several times, and its input's events."""
    config = NetworkConfig(
        inputs=5, hidden=hidden, outputs=3, readout="spike-count", tau_a=60.0, duration=80.0,
        delay_min=0.5, delay_max=15.0,
        connections=(
            ("input", "hidden0"), ("hidden0", "hidden1"), ("hidden1", "hidden1"),
            ("hidden1", "output"),
        ),
    )  # fmt: skip
    drawn = TrainConfig(
        epochs=1, hidden_mean=1.5, hidden_sd=1.5, output_mean=1.2, output_sd=1.0, beta=0.3,
        recurrent_sd=0.8, hidden_delay=10.0, output_delay=10.0, recurrent_delay=10.0,
    )  # fmt: skip
    network = Network.random(config, drawn, seed)
    rng = np.random.default_rng([seed, 2])
    return network, np.sort(rng.uniform(0, 50, events)), rng.integers(0, 5, events)


def gradient_error(seed, **size):
    """Return the largest relative error of each kind of parameter, and the network's spikes."""
    network, times, channels = small_network(seed, **size)
    config = network.config
    engine = Engine(config, 1)
    zeros = np.zeros(len(times), np.int64)
    inputs = Inputs.arrange(times, channels, zeros, 1, config.inputs)
    net = engine.pack(network)
    result = engine.forward(net, inputs, np.zeros(1, np.int64), complete=True)
    how = {"readout": config.readout, "scale": 1.0, "duration": config.duration}
    labels = np.zeros(1, np.int64)
    _, pull = cross_entropy(result.score, labels, **how)
    exact, _ = engine.backward(net, result, pull, tau=True)
    simulator = Simulator(config)

    def score(arrays):
        spikes = simulator.spikes(arrays, times, channels)
        return np.array([sum(1 - t / config.duration for t in own) for own in spikes])

    def loss(arrays):
        found = score(arrays)
        return np.log(np.exp(found).sum()) - found[0]

    if not np.allclose(score(network.arrays()).real, result.score[0], rtol=1e-9, atol=1e-9):
        raise RuntimeError(f"Scores of network {seed} must agree before their gradients can")
    errors = {}
    for name, wanted in derivatives(loss, network.arrays()).items():
        size = np.maximum(np.abs(wanted), SMALLEST * np.abs(wanted).max())
        error = np.divide(np.abs(exact[name] - wanted), size, where=size > 0, out=0 * wanted)
        kind = name.split("/")[0]
        errors[kind] = max(errors.get(kind, 0.0), float(error.max(initial=0.0)))
    return errors, int(result.counts[:, config.inputs :].sum())


@row(
    "gradient", "Largest relative error against the complex step: recurrent, several spikes, "
    "all parameters", "", (*ENGINE, *HERE),
)  # fmt: skip
def gradient(context):
    """Weights, delays, thresholds, adaptation and time constants of three networks."""
    found = {seed: gradient_error(seed) for seed in range(1 if context.quick else 3)}
    worst = {}
    for errors, _ in found.values():
        for kind, error in errors.items():
            worst[kind] = max(worst.get(kind, 0.0), error)
    spikes = [count for _, count in found.values()]
    return max(worst.values()), {"largest by kind": worst, "spikes": spikes}


# --------------------------------------------------------------------------------- parity

TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def parity_of(network, data, ticks):
    """Return the cosine of grid and exact gradients, and both accuracies, by tick."""
    config, labels = network.config, data.labels
    inputs, rows = Inputs.of(data), np.arange(len(labels))

    def run(engine):
        net = engine.pack(network)
        result = engine.forward(net, inputs, rows)
        _, pull = cross_entropy(
            result.score, labels, readout=config.readout, scale=1.0, duration=config.duration
        )
        found, _ = engine.backward(net, result, pull, spike_cap=10.0)
        kept = [v.ravel() for k, v in sorted(found.items()) if not k.startswith("tau")]
        return np.concatenate(kept), float((engine.decide(result) == labels).mean())

    exact, accuracy = run(Engine(config, 1))
    curve = []
    for tick in ticks:
        found, right = run(TickEngine(config, tick, 1))
        cosine = float(found @ exact / np.sqrt((found @ found) * (exact @ exact)))
        curve.append({"tick": tick, "cosine": cosine, "accuracy": 100 * right})
    return {"exact accuracy": 100 * accuracy, "curve": curve}


@row(
    "parity", "Yin-Yang 5-30-3: cosine of grid and exact gradients at ticks of 0.01 / 0.1 / 1 ms, "
    "5 seeds, mean", "", (*ENGINE, *HERE, "examples/yinyang.toml"),
)  # fmt: skip
def parity(context):
    """The whole curve, and accuracies, in the detail. The networks are those of `yinyang30`."""
    run_seeds(context, "yinyang30", example("yinyang"))
    data = yinyang({"test": 100 if context.quick else 1000}, 0.0, 30.0)["test"]
    ticks = (0.1, 1.0) if context.quick else TICKS
    found = [parity_of(network, data, ticks) for network in trained(context, "yinyang30")]
    curve = [
        {
            "tick": tick,
            **{
                key: float(np.mean([part["curve"][k][key] for part in found]))
                for key in ("cosine", "accuracy")
            },
        }
        for k, tick in enumerate(ticks)
    ]
    exact = float(np.mean([part["exact accuracy"] for part in found]))
    values = [point["cosine"] for point in curve if point["tick"] in (0.01, 0.1, 1.0)]
    return values, {"exact accuracy": exact, "mean curve": curve, "by seed": found}
