"""The sweep: a plan run whole by the integer model, with curves and their intervals."""

import hashlib
import json
import logging
import math
from itertools import groupby
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...model.emulator import Emulator
from ...model.files import write_atomically
from ...model.parameters import Parameters
from ...train.samples import Dataset
from ..folder import versions
from .plan import draw_plan
from .planfile import plan_hash, row_text, save_plan
from .settings import NoiseConfig
from .statistics import effective_size, mcnemar, wilson
from .subject import Subject
from .weights import flip_bits

__all__ = ["CELLS", "FORMAT", "PLAN", "RESULT", "run_study"]

FORMAT = "ranvier.noise/1"
RESULT, PLAN, CELLS = "noise.json", "plan.jsonl", "cells"

logger = logging.getLogger(__name__)


def run_study(parameters: Parameters, dataset: Dataset, settings: NoiseConfig, seed: int,
              folder: Path, *, progress: bool = False, threads: int | None = None) -> dict:
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
        Receives ``noise.json``, ``plan.jsonl`` and the folder ``cells``, in which a later call
        finds the levels that are done.
    progress : bool
        Whether to show a progress bar on stderr.
    threads : int, optional
        Threads of the model; default: all processors. The result doesn't depend on it.

    Returns
    -------
    dict
        The content of ``noise.json``; docs/noise.md describes it.
    """
    subject, folder = Subject(parameters, dataset), Path(folder)
    plan = draw_plan(subject, settings, seed)
    sweep = _Sweep(subject, plan, threads)
    kinds, used = {}, set()
    (folder / CELLS).mkdir(parents=True, exist_ok=True)
    with tqdm(total=sweep.runs, unit="sample", disable=not progress) as bar:
        for kind, level, rows in plan.cells():
            path = folder / CELLS / f"{sweep.digest(rows)}.json"
            used.add(path)
            cell = _load(path, sweep.shape(kind, rows))
            if cell is None:
                cell = sweep.run(kind, rows)
                write_atomically(path, json.dumps(cell).encode())
            entry = kinds.setdefault(kind.name, {
                "unit": kind.unit, "origin": kind.origin, "digital": kind.digital,
                "verdict": kind.verdict, "levels": []})
            entry["levels"].append({"level": level, "rows": [rows.start, rows.stop - 1],
                                    **sweep.judge(cell)})
            bar.update(math.prod(sweep.shape(kind, rows)))
    result = {
        "format": FORMAT, "seed": seed, "settings": settings.to_dict(), "versions": versions(),
        "parameters": plan.parameters, "data": plan.data, "plan": plan_hash(plan),
        "rows": len(plan.rows), "samples": len(subject), "clean": sweep.judge_clean(),
        "kinds": kinds}
    save_plan(plan, folder / PLAN)
    write_atomically(folder / RESULT, (json.dumps(result, indent=1) + "\n").encode())
    for path in set((folder / CELLS).glob("*.json")) - used:
        path.unlink()
    return result


class _Sweep:
    """Runs the rows of a plan on the model, a level at a time."""

    def __init__(self, subject, plan, threads):
        self.subject, self.plan, self.threads = subject, plan, threads
        self.emulator = Emulator(subject.parameters)
        clean = self.emulator.run_batch(subject.clean, threads=threads)
        self.clean = clean.decisions
        # What the model is, as far as this design and these samples show it.
        self.model = hashlib.sha256(clean.scores.tobytes() + clean.counters.tobytes()).hexdigest()

    @property
    def runs(self):
        """Number of samples that the whole plan runs."""
        return sum(math.prod(self.shape(kind, rows)) for kind, _, rows in self.plan.cells())

    def digest(self, rows):
        """Return a name for what some rows give: the same rows on the same design and data."""
        text = [self.plan.parameters, self.plan.data, self.model,
                *(row_text(self.plan.rows[i]) for i in rows)]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()[:32]

    def shape(self, kind, rows):
        """Return the instances and samples of a level."""
        return (1 if kind.per_sample else len(rows)), len(self.subject)

    def run(self, kind, rows):
        """Return decisions (instances, samples) and counts of one level, ready for JSON."""
        rows = [self.plan.rows[i] for i in rows]
        chips = [rows] if kind.per_sample else [[row] * len(self.subject) for row in rows]
        decisions, counts = [self._decide(kind, chip) for chip in chips], {}
        for row in rows:
            for name, count in kind.counts(row.change, self.subject, row.sample).items():
                counts[name] = counts.get(name, 0) + count
        return {"decisions": decisions, "counts": counts}

    def _decide(self, kind, chip):
        """Return the decisions of all samples, each under its row of the plan."""
        decisions, own = [], {id(row): row for row in chip}
        own = {key: kind.parameters(row.change, self.subject) for key, row in own.items()}
        for _, places in groupby(range(len(chip)), lambda k: id(own[id(chip[k])])):
            places = list(places)
            first = chip[places[0]]
            parameters = own[id(first)]
            emulator = (self.emulator if parameters is self.subject.parameters
                        else Emulator(parameters))
            batch = emulator.run_batch(
                [kind.events(chip[k].change, self.subject, k) for k in places],
                weight=flip_bits(parameters.weight, kind.flips(first.change),
                                 parameters.config.weight_bits),
                threads=self.threads, counters=False)
            decisions += batch.decisions.tolist()
        return decisions

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
            "by_instance": right.mean(1).tolist(), "counts": cell["counts"]}

    def judge_clean(self):
        """Return the figures without noise."""
        right = self.clean == self._labels
        return {"accuracy": float(right.mean()), "interval": list(wilson(right.mean(), right.size)),
                "n": right.size,
                "counts": {"events": sum(len(e) + e.merged for e in self.subject.clean),
                           "merged": sum(e.merged for e in self.subject.clean),
                           "late": sum(e.late for e in self.subject.clean)}}

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
        if whole and isinstance(cell["counts"], dict):
            return cell
    except (KeyError, TypeError, ValueError):
        pass
    logger.warning("%s is damaged, and is made again", path)
    return None
