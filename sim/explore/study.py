"""Measures every design of a design space, each once, on any number of workers."""

import hashlib
import json
import logging
import shutil
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ...hw.core import NeuronCore
from ...hw.synthesis.cells import count_cells
from ...hw.synthesis.predict import predict
from ...model.cycles import CycleModel
from ...model.emulator import Emulator
from ...model.files import write_atomically
from ...model.memory import bits, core_memories
from ...train.quantise import encode_dataset
from ..designs import Subject, changed, combinations
from ..folder import RunFolder
from ..noise.statistics import wilson
from ..tables import table_text
from ..workers import in_order, open_pool
from .front import mark_fronts

__all__ = ["CHOSEN", "explore_csv", "run_explore"]

POINTS = "points"
CHOSEN = ("weight_bits", "trace_bits", "tick", "banks", "buffer", "rows", "delays")
"""What is chosen at a point; the names are those of ``[design]``."""
GRAIN = ("weight_bits", "trace_bits", "tick")  # on these alone the accuracy depends
COLUMNS = ("number", *CHOSEN, "accuracy", "low", "high", "cycles", "memory_bits", "block_rams",
           "multipliers", "lut4", "flip_flops", "synthesised_lut4", "front", "own",
           "failed")  # fmt: skip

logger = logging.getLogger(__name__)


def run_explore(run, table, *, workers=None, dask=None):
    """Measure every point of an `ExploreConfig`.

    Points that an earlier call has left in the run's folder are taken from there, so that one that
    was interrupted goes on. The rows are the same for any number of workers.

    Parameters
    ----------
    run : RunFolder
        With a trained network.
    table : ExploreConfig
    workers, dask : int and str, optional
        Where points are measured: see `open_pool`.

    Returns
    -------
    list of dict
        A row for each point: docs/explore.md explains its keys.

    Raises
    ------
    RuntimeError
        If points are to be synthesised and Yosys is missing, or a cluster can't be reached.
    """
    study = _Study(run, table)
    values = list(combinations(run.experiment.design, table))
    with open_pool(workers, dask) as pool:
        grains = [{name: one[name] for name in GRAIN} for one in values]
        accuracies = study.each(pool, "accuracy", [*{_name(g): g for g in grains}.values()])
        costs = study.each(pool, "cost", values)
        rows = [_row(number, one, accuracies[_name(grain)], costs[_name(one)])
                for number, (one, grain) in enumerate(zip(values, grains, strict=True), 1)]
        for row in rows:
            row["own"] = all(row[name] == getattr(run.experiment.design, name) for name in CHOSEN)
        mark_fronts(rows)
        if table.synthesise:
            best = [one for one, row in zip(values, rows, strict=True) if "all" in row["front"]]
            cells = study.each(pool, "cells", best)
            for one, row in zip(values, rows, strict=True):
                row["synthesised"] = cells.get(_name(one))
    study.tidy()
    return rows


def _name(values):
    return json.dumps(values, sort_keys=True)


def _row(number, values, accuracy, cost):
    failed = accuracy.get("failed") or cost.get("failed") or ""
    known = {} if failed else accuracy | cost
    return {"number": number, **values, **dict.fromkeys(
        ("accuracy", "low", "high", "cycles", "memory_bits", "block_rams", "multipliers", "lut4",
         "flip_flops", "cursors", "synthesised")), **known, "failed": failed}


class _Study:
    """What was measured of one run's network, a file for each point."""

    def __init__(self, run, table):
        self._folder = str(run.path.absolute())
        self._table = table
        self._key = Subject.key(run)
        self._points = run.path.absolute() / "explore" / POINTS
        self._points.mkdir(parents=True, exist_ok=True)
        self._used = set()

    def each(self, pool, work, points):
        """Do one kind of work at some points; returns what came out, by `_name` of the point."""
        limits = {"accuracy": ("samples",), "cost": ("cycle_samples", "device"),
                  "cells": ("device",)}[work]
        options = {name: getattr(self._table, name) for name in limits}
        paths = [self._path(work, values, options) for values in points]
        missing = [(work, self._folder, self._key, values, options, str(path))
                   for values, path in zip(points, paths, strict=True) if not path.is_file()]
        for done, _ in enumerate(in_order(pool, _measure, missing), 1):
            logger.info("explore: %s of %d of %d points", work, done, len(missing))
        return {_name(values): json.loads(path.read_bytes())
                for values, path in zip(points, paths, strict=True)}

    def _path(self, work, values, options):
        key = json.dumps([work, values, options, self._key], sort_keys=True)
        path = self._points / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"
        self._used.add(path)
        return path

    def tidy(self):
        """Remove what earlier studies have left."""
        for path in set(self._points.iterdir()) - self._used:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@lru_cache(maxsize=1)
def _subject(folder, key):
    """Return the `Subject` of a run's folder; ``key`` tells one state of it from another."""
    return Subject(RunFolder.open(Path(folder)))


def _measure(work, folder, key, values, options, path):
    """Measure one point, and write it: the result isn't lost if the main process is ended."""
    subject = _subject(folder, key)
    try:
        design = changed(subject.run.experiment.design, values)
        found = WORK[work](subject, design, **options)
    except ValueError as error:  # of a network that doesn't fit the design
        found = {"failed": str(error)}
    write_atomically(Path(path), json.dumps(found).encode())


def _test(subject, samples):
    test = subject.run.data["test"]
    return test.subset(range(min(samples or len(test), len(test))))


def _accuracy(subject, design, samples):
    test = _test(subject, samples)
    parameters = subject.parameters(changed(design, {
        "banks": 1, "buffer": "ring", "rows": "sparse", "delays": "synaptic"}))
    found = Emulator(parameters).run_batch(
        encode_dataset(test, parameters.config), counters=False).decisions
    accuracy = float(np.mean(found == test.labels))
    low, high = wilson(accuracy, len(test))
    return {"accuracy": accuracy, "low": float(low), "high": float(high)}


def _cost(subject, design, cycle_samples, device):
    parameters = subject.parameters(design)
    config = parameters.config
    events = encode_dataset(_test(subject, cycle_samples), config)
    cells = predict(config, device)
    cycles = CycleModel(parameters).run(events).cycles
    return {
        "buffer": config.buffer, "rows": config.rows, "delays": config.delays,
        "cursors": config.cursors, "cycles": float(cycles.mean()),
        "memory_bits": bits(core_memories(config)), "block_rams": cells["block RAM"],
        "multipliers": cells["multiplier"], "lut4": cells["LUT4"],
        "flip_flops": cells["flip-flop"]}


def _cells(subject, design, device):
    parameters = subject.parameters(design)
    with TemporaryDirectory(dir=subject.run.path / "explore" / POINTS) as folder:
        return count_cells(NeuronCore(parameters.config, parameters), device, Path(folder))


WORK = {"accuracy": _accuracy, "cost": _cost, "cells": _cells}


def explore_csv(rows):
    """Return what `run_explore` gives as the text of a CSV file: a line for each point."""
    lines = (row | {"front": " ".join(row["front"]),
                    "synthesised_lut4": row["synthesised"] and row["synthesised"].get("LUT4")}
             for row in rows)
    return table_text(COLUMNS, ([line.get(name) for name in COLUMNS] for line in lines))
