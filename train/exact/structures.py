"""What the kernels share: a network, its windows, a tape of spikes."""

from typing import NamedTuple

import numpy as np

from ...model.jit import spliced_kernel

FULL = -1
"""Instead of the number of spikes: they don't fit."""

PARTS = 64
"""Parts of a window that arrivals are told apart by at a glance."""

Index = np.uint64
"""What indices in the innermost loops are: signed ones may count from an array's end, and to see
that they don't costs up to a third of such a loop. Unsigned and signed integers don't mix: Numba
makes floats of their sums."""


class Net(NamedTuple):
    """A network as the kernels see it. Population 0 is the input.

    ``size`` : (populations,) int64. ``first`` : (populations + 1,) int64, first neuron of each
    population; that of the input isn't used, its channels are numbered apart. ``groups`` :
    (groups + 1,) int64, first population of each group. ``pairs`` : (connections, 4) int64, source,
    target, first synapse, and first synapse of the copy or -1; sorted by target. ``into`` :
    (populations + 1,) int64, first connection into each population. Synapses stand target by
    target; those within a group have a copy behind all of them, source by source. ``reach`` :
    (connections, 2) float64, shortest and longest delay. ``rates`` : (populations, 3) float64,
    1/tau_m, 1/tau_s, 1/tau_a. ``theta0`` and ``beta`` are by neuron.
    """

    size: np.ndarray
    first: np.ndarray
    groups: np.ndarray
    pairs: np.ndarray
    into: np.ndarray
    reach: np.ndarray
    rates: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    jump: bool
    final: int  # the output population
    leaky: bool  # whether it doesn't fire
    single: bool  # whether its neurons stop at their first spike
    duration: float


class Grid(NamedTuple):
    """The windows of each population, and the synapses as seen through them.

    ``width`` : (populations,) float64, ms. ``count`` : (populations,) int64. ``back`` :
    (populations, 3, 3) float64, what P, Q and A decay to over 0, 1 and 2 windows. ``pos`` :
    (synapses,) float64, a synapse's delay in windows; ``lag``, uint16 or int32, are the whole ones.
    The rest is worth the factors ``slow`` = exp(rest/tau_m) and ``fast`` = exp(rest/tau_s).

    A spike has the same four. Its arrival's window is int(pos + pos), always in this arithmetic, so
    that nothing is lost or doubled at a boundary; that may be 0, 1 or, by rounding, 2 windows later
    than the sum of the whole ones.

    ``near`` : (synapses,) uint16 or int32, delays in `PARTS` of a window, rounded down. ``both`` :
    (synapses, 2) float64, delay and weight, side by side for those who jump from one to another.
    """

    width: np.ndarray
    count: np.ndarray
    back: np.ndarray
    pos: np.ndarray
    lag: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    near: np.ndarray
    both: np.ndarray


class Tape(NamedTuple):
    """What the backward pass needs, a row a sample.

    ``time``, ``fast`` and ``slope`` : (samples, room) float64, each spike's time, Q and slope of
    f just before it. A jump synapse's spike has no slope; there it's the number of arrivals at
    that instant. ``start`` : (samples, neurons + 1) int64.
    """

    time: np.ndarray
    fast: np.ndarray
    slope: np.ndarray
    start: np.ndarray


class Places(NamedTuple):
    """Spikes of the sources of one target, as seen through its windows: see `Grid`.

    A row a connection; by neuron, and within it by time.
    """

    pos: np.ndarray
    slot: np.ndarray
    slow: np.ndarray
    fast: np.ndarray


class Trains(NamedTuple):
    """The same spikes in the order of their windows; those of window w begin at ``first[w]``.

    ``near`` : their places in `PARTS` of a window, rounded down.
    """

    time: np.ndarray
    source: np.ndarray
    pos: np.ndarray
    near: np.ndarray
    first: np.ndarray


class Sample(NamedTuple):
    """The input spikes of one sample, by channel as on a tape."""

    time: np.ndarray
    start: np.ndarray


@spliced_kernel
def spikes_of(net, population, sample, time, start):
    """Return the times of a population's spikes, and where each neuron's begin."""
    if population == 0:
        return sample.time, sample.start
    return time, start[net.first[population] : net.first[population + 1] + 1]
