"""A population with few arrivals, backwards: each arrival meets the target's next spike.

Only spikes that are worth something, and arrivals up to the last of them, are looked at: where
only first spikes are read, that's half or less. Every such arrival is held against every such
spike of its target, without a branch.
"""

from math import inf

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .exponential import exponential
from .few import list_spikes
from .structures import Index


@kernel
def _list_hits(net, population, chunk, chunks, tape, worth, hits):
    """Fill ``hits`` with the spikes of every ``chunks``-th target that arrivals may meet.

    ``hits`` : targets, (spikes,) int64; and (4, spikes), the time of the spike before and its own,
    lP and lQ there as if at time 0. Jump synapses' have what an arrival at that time is worth in
    lP's place. Returns how many, and the last one's time.
    """
    time, slope, start = tape
    g, lp, lq = worth
    targets, (befores, afters, ps, qs) = hits
    low, rates, count, last = net.first[population], net.rates[population], 0, -inf
    for target in range(chunk, net.size[population], chunks):
        before = -inf
        for hit in range(Index(start[low + target]), Index(start[low + target + 1])):
            p, q = (g[hit] / slope[hit], 0.0) if net.jump else (lp[hit], lq[hit])
            row = Index(count)
            targets[row], befores[row], afters[row] = target, before, time[hit]
            ps[row], qs[row] = p, q
            before = time[hit]
            if p != 0.0 or q != 0.0:
                count += 1
                last = max(last, before)
    for row in range(0 if net.jump else count):
        ps[row] *= exponential(-afters[row] * rates[0])
        qs[row] *= exponential(-afters[row] * rates[1])
    return count, last


@allocating_kernel
def room_for_few(most):
    """Return scratch for `pull_few` and `gradient_few`: as many spikes as there can be."""
    ends = (np.empty(most), np.empty(most), np.empty(most), np.empty(most))
    hits = (np.empty(most, np.int64), ends)
    sources = (np.empty(most), np.empty(most), np.empty(most, np.int64), np.empty(most, np.int64))
    return hits, np.empty(most), sources


@kernel
def pull_few(net, grid, pair, tape, g, lp, lq, hits, fast, sources):
    """Add to ``g`` of a connection's sources what their arrivals are worth. The rest is scratch."""
    time, _, slope, start = tape
    targets, (befores, afters, ps, qs) = hits
    at, slow, source, spike = sources
    source_population, population = net.pairs[pair, 0], net.pairs[pair, 1]
    first = net.first[source_population]
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    count, last = _list_hits(net, population, 0, 1, (time, slope, start), (g, lp, lq), hits)
    total, size = 0, net.size[source_population]
    for neuron in range(size):
        begin, end = start[first + neuron], start[first + neuron + 1]
        for k in range(Index(begin), Index(end)):
            place = Index(total)
            at[place], source[place], spike[place] = time[k], neuron, k
            total += time[k] + net.reach[pair, 0] <= last
    for k in range(total):
        slow[k] = rate_m * exponential(at[k] * rate_m)
        fast[k] = rate_s * exponential(at[k] * rate_s)
    for row in range(count):
        before, after, p, q = befores[row], afters[row], ps[row], qs[row]
        synapses = net.pairs[pair, 2] + targets[row] * size
        for k in range(total):
            synapse = Index(synapses + source[k])
            arrival = at[k] + net.delays[synapse]
            if net.jump:
                g[Index(spike[k])] += p * (arrival == after)
                continue
            worth = p * slow[k] * grid.slow[synapse] + q * fast[k] * grid.fast[synapse]
            worth *= net.weights[synapse]
            g[Index(spike[k])] += worth * ((before < arrival) & (arrival <= after))


@kernel
def gradient_few(net, grid, population, chunk, chunks, sample, tape, worth, hits, fast, sources,
                 by_weight, by_delay):  # fmt: skip
    """Add one sample's gradients of every ``chunks``-th target whose window is the whole sample.

    ``hits``, ``fast`` and ``sources`` are scratch.
    """
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    targets, (befores, afters, ps, qs) = hits
    count, last = _list_hits(net, population, chunk, chunks, tape, worth, hits)
    total = list_spikes(net, population, sample, rate_m, last, tape[0], tape[2], sources)
    at, slow, synapses, step = sources
    for k in range(total):
        fast[k] = exponential(at[k] * rate_s)
    for k in range(total):
        now, by_slow, by_fast, first, stride = at[k], slow[k], fast[k], synapses[k], step[k]
        for row in range(count):
            synapse = Index(first + targets[row] * stride)
            arrival = now + net.delays[synapse]
            if net.jump:
                by_delay[synapse] += ps[row] * (arrival == afters[row])
                continue
            meets = (befores[row] < arrival) & (arrival <= afters[row])
            p = ps[row] * by_slow * grid.slow[synapse] * meets
            q = qs[row] * by_fast * grid.fast[synapse] * meets
            by_weight[synapse] += p + q
            by_delay[synapse] += net.weights[synapse] * (p * rate_m + q * rate_s)
