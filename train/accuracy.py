"""What rounding a network to the integers of a design costs in accuracy."""

from dataclasses import replace

import numpy as np

from ..model.emulator import Emulator
from .quantise import encode_dataset, quantise, rounded_network


def _run(network, design, dataset, scales):
    """Return a dataset's `TickEvents`, and what the integer model decides on each of them."""
    parameters, _ = quantise(network, design, scales)
    events = encode_dataset(dataset, parameters.config)
    return events, Emulator(parameters).run_batch(events, counters=False).decisions


def fixed_accuracy(network, design, dataset, scales=None):
    """Return the fraction of a dataset's samples that the integer model puts in the right class.

    ``scales`` : as of `quantise`.
    """
    _, found = _run(network, design, dataset, scales)
    return float(np.mean(found == dataset.labels))


def accuracy_steps(network, design, dataset, scales=None):
    """Return the accuracy after each step of rounding, as fractions of a dataset's samples.

    ``scales`` : as of `quantise`.

    Returns
    -------
    dict
        ``float``: continuous time. ``ticks``: times and delays on the grid. ``weights``: weights
        and thresholds rounded too. ``traces``: everything in integers, as the core computes.
    """
    decisions = {
        "float": network.predict(dataset),
        "ticks": network.predict(dataset, design.tick),
        "weights": rounded_network(network, design, scales).predict(dataset, design.tick),
        "traces": _run(network, design, dataset, scales)[1],
    }
    return {name: float(np.mean(found == dataset.labels)) for name, found in decisions.items()}


def accuracy_against_tick(network, design, dataset, ticks, scales=None):
    """Return ``[{"tick": ms, "accuracy": fraction, "merged": events}, ...]`` for other ticks.

    ``merged`` counts the input events that fell onto another of their channel in one tick. The
    guard bits follow the tick unless the design fixes them. ``scales`` : as of `quantise`.
    """
    rows = []
    for tick in ticks:
        events, found = _run(network, replace(design, tick=float(tick)), dataset, scales)
        rows.append({"tick": float(tick), "accuracy": float(np.mean(found == dataset.labels)),
                     "merged": sum(e.merged for e in events)})
    return rows
