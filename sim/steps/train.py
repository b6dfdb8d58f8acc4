"""The step ``train``: events to a float network."""

import logging

import numpy as np

from ...train.trainer import train as train_network

__all__ = ["accuracy", "train"]


logger = logging.getLogger(__name__)


def accuracy(decisions, labels):
    """Return the fraction of decisions that are right."""
    return float(np.mean(np.asarray(decisions) == labels))


def train(run):
    """Train the network, from its checkpoint where an earlier try has left one.

    Writes ``network.safetensors`` and ``training.json``; ``checkpoint.safetensors`` is there
    meanwhile.
    """
    data = run.data
    network, history = train_network(
        run.network_config,
        run.experiment.train,
        data,
        seed=run.experiment.seed,
        folder=run.path,
        resume=True,
        progress=logger.isEnabledFor(logging.INFO),
    )
    network.save(run.path / "network.safetensors", **run.stamp())
    found = {name: accuracy(network.predict(part), part.labels) for name, part in data.items()}
    sizes = {name: len(part) for name, part in data.items()}
    run.write_json("training.json", {"history": history, "accuracy": found, "samples": sizes})
    (run.path / "checkpoint.safetensors").unlink(missing_ok=True)
    return ["network.safetensors", "training.json"]
