"""Accuracy against the bits of weights and of delays, before and after fine-tuning."""

import hashlib
import json
import logging
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from ..model.files import write_atomically
from ..train.accuracy import fixed_accuracy
from ..train.finetune import finetune
from ..train.quantise import coarse_delays
from ..train.schedule import kept_epoch
from .noise.statistics import wilson
from .tables import table_text

__all__ = ["bits_csv", "run_bits"]

POINTS = "points"
COLUMNS = ("kind", "bits", "before", "before_low", "before_high", "after", "after_low",
           "after_high", "epoch")  # fmt: skip

logger = logging.getLogger(__name__)


def run_bits(network, design, data, widths, settings, seed, folder, *, progress=False,
             threads=None):  # fmt: skip
    """Measure a network on designs of fewer bits, and again after fine-tuning it for each.

    Points that an earlier call has left in ``folder`` are taken from there; a fine-tuning that was
    interrupted goes on after its last epoch.

    Parameters
    ----------
    network : Network
    design : DesignConfig
        Of which one width at a time is changed.
    data : dict of str to Dataset
        The accuracies are those on ``"test"``, by the integer model; fine-tuning doesn't see it.
    widths : BitsConfig
    settings : TrainConfig or None
        How the network is fine-tuned; None: not at all.
    seed : int
    folder : Path
        Gets the folder ``points``.
    progress : bool
        Whether fine-tuning shows a progress bar on stderr.
    threads : int or None
        Cores to use; None: all.

    Returns
    -------
    list of dict
        For each point ``kind`` ("weights" or "delays"), ``bits``, ``before`` and its 95 % interval
        ``before_low`` and ``before_high``; ``after``, ``after_low``, ``after_high`` and the
        ``epoch`` of fine-tuning that was kept, which are None without.
    """
    points = Path(folder) / POINTS
    points.mkdir(parents=True, exist_ok=True)
    study = _Study(network, data, settings, seed, points, progress, threads)
    rows = []
    for width in widths.weights:
        rows.append(study.row("weights", width, replace(design, weight_bits=width), None))
    for width in widths.delays:
        rows.append(study.row("delays", width, design, width))
    for path in set(points.iterdir()) - study.used:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return rows


class _Study:
    """One network, on one design after the other; ``used`` are the files that count."""

    def __init__(self, network, data, settings, seed, points, progress, threads):
        self._network, self._settings, self._seed = network, settings, seed
        self._test = data["test"]
        self._data = {name: part for name, part in data.items() if name != "test"}
        self._points, self._progress, self._threads = points, progress, threads
        digest = hashlib.sha256()
        for name, array in network.arrays().items():
            digest.update(name.encode() + array.tobytes())
        for name in sorted(data):
            for part in ("times", "channels", "offsets", "labels"):
                digest.update(np.ascontiguousarray(getattr(data[name], part)))
        self._digest = digest.hexdigest()
        self.used = set()

    def row(self, kind, bits, design, delay_bits):
        """Return a point, measured now or before."""
        values = {"design": asdict(design), "delay_bits": delay_bits, "seed": self._seed,
                  "settings": self._settings and self._settings.to_dict(), "rest": self._digest}
        name = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]
        path = self._points / f"{name}.json"
        self.used.add(path)
        if not path.is_file():
            row = self._measure(design, delay_bits, self._points / name)
            write_atomically(path, json.dumps({"kind": kind, "bits": bits, **row}).encode())
        row = json.loads(path.read_bytes())
        after = "" if row["after"] is None else f", {row['after']:.2%} after fine-tuning"
        logger.info("%s of %d bits: %.2f %%%s", kind, bits, 100 * row["before"], after)
        return row

    def _measure(self, design, delay_bits, folder):
        """Return the figures of a point; ``folder`` is fine-tuning's own meanwhile."""
        found = self._judge("before", self._network, design, delay_bits)
        if self._settings is None:
            return found | dict.fromkeys(("after", "after_low", "after_high", "epoch"))
        tuned, history, scales = finetune(
            self._network, design, self._settings, self._data, self._seed, folder,
            delay_bits=delay_bits, progress=self._progress, threads=self._threads,
        )  # fmt: skip
        found |= self._judge("after", tuned, design, delay_bits, scales)
        shutil.rmtree(folder)
        return found | {"epoch": kept_epoch(history, self._settings.patience)}

    def _judge(self, name, network, design, delay_bits, scales=None):
        """Return the accuracy and its interval."""
        if delay_bits is not None:
            network = coarse_delays(network, delay_bits)
        accuracy = fixed_accuracy(network, design, self._test, scales)
        low, high = wilson(accuracy, len(self._test))
        return {name: accuracy, f"{name}_low": float(low), f"{name}_high": float(high)}


def bits_csv(rows):
    """Return what `run_bits` gives as the text of a CSV file: a line for each point."""
    return table_text(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))
