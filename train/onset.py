"""Prepares recordings as a front end can: starts them at their onset, merges channels."""

from dataclasses import replace

import numpy as np

from .samples import DataError

__all__ = ["from_onset", "pooled"]


def from_onset(dataset, events: int, window: float):
    """Return a dataset whose samples start at their onset.

    The onset is the first event that is the last of ``events`` within ``window`` ms. It becomes
    time 0, and what came before is dropped, so that a front end can do the same as events come: it
    counts, and starts the core. A sample without an onset stays as it is.

    Parameters
    ----------
    dataset : Dataset
    events : int
        At least 1.
    window : float
        ms.
    """
    counts, times = np.diff(dataset.offsets), dataset.times
    sample = np.repeat(np.arange(len(dataset)), counts)
    rank = np.arange(len(times)) - dataset.offsets[sample]
    back = times - times[np.maximum(np.arange(len(times)) - events + 1, 0)]
    found = np.flatnonzero((rank >= events - 1) & (back <= window * 1000))
    first = dataset.offsets[:-1].copy()
    origin = np.zeros(len(dataset), np.int64)
    with_onset, place = np.unique(sample[found], return_index=True)
    first[with_onset] = found[place]
    origin[with_onset] = times[found[place]]
    keep = np.arange(len(times)) >= first[sample]
    left = np.bincount(sample[keep], minlength=len(dataset))
    return replace(
        dataset, times=(times - origin[sample])[keep], channels=dataset.channels[keep],
        offsets=np.concatenate([[0], np.cumsum(left)]),
    )  # fmt: skip


def pooled(dataset, width: int):
    """Return a dataset in which ``width`` neighbouring channels are one.

    Raises
    ------
    DataError
        If the channels aren't a multiple of it.
    """
    if dataset.n_channels % width:
        raise DataError(f"pool must be a whole part of {dataset.n_channels} channels, not {width}")
    return replace(
        dataset, channels=dataset.channels // width, n_channels=dataset.n_channels // width
    )
