"""How a network's populations cut their time into windows, and how its synapses look through them.

That changes with every step of the delays, so it's done by kernels, for all synapses at once.
"""

import numpy as np

from ...model.jit import called_kernel
from .exponential import exponential
from .structures import PARTS, Grid, Index

__all__ = ["find_reach", "grid_of", "through"]

CROWD = 8.0
"""Arrivals in a window of a neuron, about: fewer cost walking, more cost opening windows."""

LONG = 100.0
"""A window of so many tau_s or more isn't used: its factors would overflow."""


def grid_of(net, events: float) -> Grid:
    """Cut each population's time so that some arrivals fall into a window of a neuron.

    Parameters
    ----------
    net : Net
    events : float
        Input spikes of a sample, on the average. Not those of the samples at hand: a sample's
        spikes don't depend on its batch, but can differ in their last places between two datasets.
    """
    width = np.empty(len(net.size))
    _choose_widths(net, events, width)
    return through(net, width)


def through(net, width: np.ndarray) -> Grid:
    """Return the `Grid` of a network whose populations have windows of ``width``, ms."""
    size = len(net.weights)
    count, back = np.empty(len(width), np.int64), np.empty((len(width), 3, 3))
    most = _count_windows(net, width, count, back)
    lag, near = (
        np.empty(size, np.uint16 if most * parts < 2**16 - 1 else np.int32) for parts in (1, PARTS)
    )
    pos, slow, fast, both = np.empty(size), np.empty(size), np.empty(size), np.empty((size, 2))
    _see(net, width, pos, lag, slow, fast, near, both)
    return Grid(width, count, back, pos, lag, slow, fast, near, both)


@called_kernel
def _choose_widths(net, events, width):
    """Fill ``width``, (populations,) float64, ms: the same in a group that feeds itself."""
    width[0] = net.duration
    for group in range(net.groups.shape[0] - 1):
        begin, end = net.groups[group], net.groups[group + 1]
        arrivals, tau_s, shortest = 0.0, np.inf, np.inf
        least, most = np.inf, -np.inf
        for population in range(begin, end):
            tau_s = min(tau_s, 1.0 / net.rates[population, 1])
        for pair in range(net.into[begin], net.into[end]):
            source = net.pairs[pair, 0]
            arrivals += events if source == 0 else net.size[source]
            least, most = min(least, net.reach[pair, 0]), max(most, net.reach[pair, 1])
            if net.pairs[pair, 3] >= 0:
                shortest = min(shortest, net.reach[pair, 0])
        best = min(tau_s, max(tau_s / 8, CROWD * net.duration / max(arrivals, 1.0)))
        # Few arrivals cost less sorted than in windows, if it's in buckets or they overtake fewer.
        overtaken = arrivals * min(1.0, (most - least) / net.duration)
        buckets = net.single and begin == net.final
        few = arrivals <= 20 * CROWD and (buckets or overtaken <= 2 * CROWD)
        if shortest < np.inf:
            best = min(best, shortest)
        elif few and net.duration < LONG * tau_s:
            best = 1.001 * net.duration
        width[begin:end] = best


@called_kernel
def _count_windows(net, width, count, back):
    """Fill ``count`` and ``back`` of a `Grid`. Returns the longest delay in windows."""
    most = 0.0
    for population in range(width.shape[0]):
        count[population] = int(np.floor(net.duration / width[population])) + 1
        for trace in range(3):
            lost = width[population] * net.rates[population, trace]
            for windows in range(3):
                back[population, trace, windows] = exponential(-lost * windows)
    for pair in range(net.pairs.shape[0]):
        most = max(most, net.reach[pair, 1] / width[net.pairs[pair, 1]])
    return most


@called_kernel
def _see(net, width, pos, lag, slow, fast, near, both):
    """Fill a `Grid`'s arrays of the synapses, and of the copies of those within a group."""
    for pair in range(net.pairs.shape[0]):
        source, target, first, copy = net.pairs[pair]
        own, rate_m, rate_s = width[target], net.rates[target, 0], net.rates[target, 1]
        for begin in (first, copy):
            if begin < 0:
                continue
            end = begin + net.size[source] * net.size[target]
            for synapse in range(Index(begin), Index(end)):
                pos[synapse] = net.delays[synapse] / own
                rest = (pos[synapse] - np.floor(pos[synapse])) * own
                slow[synapse] = exponential(rest * rate_m)
                fast[synapse] = exponential(rest * rate_s)
            for synapse in range(Index(begin), Index(end)):
                lag[synapse], near[synapse] = int(pos[synapse]), int(pos[synapse] * PARTS)
            for synapse in range(Index(begin), Index(end)):
                both[synapse, 0], both[synapse, 1] = net.delays[synapse], net.weights[synapse]


@called_kernel
def find_reach(size, pairs, delays, reach):
    """Fill ``reach``, (connections, 2) float64, with the shortest and the longest delay."""
    for pair in range(pairs.shape[0]):
        source, target, first, _ = pairs[pair]
        least, most = np.inf, -np.inf
        for synapse in range(first, first + size[source] * size[target]):
            least, most = min(least, delays[synapse]), max(most, delays[synapse])
        reach[pair, 0], reach[pair, 1] = least, most
