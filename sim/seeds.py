"""Trains one experiment with several seeds, to tell luck from merit."""

import json
import logging
from pathlib import Path

import numpy as np

from ..model.files import write_atomically
from .experiment import load_experiment
from .folder import RunFolder, versions
from .pipeline import run_all
from .workers import in_order, open_pool

__all__ = ["train_seeds"]

logger = logging.getLogger(__name__)


def _figures(values):
    """Return mean and spread of some accuracies; the spread of one value is 0."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "sd": spread,
            "least": min(values), "largest": max(values)}


def _train(source, path, seed):
    """Train and quantise with one seed. Returns its row of ``seeds.json``."""
    run = RunFolder.create(source, path / f"seed-{seed}", seed=seed)
    run_all(run, ("train", "finetune", "quantise"))
    found = run.read_json("quantise.json")
    return {"seed": seed, "experiment": run.sha256, "float": found["accuracy"]["float"],
            "fixed": found["accuracy"]["traces"], "samples": found["samples"]}


def train_seeds(source, path, *, count, first=None, workers=None, dask=None):
    """Train and quantise an experiment with ``count`` seeds in a row.

    Each has the folder ``seed-N`` in ``path``, with the files of these two steps. Seeds that are
    done are passed over. The result is the same to the bit wherever the seeds run. Writes
    ``seeds.json``.

    Parameters
    ----------
    source, path : Path
        The TOML file and the folder.
    count : int
        Number of seeds, at least 1.
    first : int, optional
        The first seed; the experiment's own by default.
    workers, dask : int and str, optional
        Where they run: see `open_pool`.

    Returns
    -------
    dict
        The content of ``seeds.json``.

    Raises
    ------
    ValueError
        If the experiment or its data can't be used.
    RuntimeError
        If a cluster was asked for, and can't be reached.
    """
    if count < 1:
        raise ValueError(f"Number of seeds must be at least 1, not {count}")
    first = load_experiment(source).seed if first is None else first
    source, path = Path(source).absolute(), Path(path).absolute()
    tasks = [(source, path, seed) for seed in range(first, first + count)]
    rows = []
    with open_pool(workers, dask) as pool:
        for row in in_order(pool, _train, tasks):
            logger.info("seed %d: float %.2f %%, fixed %.2f %%",
                        row["seed"], 100 * row["float"], 100 * row["fixed"])
            rows.append(row)
    result = {"seeds": rows, "versions": versions(),
              **{name: _figures([row[name] for row in rows]) for name in ("float", "fixed")}}
    write_atomically(path / "seeds.json", (json.dumps(result, indent=1) + "\n").encode())
    return result
