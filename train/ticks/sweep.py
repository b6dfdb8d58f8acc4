"""Backwards through each sample's tape: the adjoints lP and lQ just before every spike."""

import numba as nb
import numpy as np

from ...model.jit import called_kernel as kernel
from ...model.jit import parallel_kernel
from .structures import LEAKY, SPIKE_COUNT


@kernel
def _worth(hop, weight, base, ring):
    """Return the sum of ``weight`` times what the ring holds for each arrival of a spike."""
    size = np.uint64(ring.shape[0])
    whole = hop.shape[0] // 4 * 4
    sums = np.zeros(4, ring.dtype)
    for s in range(0, whole, 4):
        for lane in range(4):
            place = base + hop[s + lane]
            sums[lane] += weight[s + lane] * ring[min(place, place - size)]
    for s in range(whole, hop.shape[0]):
        place = base + hop[s]
        sums[0] += weight[s] * ring[min(place, place - size)]
    return (sums[0] + sums[1]) + (sums[2] + sums[3])


@kernel
def _worth_of_jumps(net, hop, weight, base, ring):
    """As `_worth`, for jump synapses: to a neuron that fires, only the time of one matters."""
    size, neurons = np.uint64(ring.shape[0]), np.uint64(net.neurons)
    leaky = np.uint64(net.first[net.spiking])
    total = ring.dtype.type(0)
    for s in range(hop.shape[0]):
        place = base + hop[s]
        place = min(place, place - size)
        total += ring[place] * (weight[s] if place % neurons >= leaky else 1)
    return total


@kernel
def _layout(net, neuron, begin):
    """Set where each neuron's spikes begin."""
    begin[:] = 0
    for spike in range(neuron.shape[0]):
        begin[neuron[spike] + 1] += 1
    for j in range(net.neurons):
        begin[j + 1] += begin[j]


@kernel
def _seed(net, readout, pull, fired, j):
    """Return dL/dt of an output's spike by the loss; ``fired``: of its spikes this is the first."""
    low = net.first[net.first.shape[0] - 2]
    if readout == LEAKY or j < low:
        return 0.0
    if readout == SPIKE_COUNT:
        return -pull[j - low] / net.duration
    return pull[j - low] if fired else 0.0


@kernel
def _expose(net, readout, now, p, q, pull, row):
    """Write what dL/dt of an arrival in tick ``now`` is, for a weight of 1, of all neurons."""
    for population in range(net.first.shape[0] - 1):
        low, high = net.first[population], net.first[population + 1]
        if population >= net.spiking:
            for j in range(low, high):
                row[j] = pull[j - low] * net.readout[now].imag
        elif net.jump:
            row[low:high] = 0
        else:
            _mix(p[low:high], q[low:high], net.rate[population], row[low:high])


@kernel
def _mix(p, q, rate, row):
    for j in range(p.shape[0]):
        row[j] = p[j] * rate[0] + q[j] * rate[1]


@kernel
def _decay(p, q, a, decay):
    for j in range(p.shape[0]):
        p[j] *= decay[0]
        q[j] *= decay[1]
        a[j] *= decay[2]


@kernel
def _back(net, readout, k, tape, used, pull, limits, state, ring, head, spikes, theta0, beta):
    """Sweep one sample. Returns how many spikes were limited."""
    p, q, a = state[0], state[1], state[2]
    state[:] = 0
    ring[:] = 0
    limited = 0
    _layout(net, tape.neuron[k, :used], spikes.begin[k])
    head[:] = spikes.begin[k, 1:]
    spike = used - 1
    n = net.neurons
    for now in range(net.ticks - 1, -1, -1):
        base = now % net.slots * n
        row = ring[base : base + n]
        _expose(net, readout, now, p, q, pull, row)
        while spike >= 0 and tape.tick[k, spike] == now:
            j = tape.neuron[k, spike]
            head[j] -= 1
            begin, end = net.row_start[net.inputs + j], net.row_start[net.inputs + j + 1]
            total = _seed(net, readout, pull, head[j] == spikes.begin[k, j], j)
            spikes.at[k, head[j]] = now
            hop, weight = net.hop[begin:end], net.weight[begin:end]
            if net.jump:
                total += _worth_of_jumps(net, hop, weight, np.uint32(base), ring)
                row[j] = total / tape.slope[k, spike]
                spikes.lp[k, head[j]], spikes.lq[k, head[j]] = 0, row[j]
                spike -= 1
                continue
            total += _worth(hop, weight, np.uint32(base), ring)
            rate = net.rate[population_of(net, j)]
            total += p[j] * tape.fast[k, spike] * (rate[0] - rate[1]) + a[j] * net.beta[j] * rate[2]
            exact = total / tape.slope[k, spike]
            r = min(limits[1], max(-limits[1], total / max(tape.slope[k, spike], limits[0])))
            limited += r != exact
            theta0[j] += r
            beta[j] += a[j]
            p[j], q[j], a[j] = -r, q[j] + p[j] + r, a[j] + r
            spikes.lp[k, head[j]], spikes.lq[k, head[j]] = p[j], q[j]
            spike -= 1
        for population in range(net.spiking):
            low, high = net.first[population], net.first[population + 1]
            _decay(p[low:high], q[low:high], a[low:high], net.decay[population])
    return limited


@kernel
def _by_count(begin, order):
    """Order sources by their number of spikes."""
    sources = order.shape[0]
    most = 0
    for i in range(sources):
        most = max(most, begin[i + 1] - begin[i])
    place = np.zeros(most + 2, np.int64)
    for i in range(sources):
        place[begin[i + 1] - begin[i] + 1] += 1
    for count in range(most + 1):
        place[count + 1] += place[count]
    for i in range(sources):
        count = begin[i + 1] - begin[i]
        order[place[count]] = i
        place[count] += 1


@kernel
def population_of(net, neuron):
    """Return the population that a neuron is in."""
    population = 0
    while neuron >= net.first[population + 1]:
        population += 1
    return population


@parallel_kernel
def sweep(net, readout, pieces, tape, used, pull, limits, spikes, theta0, beta, limited):
    """Find the adjoints at all spikes of a batch.

    Parameters
    ----------
    net : Grid
    used : (batch,) int64
        Spikes on the tape.
    pull : (batch, outputs) float64
        dL/dscore.
    limits : (float, float)
        Least slope to divide by, 1/ms, and largest r of a spike.
    spikes : Spikes
        Filled.
    theta0, beta : (batch, neurons) float64
        Filled with each sample's gradients.
    limited : (batch,) int64
        Filled with the spikes whose r was changed.
    """
    batch = limited.shape[0]
    for piece in nb.prange(pieces):
        state = np.empty((3, net.neurons), net.weight.dtype)
        ring = np.empty(net.slots * net.neurons, net.weight.dtype)
        head = np.empty(net.neurons, np.int32)
        for k in range(piece * batch // pieces, (piece + 1) * batch // pieces):
            theta0[k] = 0.0
            beta[k] = 0.0
            limited[k] = _back(
                net, readout, k, tape, used[k], pull[k], limits, state, ring, head, spikes,
                theta0[k], beta[k],
            )  # fmt: skip
            _by_count(tape.begin[k], spikes.order[k, : net.inputs])
            for population in range(net.spiking):
                low, high = net.first[population], net.first[population + 1]
                order = spikes.order[k, net.inputs + low : net.inputs + high]
                _by_count(spikes.begin[k, low : high + 1], order)
