"""Words that training moves, by the recursions of docs/gradients.md, against dense stepping."""

import numpy as np
from ours import Trainer as ShdTrainer
from ours import shd_config
from registry import ENGINE, row
from tasks import Shd

from ranvier.train.engine import Engine, Inputs
from ranvier.train.yinyang import yinyang

from .accuracy import example, run_seeds, trained

TICKS = (1.0, 0.1)


def words(config, counts):
    """Return the words read and written for a sample, event by event and densely by tick.

    ``counts`` : mean spikes of a sample by population, ``"input"`` included.

    Event by event. An arrival reads and writes P and Q, and reads two adjoints on the way back,
    where it adds to a weight's and a delay's gradient. A spike reads and writes P, Q and A, their
    adjoints, and the gradients of theta0 and beta; its tape is three words. Densely every neuron
    does in every tick what it does at a spike, and every synapse's gradients are added to.
    """
    arrivals = sum(counts[pre] * config.size(post) for pre, post in config.connections)
    spikes = sum(counts[name] for name in config.spiking)
    event = {
        "state": 6 * arrivals + 12 * spikes,
        "tape": 6 * spikes,
        "gradients": 4 * arrivals + 4 * spikes,
        "parameters": 4 * arrivals + 4 * spikes,
    }
    neurons = sum(config.populations.values())
    synapses = sum(config.size(pre) * config.size(post) for pre, post in config.connections)
    found = {"spikes": spikes, "arrivals": arrivals, "event by event": event}
    for tick in TICKS:
        steps = config.duration / tick
        dense = {
            "state": 12 * steps * neurons,
            "tape": 6 * steps * neurons,
            "gradients": 4 * steps * synapses,
        }
        own = {key: event[key] for key in dense}
        sparing = dense | {"gradients": event["gradients"]}
        found[f"dense, {tick} ms"] = dense | {
            "ratio": sum(dense.values()) / sum(own.values()),
            "ratio if gradients are only touched at spikes": sum(sparing.values())
            / sum(own.values()),
            "ratio of the tape": dense["tape"] / event["tape"],
        }
    return found


def mean_counts(engine, result):
    """Return the mean spikes of a sample by population."""
    counts = engine.counts(result)
    return {name: float(spikes.sum(axis=1).mean()) for name, spikes in counts.items()}


@row(
    "traffic", "Words for state, tape and gradients, Yin-Yang 5-30-3: dense time stepping at "
    "1 ms / 0.1 ms over ours", "x", (*ENGINE, "bench/rows/traffic.py", "examples/yinyang.toml"),
)  # fmt: skip
def traffic(context):
    """On the first network of `yinyang30`; SHD's shape in the detail."""
    run_seeds(context, "yinyang30", example("yinyang"))
    network = trained(context, "yinyang30")[0]
    data = yinyang({"test": 1000}, 0.0, 30.0)["test"]
    engine = Engine(network.config, 1)
    rows = np.arange(len(data.labels))
    result = engine.forward(engine.pack(network), Inputs.of(data), rows, complete=True)
    found = words(network.config, mean_counts(engine, result))
    task = Shd(samples=2, **({"events": 200, "hidden": 8} if context.quick else {}))
    large = ShdTrainer(Engine(shd_config(task), 1), task)
    counts = mean_counts(Engine(shd_config(task), 1), large.forward()[1])
    values = [found[f"dense, {tick} ms"]["ratio"] for tick in TICKS]
    return values, {"yinyang": found, "shd": words(shd_config(task), counts)}
