"""The step ``finetune``: trains the network on with the integers of the design in the loop."""

import logging

from ...train.accuracy import fixed_accuracy
from ...train.finetune import finetune as finetune_network
from ...train.network import Network
from ...train.schedule import kept_epoch
from .train import write_history

__all__ = ["finetune"]

FOLDER = "finetune/"

logger = logging.getLogger(__name__)


def finetune(run):
    """Fine-tune the trained network, from its checkpoint where an earlier try has left one.

    Writes ``network.safetensors``, ``scales.json``, ``training.json``, ``curves.csv`` and
    ``curves.png`` in the folder ``finetune``. The accuracies are the integer model's.

    Raises
    ------
    ValueError
        If the experiment has no table ``[finetune]``.
    """
    data, design = run.data, run.experiment.design
    settings = run.experiment.finetune_settings("validation" in data)
    if settings is None:
        raise ValueError("Experiment must have a table [finetune] for this step, and has none")
    network, history, scales = finetune_network(
        Network.load(run.need("network.safetensors")), design, settings, data,
        run.experiment.seed, run.path / FOLDER, progress=logger.isEnabledFor(logging.INFO),
    )  # fmt: skip
    network.save(run.path / f"{FOLDER}network.safetensors", **run.stamp())
    run.write_json(f"{FOLDER}scales.json", {"scales": scales})
    found = {name: fixed_accuracy(network, design, part, scales) for name, part in data.items()}
    epoch = kept_epoch(history, settings.patience)
    return [f"{FOLDER}network.safetensors", f"{FOLDER}scales.json",
            *write_history(run, FOLDER, history, epoch, found)]
