"""A population with so few arrivals that all of them are sorted."""

from math import exp

import numpy as np

from ...model.jit import kernel
from .exponential import exponential
from .lanes import LANES, is_whole, run_lanes
from .neuron import Neuron, neuron_of, run, run_jump
from .structures import FULL, spikes_of


@kernel
def _by_time(net, population, sample, rate, time, start, sources, fill):
    """Fill ``sources``, in order of time, with all spikes into a population. Returns how many.

    ``sources`` : each spike's time, exp(t/tau_m), its synapse with target 0, and the step from a
    target to the next.
    """
    at, growth, synapses, step = sources
    total = 0
    for pair in range(net.into[population], net.into[population + 1]):
        starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)[1]
        total += starts[-1] - starts[0]
    scale = (total - 0.5) / net.duration
    fill[: total + 1] = 0
    for turn in range(2):
        for pair in range(net.into[population], net.into[population + 1]):
            spikes, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
            for source in range(starts.shape[0] - 1):
                for k in range(starts[source], starts[source + 1]):
                    bucket = min(int(spikes[k] * scale), total - 1)
                    if turn == 0:
                        fill[bucket + 1] += 1
                        continue
                    slot = fill[bucket]
                    fill[bucket] += 1
                    at[slot], step[slot] = spikes[k], starts.shape[0] - 1
                    synapses[slot] = net.pairs[pair, 2] + source
        for k in range(total if turn == 0 else 0):
            fill[k + 1] += fill[k]
    for k in range(total):
        spike, synapse, stride, slot = at[k], synapses[k], step[k], k
        while slot > 0 and at[slot - 1] > spike:
            at[slot], synapses[slot], step[slot] = at[slot - 1], synapses[slot - 1], step[slot - 1]
            slot -= 1
        at[slot], synapses[slot], step[slot] = spike, synapse, stride
    for k in range(total):
        growth[k] = exponential(at[k] * rate)
    return total


@kernel
def run_few(net, grid, population, sample, sources, arrivals, time, fast, slope, start):
    """`run_layer` where a window is the whole sample: few arrivals, so all of them are sorted."""
    times, weights, growth, pick = arrivals
    delays, synapse_weights, by_delay = net.delays, net.weights, grid.slow
    # Names for all that neurons share: looking it up costs as much as an arrival.
    one = neuron_of(net, population, net.first[population])
    theta0, beta, duration, state = net.theta0, net.beta, net.duration, np.empty(4)
    rate, top = one.rates[0], exp(duration * one.rates[0])
    total = _by_time(net, population, sample, rate, time, start, sources, pick)
    at, grown, synapses, step = sources
    low, used = net.first[population], start[net.first[population]]
    if net.size[population] >= LANES // 2 and not net.jump and is_whole(one.rates[1] / rate):
        return run_lanes(net, grid, population, total, sources, arrivals, time, fast, slope, start)
    for target in range(net.size[population]):
        n = 0
        for k in range(total):
            arrival = at[k] + delays[synapses[k] + target * step[k]]
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
            weights[slot] = synapse_weights[synapse]
            growth[slot] = grown[k] * by_delay[synapse]
        times[n], weights[n], growth[n] = duration, 0.0, top
        state[0], state[1], state[2], state[3] = 0.0, 0.0, 0.0, 0.0
        own = Neuron(one.rates, theta0[low + target], beta[low + target], one.single)
        if net.jump:
            used = run_jump(own, state, n, times, weights, duration, time, fast, slope, used)
        else:
            used = run(own, state, n, times, weights, growth, time, fast, slope, used)
        if used < 0:
            return FULL
        start[low + target + 1] = used
    return used
