"""Whole samples forwards: every spike of a network in continuous time.

Arrivals aren't sorted. A population's time is cut into windows, and an arrival is added to its
window as w exp(d/tau) exp(t/tau), of which both factors are known beforehand (`windows`). A bound
says whether the neuron could fire within a window; only if so the window is opened, its arrivals
are collected, ordered and run one by one (`arrivals`, `neuron`). Populations that feed themselves
have windows no longer than their shortest delay, so that what fires in one arrives in a later one
(`loop`).
"""

import numba as nb
import numpy as np

from ...model.jit import allocating_kernel, kernel, parallel_kernel
from .few import run_few
from .layer import run_layer
from .loop import run_loop
from .readout import count, score
from .structures import FULL, Places, Sample, Trains


@allocating_kernel
def _forward(net, grid, sample, places, trains, sources, arrivals, time, fast, slope, start):
    """Run one sample. Returns the spikes on its tape, or FULL."""
    used = 0
    start[0] = 0
    for group in range(net.groups.shape[0] - 1):
        begin, end = net.groups[group], net.groups[group + 1]
        if net.leaky and begin == net.final:
            start[net.first[begin] :] = used
            continue
        loop = False
        for pair in range(net.into[begin], net.into[end]):
            loop |= net.pairs[pair, 3] >= 0
        if loop:
            used = run_loop(net, grid, begin, end, sample, places, trains, arrivals,
                         time, fast, slope, start)  # fmt: skip
        elif grid.count[begin] == 1:
            used = run_few(net, grid, begin, sample, sources, arrivals, time, fast, slope, start)
        else:
            used = run_layer(net, grid, begin, sample, places, trains, arrivals,
                          time, fast, slope, start)  # fmt: skip
        if used < 0:
            return FULL
    return used


@kernel
def most_connections(net):
    """Most connections into one group."""
    most = 1
    for group in range(net.groups.shape[0] - 1):
        most = max(most, net.into[net.groups[group + 1]] - net.into[net.groups[group]])
    return most


@parallel_kernel
def forward(net, grid, readout, inputs, rows, chunks, events, tape, used, scores, counts):
    """Run samples ``rows`` of the input, all cores at once.

    Parameters
    ----------
    readout : int
        LEAKY, FIRST_SPIKE, SPIKE_COUNT, or MAX, whose scores are another kernel's.
    inputs : tuple
        Of `engine.Inputs`: ``time`` and ``start``.
    rows : (batch,) int64
    chunks : int
        Pieces of the batch that are handed to threads.
    events : int
        Most input spikes of a sample.
    tape : Tape
        Filled, a row a sample.
    used : (batch,) int64
        Filled with the spikes of each sample, or FULL. Of those that are FULL, nothing else is.
    scores : (batch, classes) float64
        Filled: what `losses` turns into a loss.
    counts : (batch, channels + neurons) int64
        Filled with the spikes of every channel and neuron.
    """
    batch = rows.shape[0]
    for chunk in nb.prange(chunks):
        room = max(events, tape.time.shape[1])
        shape = (most_connections(net), room)
        places = Places(
            np.empty(shape), np.empty(shape, np.int32), np.empty(shape), np.empty(shape)
        )
        trains = Trains(
            np.empty(shape), np.empty(shape, np.uint32), np.empty(shape),
            np.empty(shape, np.int32), np.empty((shape[0], grid.count.max() + 1), np.int64),
        )  # fmt: skip
        most = events + shape[0] * room
        arrivals = (
            np.empty(most + 1), np.empty(most + 1), np.empty(most + 1),
            np.empty(most + 1, np.int64),
        )
        sources = (
            np.empty(most), np.empty(most), np.empty(most, np.int64), np.empty(most, np.int64)
        )
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            sample = Sample(inputs[0], inputs[1][rows[k]])
            used[k] = _forward(
                net, grid, sample, places, trains, sources, arrivals,
                tape.time[k], tape.fast[k], tape.slope[k], tape.start[k],
            )  # fmt: skip
            if used[k] != FULL:
                score(net, readout, sample, tape.time[k], tape.start[k], scores[k])
                count(sample.start, tape.start[k], counts[k])
