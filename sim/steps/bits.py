"""The step ``bits``: how few bits of weights and delays do, before and after fine-tuning."""

import logging

from ...model.files import write_atomically
from ...train.network import Network
from ..bits import bits_csv, run_bits
from ..bitspicture import bits_png
from ..folder import file_hash
from ..settings import BitsConfig
from ..tables import table_files, write_table
from .train import accuracy

__all__ = ["bits"]

FOLDER = "bits"

logger = logging.getLogger(__name__)


def bits(run):
    """Measure the trained network with fewer bits; with ``[finetune]`` also fine-tuned for them.

    Writes ``bits.json``, ``bits.csv`` and ``bits.png`` in the folder ``bits``.
    """
    path = run.need("network.safetensors")
    network, data, experiment = Network.load(path), run.data, run.experiment
    rows = run_bits(
        network, experiment.design, data, experiment.bits or BitsConfig(),
        experiment.finetune_settings("validation" in data), experiment.seed, run.path / FOLDER,
        progress=logger.isEnabledFor(logging.INFO),
    )  # fmt: skip
    exact = accuracy(network.predict(data["test"]), data["test"].labels)
    run.write_json(f"{FOLDER}/bits.json", {
        "rows": rows, "float": exact, "samples": len(data["test"]), "network": file_hash(path)})
    write_table(run.path / FOLDER / "bits.csv", bits_csv(rows))
    write_atomically(run.path / FOLDER / "bits.png", bits_png(rows, exact))
    return [f"{FOLDER}/{name}" for name in ("bits.json", *table_files("bits.csv"), "bits.png")]
