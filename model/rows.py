"""The rows of a bank, as its memories hold them: all but those of cursors with synaptic delays."""

from typing import NamedTuple

import numpy as np


class BankRows(NamedTuple):
    """The rows of a bank. Source s has rows ``s * config.segments`` and on, as many as that.

    Members
    -------
    start : (rows + 1,) int64
        Row r owns words ``start[r]`` to ``start[r + 1] - 1``.
    delay : (rows,) int64
        Delay of a row's synapses, or the axonal part of it; 0 where delays are synaptic.
    first : (rows,) int64
        Local target of a row's first word, where rows are dense; else 0.
    kind : (rows,) int64
        Which of its targets' dendritic delays a row's synapses have besides; else 0.
    place : (words,) int64
        Which synapse of the design a word is; -1: none.
    """

    start: np.ndarray
    delay: np.ndarray
    first: np.ndarray
    kind: np.ndarray
    place: np.ndarray


def row_delays(parameters):
    """Return what rows have to store of each synapse's delay: (synapses,) int64.

    That's all of it, but for what's dendritic.

    Raises
    ------
    ValueError
        If a delay isn't above its dendritic part; the text names the synapse.
    """
    config, delay = parameters.config, parameters.delay.astype(np.int64)
    if config.delays != "axonal+dendritic":
        return delay
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))
    dendritic = parameters.dendritic[parameters.target, parameters.kind[source]]
    below = np.flatnonzero(delay <= dendritic)
    if below.size:
        raise ValueError(f"Parameters delay[{below[0]}] must be above its dendritic part, "
                         f"{dendritic[below[0]]}, not {delay[below[0]]}")
    return delay - dendritic


def bank_rows(parameters, bank):
    """Return the `BankRows` of a bank of a design.

    Raises
    ------
    ValueError
        If a row of the design can't be stored as its config says; the text names the source.
    """
    config = parameters.config
    axonal, dense = config.delays != "synaptic", config.rows == "dense"
    place = np.flatnonzero(parameters.target % config.banks == bank)
    row = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))[place]
    local = parameters.target[place].astype(np.int64) // config.banks
    delay = row_delays(parameters)[place]
    if axonal:
        row = row * config.segments + _segment(config, row, delay)
    order = np.lexsort((local, row)) if dense else np.argsort(row, kind="stable")
    row, local, place, delay = row[order], local[order], place[order], delay[order]
    count = config.sources * config.segments
    delays, first = np.zeros(count, np.int64), np.zeros(count, np.int64)
    kind = np.zeros(count, np.int64)
    if axonal:
        delays[row] = delay
    if config.dendrites:
        kind[:] = np.repeat(parameters.kind, config.segments)
    if not dense:
        return BankRows(np.searchsorted(row, np.arange(count + 1)), delays, first, kind, place)
    same = np.flatnonzero((np.diff(row) == 0) & (np.diff(local) == 0))
    if same.size:
        raise ValueError(
            f"Source {row[same[0]] // config.segments} must have one synapse on neuron "
            f"{local[same[0]] * config.banks + bank} with dense rows, not more: use sparse rows")
    first[row[::-1]] = local[::-1]  # of a repeated row the lowest target stays
    words = np.zeros(count, np.int64)
    words[row] = local + 1 - first[row]
    start = np.concatenate([[0], np.cumsum(words)])
    filled = np.full(start[-1], -1)
    filled[start[row] + local - first[row]] = place
    return BankRows(start, delays, first, kind, filled)


def _segment(config, source, delay):
    """Return which of its source's delays, from the least on, each synapse has."""
    pairs, which = np.unique(np.stack([source, delay], 1), axis=0, return_inverse=True)
    segment = np.arange(len(pairs)) - np.searchsorted(pairs[:, 0], pairs[:, 0])
    if segment.size and segment.max() >= config.segments:
        source = pairs[segment.argmax(), 0]
        raise ValueError(
            f"Source {source} must have at most {config.segments} delays in a bank (config "
            f"segments) where delays are {config.delays}, not {segment.max() + 1}: use more "
            "segments, or synaptic delays")
    return segment[which.ravel()]
