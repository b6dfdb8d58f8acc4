"""A population with few arrivals, backwards: each arrival meets the target's next spike."""

from math import inf

import numpy as np

from ...model.jit import kernel
from .exponential import exponential
from .structures import spikes_of


@kernel
def pull_few(net, grid, pair, tape, g, lp, lq):
    """Add to ``g`` of a connection's sources what their arrivals are worth.

    Sources run through in a loop without a branch, once for each spike of a target.
    """
    time, _, slope, start = tape
    source_population, population = net.pairs[pair, 0], net.pairs[pair, 1]
    starts = start[net.first[source_population] : net.first[source_population + 1] + 1]
    first, total, sources = starts[0], starts[-1] - starts[0], starts.shape[0] - 1
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    at, own = time[first : starts[-1]], g[first : starts[-1]]
    slow, fast, source = np.empty(total), np.empty(total), np.empty(total, np.int64)
    for neuron in range(sources):
        source[starts[neuron] - first : starts[neuron + 1] - first] = neuron
    for k in range(total):
        slow[k] = rate_m * exponential(at[k] * rate_m)
        fast[k] = rate_s * exponential(at[k] * rate_s)
    for target in range(net.size[population]):
        neuron, synapses = net.first[population] + target, net.pairs[pair, 2] + target * sources
        into = slice(synapses, synapses + sources)
        weights, delays = net.weights[into], net.delays[into]
        by_rest_m, by_rest_s = grid.slow[into], grid.fast[into]
        before = -inf
        for hit in range(start[neuron], start[neuron + 1]):
            after = time[hit]
            p = lp[hit] * exponential(-after * rate_m)
            q = lq[hit] * exponential(-after * rate_s)
            touch = g[hit] / slope[hit]
            for k in range(total):
                arrival = at[k] + delays[source[k]]
                if net.jump:
                    own[k] += touch if arrival == after else 0.0
                    continue
                worth = p * slow[k] * by_rest_m[source[k]] + q * fast[k] * by_rest_s[source[k]]
                worth *= weights[source[k]]
                own[k] += worth if before < arrival <= after else 0.0
            before = after


@kernel
def gradient_few(net, grid, population, chunk, chunks, sample, tape, worth, by_weight,
         by_delay):  # fmt: skip
    """Add one sample's gradients of every ``chunks``-th target whose window is the whole sample."""
    time, slope, start = tape
    g, lp, lq = worth
    total, rates = 0, net.rates[population]
    rate_m, rate_s = rates[0], rates[1]
    for pair in range(net.into[population], net.into[population + 1]):
        starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)[1]
        total += starts[-1] - starts[0]
    at, slow, fast = np.empty(total), np.empty(total), np.empty(total)
    synapses, step = np.empty(total, np.int64), np.empty(total, np.int64)
    total = 0
    for pair in range(net.into[population], net.into[population + 1]):
        spikes, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
        for source in range(starts.shape[0] - 1):
            for k in range(starts[source], starts[source + 1]):
                at[total], step[total] = spikes[k], starts.shape[0] - 1
                synapses[total] = net.pairs[pair, 2] + source
                total += 1
    for k in range(total):
        slow[k], fast[k] = exponential(at[k] * rate_m), exponential(at[k] * rate_s)
    weights, delays, by_rest_m, by_rest_s = net.weights, net.delays, grid.slow, grid.fast
    low, jump = net.first[population], net.jump
    for target in range(chunk, net.size[population], chunks):
        begin, end = start[low + target], start[low + target + 1]
        last = -1
        p_end, q_end = 0.0, 0.0
        for k in range(total if begin < end else 0):
            synapse = synapses[k] + target * step[k]
            arrival = at[k] + delays[synapse]
            hit = begin
            while hit < end and time[hit] < arrival:
                hit += 1
            if hit == end:
                continue
            if jump:
                by_delay[synapse] += g[hit] / slope[hit] if time[hit] == arrival else 0.0
                continue
            if hit != last:
                last = hit
                p_end = lp[hit] * exponential(-time[hit] * rate_m)
                q_end = lq[hit] * exponential(-time[hit] * rate_s)
            p = p_end * slow[k] * by_rest_m[synapse]
            q = q_end * fast[k] * by_rest_s[synapse]
            by_weight[synapse] += p + q
            by_delay[synapse] += weights[synapse] * (p * rate_m + q * rate_s)
