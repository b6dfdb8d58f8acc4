"""The gradients: each target neuron reads the adjoints for all its synapses.

It looks up lP and lQ by the tick of an arrival in a table that it lays out from the neuron's
spikes. No sum runs over samples or threads but inside one neuron, so results don't depend on the
number of threads.
"""

import numba as nb
import numpy as np

from ...model.jit import called_kernel as kernel
from ...model.jit import parallel_kernel
from .sweep import population_of


@kernel
def _fill(net, population, begin, end, spikes, k, table):
    """Lay out one neuron's adjoints for an arrival in each tick, lP + 1j lQ."""
    low = 0
    for spike in range(begin, end):
        high = int(spikes.at[k, spike])
        if net.jump:
            table[low:high] = 0
            table[high] = complex(0.0, spikes.lq[k, spike])
            low = high + 1
            continue
        p, q = spikes.lp[k, spike], spikes.lq[k, spike]
        part = table[low:high]
        power = net.power[population, :, net.ticks + low - high :]
        slow, fast = power[0], power[1]
        for i in range(part.shape[0]):
            part[i] = complex(p * slow[i], q * fast[i])
        low = high
    table[low : net.ticks] = 0


@kernel
def _read(begin, at, order, reach, table, scale, sums):
    """Add up a table where the arrivals of one sample read it, source by source."""
    for i in order:
        early = reach[i]
        total = table.dtype.type(0)
        for s in range(begin[i], begin[i + 1]):
            total += table[at[s] + early]
        sums[i] += scale * total


@kernel
def _finish(net, population, sums, weight, weight_gradient, delay_gradient):
    """Turn what one connection read into a neuron's gradients."""
    rate = net.rate[population]
    for i in range(sums.shape[0]):
        slow, fast = sums[i].real, sums[i].imag
        if population >= net.spiking:
            weight_gradient[i], delay_gradient[i] = slow, weight[i] * fast
        elif net.jump:
            weight_gradient[i], delay_gradient[i] = 0, fast
        else:
            weight_gradient[i] = slow + fast
            delay_gradient[i] = weight[i] * (slow * rate[0] + fast * rate[1])


@kernel
def _gather(net, population, j, tape, spikes, pull, table, reach, sums, gradients):
    """Find all the gradients of the synapses onto neuron ``j``."""
    leaky = population >= net.spiking
    low = net.first[population]
    sums[:] = 0
    at = 0
    for c in range(net.connections.shape[0]):
        post, _, sources, synapse, stride = net.connections[c]
        if post == population:
            column = net.hop[synapse + j - low : synapse + sources * stride : stride]
            for i in range(sources):
                reach[at + i] = column[i] // np.uint32(net.neurons)
            at += sources
    for k in range(pull.shape[0]):
        if not leaky:
            if spikes.begin[k, j] == spikes.begin[k, j + 1]:
                continue
            _fill(net, population, spikes.begin[k, j], spikes.begin[k, j + 1], spikes, k, table)
        scale = pull[k, j - low] if leaky else 1.0
        seen = net.readout if leaky else table
        at = 0
        for c in range(net.connections.shape[0]):
            post, source, sources, _, _ = net.connections[c]
            if post == population:
                part = slice(at, at + sources)
                order = spikes.order[k, source : source + sources]
                begin, at_tick = tape.begin[k], tape.at[k]
                if source >= net.inputs:
                    begin, at_tick = spikes.begin[k, source - net.inputs :], spikes.at[k]
                _read(begin, at_tick, order, reach[part], seen, scale, sums[part])
                at += sources
    at = 0
    for c in range(net.connections.shape[0]):
        post, _, sources, synapse, stride = net.connections[c]
        if post == population:
            column = slice(synapse + j - low, synapse + sources * stride, stride)
            _finish(
                net, population, sums[at : at + sources], net.weight[column],
                gradients[0, column], gradients[1, column],
            )  # fmt: skip
            at += sources


@parallel_kernel
def gather(net, pieces, tape, spikes, pull, gradients):
    """Find the gradients of all synapses, each neuron those onto it.

    Parameters
    ----------
    net : Grid
    pieces : int
        Pieces that the neurons are cut into, each with its own table.
    pull : (batch, outputs) float64
        dL/dscore.
    gradients : (2, synapses) real
        Filled with those of weights and of delays, per ms.
    """
    longest = 0
    for population in range(net.first.shape[0] - 1):
        total = 0
        for c in range(net.connections.shape[0]):
            if net.connections[c, 0] == population:
                total += net.connections[c, 2]
        longest = max(longest, total)
    for piece in nb.prange(pieces):
        table = np.zeros(net.readout.shape, net.readout.dtype)
        reach = np.empty(longest, np.uint32)
        sums = np.empty(longest, np.complex128)
        begin, end = piece * net.neurons // pieces, (piece + 1) * net.neurons // pieces
        for j in range(begin, end):
            population = population_of(net, j)
            _gather(net, population, j, tape, spikes, pull, table, reach, sums, gradients)
