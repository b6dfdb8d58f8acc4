"""A level of a kind of noise, run on the integer model."""

import os
from itertools import groupby

from ...model.emulator import Emulator
from ...model.protection import read_weights
from ..compare import spikes_of
from .kind import Kind
from .moved import moved_spikes
from .plan import Row
from .subject import Subject

__all__ = ["WATCHED", "run_cell"]

WATCHED = 10
"""Samples of each level whose spikes are compared with those without noise."""


def run_cell(subject: Subject, kind: Kind, rows: list[Row], threads: int | None = None) -> dict:
    """Run the rows of one level.

    Parameters
    ----------
    subject : Subject
    kind : Kind
    rows : list of Row
        One per sample, or one per instance: as the kind is.
    threads : int, optional
        Default: all processors. The result doesn't depend on it.

    Returns
    -------
    dict
        Ready for JSON: ``decisions``, a list of the samples' per instance, ``counts`` by name, and
        ``spikes``: `moved_spikes` of the first `WATCHED` samples, of which each runs on another
        instance as long as there are some.
    """
    chips = [rows] if kind.per_sample else [[row] * len(subject) for row in rows]
    decisions, counts = [_decide(subject, kind, chip, threads) for chip in chips], {}
    for row in rows:
        for name, count in kind.counts(row.change, subject, row.sample).items():
            counts[name] = counts.get(name, 0) + count
    return {"decisions": decisions, "counts": counts, "spikes": _spikes(subject, kind, chips)}


def _spikes(subject, kind, chips):
    """Return what becomes of the spikes of the first samples."""
    config, emulator = subject.parameters.config, Emulator(subject.parameters)

    def pairs():
        for k in range(min(WATCHED, len(subject))):
            row = chips[k % len(chips)][k]
            parameters = kind.parameters(row.change, subject)
            weight = read_weights(parameters.config, parameters.weight, kind.flips(row.change))
            noisy = Emulator(parameters).run(kind.events(row.change, subject, k),
                                             weight=weight.values, upsets=kind.upsets(row.change))
            yield spikes_of(emulator.run(subject.clean[k]).trace), spikes_of(noisy.trace)

    return moved_spikes(pairs(), config.tau_s / config.tick)


def _decide(subject, kind, chip, threads):
    """Return the decisions of all samples, each under its row of the plan."""
    decisions, own = [], {}
    for row in chip:
        if id(row) not in own:
            own[id(row)] = kind.parameters(row.change, subject)
    for _, places in groupby(range(len(chip)), lambda k: id(own[id(chip[k])])):
        places = list(places)
        first = chip[places[0]]
        parameters = own[id(first)]
        batch = Emulator(parameters).run_batch(
            [kind.events(chip[k].change, subject, k) for k in places],
            weight=read_weights(parameters.config, parameters.weight,
                                kind.flips(first.change)).values,
            upsets=[kind.upsets(chip[k].change) for k in places],
            threads=threads or os.cpu_count(), counters=False)
        decisions += batch.decisions.tolist()
    return decisions
