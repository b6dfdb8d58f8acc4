"""The sweep: a plan run whole by the integer model, with curves and their intervals."""

import hashlib
import json
import logging
import math
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...model.files import write_atomically
from ...model.parameters import Parameters
from ...train.samples import Dataset
from ..folder import versions
from ..tables import write_table
from ..workers import in_order, open_pool
from .answers import answer, corrected, levels_text, ranked
from .instances import spread
from .kinds import KINDS
from .kinds.congestion import Congestion
from .plan import draw_plan
from .planfile import plan_hash, row_text, save_plan
from .settings import NoiseConfig
from .sizing import queue_sizes
from .statistics import effective_size, mcnemar, wilson
from .subject import Subject
from .sweep import run_cell

__all__ = ["CELLS", "FORMAT", "LEVELS", "PLAN", "RESULT", "run_study"]

FORMAT = "ranvier.noise/1"
RESULT, PLAN, LEVELS, CELLS = "noise.json", "plan.jsonl", "levels.csv", "cells"

logger = logging.getLogger(__name__)


def run_study(parameters: Parameters, dataset: Dataset, settings: NoiseConfig, seed: int,
              folder: Path, *, progress: bool = False, threads: int | None = None,
              workers: int | None = None, dask: str | None = None) -> dict:
    """Draw a plan, run the model on all of it, and write both.

    Parameters
    ----------
    parameters : Parameters
    dataset : Dataset
        The samples to classify.
    settings : NoiseConfig
    seed : int
        Of the plan. From 0 to 2**64 - 1.
    folder : path
        Receives ``noise.json``, ``levels.csv``, ``plan.jsonl`` and the folder ``cells``, in which
        a later call finds the levels that are done.
    progress : bool
        Whether to show a progress bar on stderr.
    threads : int, optional
        Threads of the model under noise; default: all processors, or each worker's share of them.
    workers, dask : int and str, optional
        Where levels are run, several at once: see `ranvier.sim.workers.open_pool`. The result
        depends on none of these.

    Returns
    -------
    dict
        The content of ``noise.json``; docs/noise.md describes it.
    """
    subject, folder = Subject.read(parameters, dataset, settings.fault_map), Path(folder)
    plan = draw_plan(subject, settings, seed)
    sweep = _Sweep(subject, plan)
    cells = list(plan.cells())
    paths = [folder / CELLS / f"{sweep.digest(rows)}.json" for _, _, rows in cells]
    (folder / CELLS).mkdir(parents=True, exist_ok=True)
    kinds = {}
    with tqdm(total=sweep.runs, unit="sample", disable=not progress) as bar:
        done = _done(sweep, cells, paths, workers, dask, threads)
        for (kind, level, rows), cell in zip(cells, done, strict=True):
            entry = kinds.setdefault(kind.name, {
                "unit": kind.unit, "origin": kind.origin, "digital": kind.digital,
                "verdict": kind.verdict, "levels": []})
            entry["levels"].append({"level": level, "rows": [rows.start, rows.stop - 1],
                                    **sweep.judge(cell)})
            bar.update(math.prod(sweep.shape(kind, rows)))
    clean = sweep.judge_clean()
    corrected(kinds)
    for kind in kinds.values():
        kind |= answer(kind, clean["accuracy"])
    result = {
        "format": FORMAT, "seed": seed, "settings": settings.to_dict(), "versions": versions(),
        "parameters": plan.parameters, "data": plan.data, "plan": plan_hash(plan),
        "rows": len(plan.rows), "samples": len(subject), "clean": clean,
        "kinds": kinds, "ranking": ranked(kinds), "queue": _queue(subject, plan.levels)}
    save_plan(plan, folder / PLAN)
    write_table(folder / LEVELS, levels_text(kinds))
    write_atomically(folder / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    for path in set((folder / CELLS).glob("*.json")) - set(paths):
        path.unlink()
    return result


def _done(sweep, cells, paths, workers, dask, threads):
    """Yield what each level gives, from its file or from a worker, and write the new ones."""
    found = [_load(path, sweep.shape(kind, rows))
             for (kind, _, rows), path in zip(cells, paths, strict=True)]
    share = threads or (max(1, os.cpu_count() // workers) if workers else None)
    tasks = ((sweep.subject, kind, [sweep.plan.rows[i] for i in rows], share)
             for (kind, _, rows), cell in zip(cells, found, strict=True) if cell is None)
    with open_pool(workers, dask) as pool:
        fresh = in_order(pool, run_cell, tasks)
        for path, cell in zip(paths, found, strict=True):
            if cell is None:
                cell = next(fresh)
                write_atomically(path, json.dumps(cell).encode())
            yield cell


def _queue(subject, levels):
    """Return what queues lose under the loads of the kinds of congestion, None without such."""
    loads = {load for name, values in levels.items() if isinstance(KINDS[name], Congestion)
             for load in values}
    return queue_sizes(subject, sorted(loads)) if loads else None


class _Sweep:
    """A plan, and what its levels are compared with."""

    def __init__(self, subject, plan):
        self.subject, self.plan = subject, plan
        self.clean = subject.undisturbed.decisions

    @property
    def runs(self):
        """Number of samples that the whole plan runs."""
        return sum(math.prod(self.shape(kind, rows)) for kind, _, rows in self.plan.cells())

    def digest(self, rows):
        """Return a name for what some rows give: the same rows on the same design and data."""
        text = [self.plan.parameters, self.plan.data, self.subject.behaviour,
                *(row_text(self.plan.rows[i]) for i in rows)]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()[:32]

    def shape(self, kind, rows):
        """Return the instances and samples of a level."""
        return (1 if kind.per_sample else len(rows)), len(self.subject)

    def judge(self, cell):
        """Return the figures of one level."""
        decisions = np.array(cell["decisions"])
        right, clean = decisions == self._labels, self.clean == self._labels
        size = effective_size(right)
        return {
            "accuracy": float(right.mean()), "interval": list(wilson(right.mean(), size)),
            "n": right.size, "n_effective": size,
            "drop": 100 * float(clean.mean() - right.mean()),
            "changed": int(np.count_nonzero(decisions != self.clean)),
            # Instances share the samples, which McNemar's test doesn't know.
            "p_value": mcnemar(clean, right[0]) if len(right) == 1 else None,
            "by_instance": right.mean(1).tolist(), "spread": self._spread(right),
            "counts": cell["counts"], "spikes": cell["spikes"]}

    def judge_clean(self):
        """Return the figures without noise."""
        right = self.clean == self._labels
        return {"accuracy": float(right.mean()), "interval": list(wilson(right.mean(), right.size)),
                "n": right.size,
                "counts": {"events": sum(len(e) + e.merged for e in self.subject.clean),
                           "merged": sum(e.merged for e in self.subject.clean),
                           "late": sum(e.late for e in self.subject.clean)}}

    def _spread(self, right):
        """Return the figures over instances, None with one alone."""
        if len(right) == 1:
            return None
        found = asdict(spread(right, self.plan.seed))
        return found | {"interval": list(found["interval"])}

    @property
    def _labels(self):
        return self.subject.dataset.labels


def _load(path, shape):
    """Return a level that is done, None if there's none that can be used."""
    if not path.is_file():
        return None
    try:
        cell = json.loads(path.read_bytes())
        whole = np.array(cell["decisions"], np.int64).shape == shape
        if whole and all(isinstance(cell[name], dict) for name in ("counts", "spikes")):
            return cell
    except (KeyError, TypeError, ValueError):
        pass
    logger.warning("%s is damaged, and is made again", path)
    return None
