"""A group of populations that feeds itself, window by window, all its neurons in turn."""

from math import exp
from typing import NamedTuple

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .arrivals import collect, gather, look, order
from .neuron import neuron_of, run, run_jump
from .structures import FULL, PARTS, Index, spikes_of
from .windows import bound, ring_rows, scatter, step_of


class Out(NamedTuple):
    """Spikes of a group in the order of their windows, a row a population, and how many."""

    time: np.ndarray
    source: np.ndarray
    pos: np.ndarray
    near: np.ndarray
    fast: np.ndarray
    slope: np.ndarray
    length: np.ndarray


@kernel
def _deliver(net, grid, low, population, neuron, at, ring):
    """Add the arrivals of one spike of the group to the windows of their targets.

    ``ring`` : (windows, neurons, 4), as the sums of `scatter`; a window's row is its number modulo
    the rows, a power of 2.
    """
    mask = ring.shape[0] - 1
    for pair in range(net.pairs.shape[0]):
        if net.pairs[pair, 0] != population or net.pairs[pair, 3] < 0:
            continue
        target = net.pairs[pair, 1]
        width, rates, count = grid.width[target], net.rates[target], grid.count[target]
        pos = at / width
        whole = int(pos)
        left = (pos - whole) * width
        by_slow, by_fast = exp(left * rates[0]), 0.0 if net.jump else exp(left * rates[1])
        back = grid.back[target]
        first = net.pairs[pair, 3] + (neuron - net.first[population]) * net.size[target]
        shift = net.first[target] - low
        for j in range(net.size[target]):
            synapse = Index(first + j)
            weight = net.weights[synapse]
            slot = int(pos + grid.pos[synapse])
            if slot < count:
                late = Index(slot - whole - grid.lag[synapse])
                sums = ring[Index(slot & mask), Index(shift + j)]
                sums[0] += weight * grid.slow[synapse] * by_slow * back[0, late]
                sums[1] += weight * grid.fast[synapse] * by_fast * back[1, late]
                sums[2] += max(weight, 0.0)
                sums[3] += min(weight, 0.0)


@kernel
def _gather_loop(net, grid, begin, population, target, window, out, mark, n, arrivals):
    """Append the arrivals within a window from spikes ``out`` of the group itself."""
    width = grid.width[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] < 0:
            continue
        row = net.pairs[pair, 0] - begin
        low = mark[row, max(0, window - int(net.reach[pair, 1] / width) - 2)]
        sources = net.size[net.pairs[pair, 0]]
        first = net.pairs[pair, 2] + target * sources
        spikes = (out.time[row], out.source[row], out.pos[row], out.near[row])
        n = collect(grid, population, net.duration, first, sources, window, low,
                     mark[row, window], spikes, n, arrivals)  # fmt: skip
    return n


@allocating_kernel
def _loop_sums(net, grid, begin, end, sample, places, trains, time, start):
    """Return what the sources outside a group add, (neurons, windows, 4)."""
    low, base = net.first[begin], net.into[begin]
    sums = np.zeros((net.first[end] - low, grid.count[begin], 4))
    for population in range(begin, end):
        look(net, grid, population, base, sample, time, start, places, trains)
        for pair in range(net.into[population], net.into[population + 1]):
            if net.pairs[pair, 3] >= 0:
                continue
            starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)[1]
            for j in range(net.size[population]):
                i = net.first[population] - low + j
                scatter(net, grid, pair, j, pair - base, starts, places, sums[i])
    return sums


