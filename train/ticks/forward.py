"""Forwards: every spike of a batch, tick by tick."""

import numba as nb
import numpy as np

from ...model.jit import called_kernel as kernel
from ...model.jit import parallel_kernel
from .events import by_tick, encode_sample
from .structures import FIRST_SPIKE, FULL, LEAKY


@kernel
def _push(sources, offset, row_start, hop, weight, base, ring):
    """Add the weights of spiking sources to the ring; ``base`` is where its tick's row begins."""
    size = np.uint64(ring.shape[0])
    for i in range(sources.shape[0]):
        begin, end = row_start[sources[i] + offset], row_start[sources[i] + offset + 1]
        ahead, amount = hop[begin:end], weight[begin:end]
        for s in range(ahead.shape[0]):
            place = base + ahead[s]
            ring[min(place, place - size)] += amount[s]  # below 0 a place is huge


@kernel
def _count(sources, offset, row_start, hop, base, ring):
    """Count the arrivals where `_push` adds them."""
    size = np.uint64(ring.shape[0])
    for i in range(sources.shape[0]):
        for ahead in hop[row_start[sources[i] + offset] : row_start[sources[i] + offset + 1]]:
            place = base + ahead
            ring[min(place, place - size)] += 1


@kernel
def _advance(p, q, a, theta0, arrival, decay, jump):
    """Take a population through a tick up to the comparison. Returns how many neurons fire."""
    hits = 0
    if jump:
        for j in range(p.shape[0]):
            p[j] = p[j] * decay[0] + arrival[j]
            a[j] *= decay[2]
            hits += p[j] >= theta0[j] + a[j]
    else:
        for j in range(p.shape[0]):
            p[j] *= decay[0]
            q[j] *= decay[1]
            a[j] *= decay[2]
            hits += p[j] - q[j] >= theta0[j] + a[j]
    return hits


@kernel
def _fire(net, population, now, p, q, a, crowd, tape, k, used):
    """Reset the neurons that fire, note them on the tape. Returns the spikes on it or FULL."""
    low, rate = net.first[population], net.rate[population]
    for j in range(low, net.first[population + 1]):
        if p[j] - q[j] >= net.theta0[j] + a[j]:
            if used == tape.tick.shape[1]:
                return FULL
            tape.tick[k, used], tape.neuron[k, used] = now, j
            tape.fast[k, used] = q[j]
            slope = q[j] * rate[1] + a[j] * rate[2] - p[j] * rate[0]
            tape.slope[k, used] = crowd[j] if net.jump else slope
            used += 1
            p[j] = q[j]
            a[j] += net.beta[j]
    return used


@kernel
def _add(p, q, arrival):
    for j in range(p.shape[0]):
        p[j] += arrival[j]
        q[j] += arrival[j]


@kernel
def _run(net, k, tape, state, ring, crowd, head, channels, score):
    """Run one sample; ``score`` gets the integrals of outputs that don't fire."""
    p, q, a = state[0], state[1], state[2]
    state[:] = 0
    ring[:] = 0
    crowd[:] = 0
    used, event = 0, 0
    by_tick(tape.begin[k], tape.at[k], head, channels)
    n = net.neurons
    for now in range(net.ticks):
        row = now % net.slots * n
        arrival, present = ring[row : row + n], crowd[row : row + n * net.jump]
        earlier = used
        for population in range(net.first.shape[0] - 1):
            low, high = net.first[population], net.first[population + 1]
            if population >= net.spiking:
                for j in range(low, high):
                    score[j - low] += arrival[j] * net.readout[now].real
                continue
            hits = _advance(
                p[low:high], q[low:high], a[low:high], net.theta0[low:high], arrival[low:high],
                net.decay[population], net.jump,
            )  # fmt: skip
            if hits:
                used = _fire(net, population, now, p, q, a, present, tape, k, used)
                if used == FULL:
                    return FULL
            if not net.jump:
                _add(p[low:high], q[low:high], arrival[low:high])
        arrival[:] = 0
        present[:] = 0
        events, fired = channels[event : head[now]], tape.neuron[k, earlier:used]
        event = head[now]
        base = np.uint32(row)
        _push(events, 0, net.row_start, net.hop, net.weight, base, ring)
        _push(fired, net.inputs, net.row_start, net.hop, net.weight, base, ring)
        if net.jump:
            _count(events, 0, net.row_start, net.hop, base, crowd)
            _count(fired, net.inputs, net.row_start, net.hop, base, crowd)
    return used


@kernel
def _score(net, readout, tick, neuron, score):
    """Fill the scores of outputs that fire from a sample's spikes."""
    low = net.first[net.spiking - 1]
    score[:] = np.inf if readout == FIRST_SPIKE else 0.0
    for k in range(tick.shape[0]):
        if neuron[k] >= low:
            time = tick[k] * net.tick
            if readout == FIRST_SPIKE:
                score[neuron[k] - low] = min(score[neuron[k] - low], time)
            else:
                score[neuron[k] - low] += 1.0 - time / net.duration


@parallel_kernel
def forward(net, readout, time, start, rows, pieces, tape, used, score, counts):
    """Run a batch.

    Parameters
    ----------
    net : Grid
    readout : int
        LEAKY, FIRST_SPIKE or SPIKE_COUNT.
    time, start
        As in `engine.Inputs`.
    rows : (batch,) int64
        Samples to run.
    pieces : int
        Pieces that the batch is cut into, each with its own rings.
    tape : Tape
        Filled.
    used : (batch,) int64
        Filled with the spikes on the tape, or FULL. An argument of its own because numba 0.68.1
        loses what a parallel loop writes to a one-dimensional array of a tuple.
    score : (batch, outputs) float64, counts : (batch, inputs + neurons) int64
        Filled.
    """
    batch = rows.shape[0]
    for piece in nb.prange(pieces):
        state = np.empty((3, net.neurons), net.weight.dtype)
        ring = np.empty(net.slots * net.neurons, net.weight.dtype)
        crowd = np.empty(net.slots * net.neurons * net.jump, np.int32)
        head = np.empty(net.ticks + 1, np.int32)
        channels = np.empty(tape.at.shape[1], np.int32)
        for k in range(piece * batch // pieces, (piece + 1) * batch // pieces):
            encode_sample(net, time, start[rows[k]], tape.begin[k], tape.at[k])
            score[k] = 0.0
            used[k] = _run(net, k, tape, state, ring, crowd, head, channels, score[k])
            if readout != LEAKY:
                _score(net, readout, tape.tick[k, : max(used[k], 0)], tape.neuron[k], score[k])
            counts[k, net.inputs :] = 0
            for channel in range(net.inputs):
                counts[k, channel] = tape.begin[k, channel + 1] - tape.begin[k, channel]
            for spike in range(used[k]):
                counts[k, net.inputs + tape.neuron[k, spike]] += 1
