"""Trains one experiment with several seeds, to tell luck from merit."""

import json
from pathlib import Path

import numpy as np

from ..model.files import write_atomically
from .experiment import load_experiment
from .folder import RunFolder, versions
from .pipeline import run_all

__all__ = ["train_seeds"]


def _figures(values):
    """Return mean and spread of some accuracies; the spread of one value is 0."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return {"mean": float(np.mean(values)), "sd": spread,
            "least": min(values), "largest": max(values)}


def train_seeds(source, path, *, count, first=None):
    """Train and quantise an experiment with ``count`` seeds in a row.

    Each has the folder ``seed-N`` in ``path``, with the files of these two steps. Seeds that are
    done are passed over. Writes ``seeds.json``.

    Parameters
    ----------
    source, path : Path
        The TOML file and the folder.
    count : int
        Number of seeds, at least 1.
    first : int, optional
        The first seed; the experiment's own by default.

    Returns
    -------
    dict
        The content of ``seeds.json``.

    Raises
    ------
    ValueError
        If the experiment or its data can't be used.
    """
    if count < 1:
        raise ValueError(f"Number of seeds must be at least 1, not {count}")
    path = Path(path)
    first = load_experiment(source).seed if first is None else first
    rows = []
    for seed in range(first, first + count):
        run = RunFolder.create(source, path / f"seed-{seed}", seed=seed)
        run_all(run, ("train", "quantise"))
        found = run.read_json("quantise.json")
        rows.append({"seed": seed, "experiment": run.sha256,
                     "float": found["accuracy"]["float"], "fixed": found["accuracy"]["traces"],
                     "samples": found["samples"]})
    result = {"seeds": rows, "versions": versions(),
              **{name: _figures([row[name] for row in rows]) for name in ("float", "fixed")}}
    write_atomically(path / "seeds.json", (json.dumps(result, indent=1) + "\n").encode())
    return result