@kernel
def _open(net, grid, begin, population, neuron, window, trains, out, mark, arrivals, state):
    """Run one neuron of a group through a window. Returns whether its spikes fit ``out``."""
    width, target = grid.width[population], neuron - net.first[population]
    n = gather(net, grid, population, net.into[begin], target, window, trains, arrivals)
    n = _gather_loop(net, grid, begin, population, target, window, out, mark, n, arrivals)
    times, weights, growth, _ = arrivals
    end = min((window + 1) * width, net.duration)
    order(n, arrivals, state[3], end, net.rates[population, 0])
    row = population - begin
    used = out.length[row]
    time, fast, slope = out.time[row], out.fast[row], out.slope[row]
    own = neuron_of(net, population, neuron)
    if net.jump:
        total = run_jump(own, state, n, times, weights, end, time, fast, slope, used)
    else:
        total = run(own, state, n, times, weights, growth, time, fast, slope, used)
    for k in range(used, total):
        out.source[row, k] = target
        out.pos[row, k] = time[k] / width
        out.near[row, k] = int(out.pos[row, k] * PARTS)
    out.length[row] = total
    return total != FULL


@allocating_kernel
def _file(out, row, low, high, time, fast, slope, start, used):
    """Move a population's spikes from ``out`` to the tape, by neuron. Returns the tape's spikes."""
    start[low : high + 1] = 0
    for k in range(out.length[row]):
        start[low + np.int64(out.source[row, k]) + 1] += 1
    start[low] = used
    for neuron in range(low, high):
        start[neuron + 1] += start[neuron]
    slots = start[low:high].copy()
    for k in range(out.length[row]):
        slot = slots[out.source[row, k]]
        slots[out.source[row, k]] += 1
        time[slot], fast[slot], slope[slot] = out.time[row, k], out.fast[row, k], out.slope[row, k]
    return used + out.length[row]


@allocating_kernel
def run_loop(net, grid, begin, end, sample, places, trains, arrivals, time, fast, slope, start):
    """Run the populations of a group that feeds itself, window by window.

    Windows are no longer than its shortest delay, so that within one its neurons are independent.
    Returns the tape's spikes, or FULL.
    """
    low, used, width = net.first[begin], start[net.first[begin]], grid.width[begin]
    count, rows = grid.count[begin], ring_rows(net, grid, begin, end)
    outside = _loop_sums(net, grid, begin, end, sample, places, trains, time, start)
    ring = np.zeros((rows, net.first[end] - low, 4))
    traces = np.zeros((ring.shape[1], 4))
    shape = (end - begin, time.shape[0] - used)
    out = Out(
        np.empty(shape), np.empty(shape, np.uint32), np.empty(shape), np.empty(shape, np.int32),
        np.empty(shape), np.empty(shape), np.zeros(end - begin, np.int64),
    )  # fmt: skip
    mark = np.zeros((end - begin, count + 1), np.int64)
    for window in range(count):
        mark[:, window] = out.length
        row = window & (rows - 1)
        for population in range(begin, end):
            step = step_of(net.rates[population], width, grid.back[population])
            for neuron in range(net.first[population], net.first[population + 1]):
                i = neuron - low
                state = traces[i]
                more, own = outside[i, window], ring[row, i]
                p_end = (state[0] + more[0] + own[0]) * step.slow
                q_end = (state[1] + more[1] + own[1]) * step.fast
                least, up, down = net.theta0[neuron] + state[2] * step.lift, more[2], more[3]
                if bound(net.jump, least, state[0], state[1], p_end, q_end, up + own[2],
                          down + own[3], step):  # fmt: skip
                    state[3] = window * width
                    if not _open(net, grid, begin, population, neuron, window, trains, out, mark,
                                 arrivals, state):  # fmt: skip
                        return FULL
                else:
                    state[0], state[1] = p_end, q_end
                    state[2] *= step.lift
        ring[row] = 0.0
        for population in range(begin, end):
            row = population - begin
            for k in range(mark[row, window], out.length[row]):
                neuron = net.first[population] + np.int64(out.source[row, k])
                _deliver(net, grid, low, population, neuron, out.time[row, k], ring)
    for population in range(begin, end):
        low, high = net.first[population], net.first[population + 1]
        if used + out.length[population - begin] > time.shape[0]:
            return FULL
        used = _file(out, population - begin, low, high, time, fast, slope, start, used)
    return used
