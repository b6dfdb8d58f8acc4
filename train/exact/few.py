"""A population with so few arrivals that all of them are sorted."""

from math import exp

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .exponential import exponential
from .first import BUCKETS, ROOM, order_places, run_first
from .lanes import LANES, is_whole, run_lanes
from .neuron import Neuron, neuron_of, run, run_jump
from .structures import FULL, Index, spikes_of


@kernel
def list_spikes(net, population, sample, rate, until, time, start, sources):
    """Fill ``sources`` with the spikes into a population that can arrive by ``until``.

    ``sources`` : each spike's time, exp(t/tau_m), its synapse with target 0, and the step from a
    target to the next. Returns how many there are.
    """
    at, growth, synapses, step = sources
    total = 0
    for pair in range(net.into[population], net.into[population + 1]):
        spikes, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
        size = starts.shape[0] - 1
        for source in range(size):
            for k in range(Index(starts[source]), Index(starts[source + 1])):
                place = Index(total)
                at[place], step[place] = spikes[k], size
                synapses[place] = net.pairs[pair, 2] + source
                total += spikes[k] + net.reach[pair, 0] <= until
    for k in range(total):
        growth[k] = exponential(at[k] * rate)
    return total


@kernel
def _by_time(total, duration, sources, times, room):
    """Put listed spikes in order of time. ``times`` and ``room`` : as `order_places` takes them."""
    at, growth, synapses, step = sources
    pick, _, copy = room
    for k in range(total):
        times[k] = at[k]
    order_places(times, total, duration, room)
    for k in range(total):
        at[k] = times[pick[k]]
    for k in range(total):
        times[k] = growth[k]
    for k in range(total):
        growth[k] = times[pick[k]]
    for values in (synapses, step):
        for k in range(total):
            copy[k] = values[k]
        for k in range(total):
            values[k] = copy[pick[k]]


@kernel
def _run_each(net, grid, population, total, sources, arrivals, state, time, fast, slope, start):
    """`run_few`, one neuron after the other."""
    times, weights, growth, pick = arrivals
    at, grown, synapses, step = sources
    one, duration = neuron_of(net, population, net.first[population]), net.duration
    low, used = net.first[population], start[net.first[population]]
    for target in range(net.size[population]):
        n = 0
        for k in range(total):
            arrival = at[k] + net.delays[synapses[k] + target * step[k]]
            if arrival > duration:
                continue
            slot = n
            while slot > 0 and times[slot - 1] > arrival:
                times[slot], pick[slot] = times[slot - 1], pick[slot - 1]
                slot -= 1
            times[slot], pick[slot] = arrival, k
            n += 1
        for slot in range(n):
            k = pick[slot]
            synapse = synapses[k] + target * step[k]
            weights[slot] = net.weights[synapse]
            growth[slot] = grown[k] * grid.slow[synapse]
        times[n], weights[n], growth[n] = duration, 0.0, exp(duration * one.rates[0])
        state[0], state[1], state[2], state[3] = 0.0, 0.0, 0.0, 0.0
        own = Neuron(one.rates, net.theta0[low + target], net.beta[low + target], one.single)
        if net.jump:
            used = run_jump(own, state, n, times, weights, duration, time, fast, slope, used)
        else:
            used = run(own, state, n, times, weights, growth, time, fast, slope, used)
        if used < 0:
            return FULL
        start[low + target + 1] = used
    return used


@allocating_kernel
def run_few(net, grid, population, sample, sources, arrivals, time, fast, slope, start):
    """`run_layer` where a window is the whole sample: few arrivals, so all of them are sorted."""
    rates, times = net.rates[population], arrivals[0]
    total = list_spikes(net, population, sample, rates[0], net.duration, time, start, sources)
    room = (arrivals[3], np.empty(BUCKETS * total + ROOM, np.int64), np.empty(total, np.int64))
    if net.single and population == net.final and not net.jump:
        return run_first(net, grid, population, total, sources, times, room,
                         time, fast, slope, start)  # fmt: skip
    _by_time(total, net.duration, sources, times, room)
    if net.size[population] >= LANES // 2 and not net.jump and is_whole(rates[1] / rates[0]):
        return run_lanes(net, grid, population, total, sources, arrivals, time, fast, slope, start)
    return _run_each(net, grid, population, total, sources, arrivals, np.empty(4),
                     time, fast, slope, start)  # fmt: skip
