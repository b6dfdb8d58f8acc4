"""The single arrivals within a window that is opened: found, collected, put in order."""

from math import exp

import numpy as np

from ...model.jit import kernel
from .structures import PARTS, Index, spikes_of
from .windows import place


@kernel
def _sort(time, starts, count, row, places, trains):
    """Put the spikes of a connection's source in the order of their windows."""
    first, slots, begin = trains.first[row], places.slot[row], starts[0]
    first[: count + 1] = 0
    for k in range(starts[-1] - begin):
        first[min(slots[k], count - 1) + 1] += 1
    for window in range(count):
        first[window + 1] += first[window]
    for source in range(starts.shape[0] - 1):
        for k in range(starts[source] - begin, starts[source + 1] - begin):
            window = min(slots[k], count - 1)
            to = first[window]
            first[window] += 1
            trains.time[row, to] = time[begin + k]
            trains.source[row, to] = source
            trains.pos[row, to] = places.pos[row, k]
            trains.near[row, to] = int(places.pos[row, k] * PARTS)
    for window in range(count, 0, -1):
        first[window] = first[window - 1]
    first[0] = 0


@kernel
def look(net, grid, population, base, sample, time, start, places, trains):
    """Fill ``places`` and ``trains`` with the spikes of the sources outside its group.

    Their rows count from connection ``base``, the first into the group.
    """
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] >= 0:
            continue
        row = pair - base
        times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
        place(times, starts[0], starts[-1], grid.width[population], net.rates[population],
              places.pos[row], places.slot[row], places.slow[row], places.fast[row])  # fmt: skip
        _sort(times, starts, grid.count[population], row, places, trains)


@kernel
def collect(grid, population, duration, first, sources, window, low, high, train, n, arrivals):
    """Append the arrivals within a window from spikes ``low`` to ``high``. Returns how many.

    ``first`` : the target's first synapse with one of the ``sources``. ``train`` : rows of
    `Trains`. Nearly all spikes arrive in other windows: a loop without a branch, over parts of
    windows alone, finds the few that might not. The parts of a sum are up to 2 below the sum's.
    """
    times, weights, _, found = arrivals
    time, source, pos, near = train
    width, edge, m = grid.width[population], window * PARTS, 0
    lags, both = grid.near[first : first + sources], grid.both[first : first + sources]
    for k in range(Index(low), Index(high)):
        part = near[k] + np.int32(lags[source[k]]) - edge
        found[Index(m)] = k
        m += (part >= -2) & (part < PARTS)
    for index in range(m):
        k = Index(found[index])
        delay, weight = both[source[k], 0], both[source[k], 1]
        at = time[k] + delay
        if int(pos[k] + delay / width) == window and at <= duration:
            times[n] = at
            weights[n] = weight
            n += 1
    return n


@kernel
def gather(net, grid, population, base, target, window, trains, arrivals):
    """Collect the arrivals within a window from outside its group. Returns how many."""
    n, width, count = 0, grid.width[population], grid.count[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] >= 0:
            continue
        row = pair - base
        early = window - int(net.reach[pair, 1] / width) - 2
        late = window - int(net.reach[pair, 0] / width)
        low = trains.first[row, max(0, early)]
        high = trains.first[row, min(count, late + 1)] if late >= 0 else 0
        sources = net.size[net.pairs[pair, 0]]
        first = net.pairs[pair, 2] + target * sources
        spikes = (trains.time[row], trains.source[row], trains.pos[row], trains.near[row])
        n = collect(grid, population, net.duration, first, sources, window, low, high, spikes, n,
                     arrivals)  # fmt: skip
    return n


@kernel
def order(n, arrivals, begin, end, rate):
    """Sort a window's arrivals by time, put its ``end`` behind them, and find exp(t/tau_m).

    t counts from ``begin``, the start of the window.
    """
    times, weights, growth, _ = arrivals
    for k in range(1, n):
        at, weight = times[k], weights[k]
        slot = k
        while slot > 0 and times[slot - 1] > at:
            times[slot] = times[slot - 1]
            weights[slot] = weights[slot - 1]
            slot -= 1
        times[slot] = at
        weights[slot] = weight
    times[n], weights[n] = end, 0.0
    for k in range(n + 1):
        growth[k] = exp((times[k] - begin) * rate)
