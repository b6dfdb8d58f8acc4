"""Whole samples backwards: from the scores to what every spike is worth."""

import numba as nb
import numpy as np

from ...model.jit import allocating_kernel, kernel, parallel_kernel
from .few_adjoint import pull_few, room_for_few
from .readout import seed
from .structures import Index
from .sweep import sweep_loop, sweep_neuron
from .table import fill_table, read_near, touch
from .windows import place


@kernel
def _pull(net, grid, pair, tape, g, lp, lq, places, tables):
    """Add to ``g`` of a connection's sources what their arrivals are worth."""
    time, _, slope, start = tape
    source_population, population = net.pairs[pair, 0], net.pairs[pair, 1]
    starts = start[net.first[source_population] : net.first[source_population + 1] + 1]
    spots, slots, slows, fasts = places
    width, count, rates = grid.width[population], grid.count[population], net.rates[population]
    back = grid.back[population]
    first = starts[0]
    place(time, first, starts[-1], width, rates, spots, slots, slows, fasts)
    slow, fast, spikes = tables
    for target in range(net.size[population]):
        neuron = net.first[population] + target
        begin, end = start[neuron], start[neuron + 1]
        if begin == end:
            continue
        fill_table(net, grid, population, neuron, time, start, lp, lq, slow, fast, spikes)
        for source in range(net.size[source_population]):
            synapse = net.pairs[pair, 2] + target * net.size[source_population] + source
            weight, pos, lag = net.weights[synapse], grid.pos[synapse], grid.lag[synapse]
            by_slow = weight * rates[0] * grid.slow[synapse]
            by_fast = weight * rates[1] * grid.fast[synapse]
            for k in range(starts[source], starts[source + 1]):
                slot = int(spots[k - first] + pos)
                if slot >= count:
                    continue
                p, q = slow[Index(slot)], fast[Index(slot)]
                if p != p:
                    at = time[k] + net.delays[synapse]
                    if net.jump:
                        g[k] += touch(at, begin, end, time, slope, g)
                        continue
                    p, q = read_near(at, slot, time, begin, end, spikes)
                late = Index(slot - slots[k - first] - lag)
                g[k] += by_slow * p * slows[k - first] * back[0, late]
                g[k] += by_fast * q * fasts[k - first] * back[1, late]


@allocating_kernel
def _backward(net, grid, readout, tape, pull, limits, g, lp, lq, places, tables, few,
              theta_gradient, beta_gradient):  # fmt: skip
    """Add to one sample's ``g``, fill ``lp`` and ``lq``. Returns the spikes that were limited."""
    time, start = tape[0], tape[3]
    seed(net, readout, time, start, pull, g)
    limited = 0
    for group in range(net.groups.shape[0] - 2, -1, -1):
        begin, end = net.groups[group], net.groups[group + 1]
        if net.leaky and begin == net.final:
            continue
        loop = False
        for pair in range(net.into[begin], net.into[end]):
            loop |= net.pairs[pair, 3] >= 0
        if loop:
            limited += sweep_loop(
                net, grid, begin, end, tape, g, lp, lq, limits, theta_gradient, beta_gradient
            )
        else:
            for neuron in range(net.first[begin], net.first[end]):
                limited += sweep_neuron(
                    net, begin, neuron, tape, g, lp, lq, limits, theta_gradient, beta_gradient
                )
        for pair in range(net.into[begin], net.into[end]):
            if net.pairs[pair, 0] == 0 or net.pairs[pair, 3] >= 0:
                continue
            if grid.count[net.pairs[pair, 1]] == 1:
                pull_few(net, grid, pair, tape, g, lp, lq, *few)
            else:
                _pull(net, grid, pair, tape, g, lp, lq, places, tables)
    return limited


@parallel_kernel
def backward(net, grid, readout, chunks, tape, pull, limits, worth, by_neuron, limited):
    """Find what every spike of a batch is worth, all cores at once.

    Parameters
    ----------
    readout : int
        LEAKY, FIRST_SPIKE, SPIKE_COUNT, or MAX, whose peaks are another kernel's.
    chunks : int
        Pieces of the batch that are handed to threads.
    tape : Tape
    pull : (batch, classes) float64
        dL/dscore.
    limits : (float, float)
        Least slope to divide by, 1/ms, and largest r of a spike.
    worth : tuple of three (batch, room) float64
        dL/dt of each spike, added to, and lP and lQ just before it, filled.
    by_neuron : tuple of two (batch, neurons) float64
        Filled: the sample's derivatives by theta0 and beta.
    limited : (batch,) int64
        Filled with the spikes whose r was changed. An argument of its own because numba 0.68.1
        loses what a parallel loop adds to a one-dimensional array of a tuple.
    """
    batch = pull.shape[0]
    for chunk in nb.prange(chunks):
        room, count = tape.time.shape[1], grid.count.max()
        places = (np.empty(room), np.empty(room, np.int32), np.empty(room), np.empty(room))
        tables = (np.empty(count), np.empty(count), np.empty((room, 5)))
        few = room_for_few(room)
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            row = (tape.time[k], tape.fast[k], tape.slope[k], tape.start[k])
            limited[k] = _backward(
                net, grid, readout, row, pull[k], limits, worth[0][k], worth[1][k], worth[2][k],
                places, tables, few, by_neuron[0][k], by_neuron[1][k],
            )  # fmt: skip
