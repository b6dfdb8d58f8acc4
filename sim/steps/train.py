"""The step ``train``: events to a float network."""

import logging

import numpy as np

from ...model.files import write_atomically
from ...train.schedule import kept_epoch
from ...train.trainer import train as train_network
from ..curves import curves_csv, curves_png
from ..tables import table_files, write_table

__all__ = ["accuracy", "train", "write_history"]


logger = logging.getLogger(__name__)


def accuracy(decisions, labels):
    """Return the fraction of decisions that are right."""
    return float(np.mean(np.asarray(decisions) == labels))


def train(run):
    """Train the network, from its checkpoint where an earlier try has left one.

    Writes ``network.safetensors``, ``training.json``, ``curves.csv`` and ``curves.png``;
    ``checkpoint.safetensors`` is there meanwhile.
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
    tick = run.experiment.train.tick
    found = {
        name: accuracy(network.predict(part, tick), part.labels) for name, part in data.items()
    }  # fmt: skip
    epoch = kept_epoch(history, run.experiment.train.patience)
    return ["network.safetensors", *write_history(run, "", history, epoch, found)]


def write_history(run, folder, history, epoch, found):
    """Write what became of a training, and remove its checkpoint. Returns the names of the files.

    Parameters
    ----------
    run : RunFolder
    folder : str
        Within the run, with a ``/`` at its end; or nothing.
    history : list of dict
    epoch : int
        That was kept.
    found : dict of str to float
        Accuracy on each dataset.
    """
    sizes = {name: len(part) for name, part in run.data.items()}
    run.write_json(f"{folder}training.json", {
        "history": history, "epoch": epoch, "accuracy": found, "samples": sizes})
    write_table(run.path / f"{folder}curves.csv", curves_csv(history))
    write_atomically(run.path / f"{folder}curves.png", curves_png(history, epoch))
    (run.path / f"{folder}checkpoint.safetensors").unlink(missing_ok=True)
    names = ("training.json", *table_files("curves.csv"), "curves.png")
    return [f"{folder}{name}" for name in names]
