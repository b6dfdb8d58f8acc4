"""How far noise moves the spikes of samples."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from .spiketrains import match_spikes, van_rossum, victor_purpura

__all__ = ["distances", "moved_spikes"]

PLACES = 6  # of distances: the last ones of an exponential are each machine's own
WINDOW = 2
"""Time constants that a spike may move; beyond, it's one lost and one new to Victor and Purpura."""


def distances(spikes: np.ndarray, others: np.ndarray, tau: float) -> tuple[float, float]:
    """Return the distances of Victor and Purpura and of van Rossum of two runs of a sample.

    Spikes up to the first that differs add nothing to either, and are many.

    Parameters
    ----------
    spikes, others : (spikes, 2) int64
        Ticks and neurons, by tick.
    tau : float
        Time constant in ticks, above 0; its inverse is the cost of a tick.
    """
    shared = min(len(spikes), len(others))
    unequal = np.flatnonzero(np.any(spikes[:shared] != others[:shared], axis=1))
    first = unequal[0] if unequal.size else shared
    spikes, others = spikes[first:], others[first:]
    if not len(spikes) + len(others):
        return 0.0, 0.0
    return (round(victor_purpura(spikes, others, 1 / tau), PLACES),
            round(van_rossum(spikes, others, tau), PLACES))


def moved_spikes(pairs: Iterable[tuple[np.ndarray, np.ndarray]], tau: float) -> dict:
    """Return what became of the spikes of samples.

    Parameters
    ----------
    pairs : iterable of two (spikes, 2) int64
        Of each sample: without the noise, and with it.
    tau : float
        Time constant in ticks, above 0.

    Returns
    -------
    dict
        Ready for JSON. ``clean``: how many there were without; ``missing`` and ``extra``: those
        that have no partner within `WINDOW` time constants; ``shifts``: [ticks by which one is
        later, how many]. ``victor_purpura`` and ``van_rossum``: a list, a distance for each sample.
    """
    shifts = Counter()
    found = {"clean": 0, "missing": 0, "extra": 0, "victor_purpura": [], "van_rossum": []}
    for clean, noisy in pairs:
        deviation = match_spikes(clean, noisy, round(WINDOW * tau))
        shifts.update(deviation.shifts.tolist())
        found["clean"] += len(clean)
        found["missing"] += deviation.missing
        found["extra"] += deviation.extra
        for name, distance in zip(("victor_purpura", "van_rossum"),
                                  distances(clean, noisy, tau), strict=True):
            found[name].append(distance)
    return found | {"shifts": sorted(map(list, shifts.items()))}
