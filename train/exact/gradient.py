"""From what spikes are worth to the gradients of weights and delays.

Every target owns its synapses, so that targets run in parallel, each sums over the samples in
their order, and nothing depends on the threads.
"""

import numba as nb
import numpy as np

from ...model.jit import allocating_kernel, kernel, parallel_kernel
from .few_adjoint import gradient_few, room_for_few
from .readout import readout_value
from .structures import Index, Sample, spikes_of
from .table import fill_table, read_near, touch
from .windows import place


@kernel
def _gather(net, grid, pair, target, times, starts, tape, worth, places, tables, by_weight,
            by_delay):  # fmt: skip
    """Add one sample's gradients of the synapses of one connection onto one target."""
    time, slope, start = tape
    g = worth[0]
    spots, slots, slows, fasts = places
    slow, fast, spikes = tables
    population = net.pairs[pair, 1]
    count, rates, back = grid.count[population], net.rates[population], grid.back[population]
    neuron = net.first[population] + target
    begin, end = start[neuron], start[neuron + 1]
    synapse = net.pairs[pair, 2] + target * (starts.shape[0] - 1)
    for source in range(starts.shape[0] - 1):
        weight, pos, lag = net.weights[synapse], grid.pos[synapse], grid.lag[synapse]
        p_sum, q_sum, delay_sum = 0.0, 0.0, 0.0
        begin_spikes, end_spikes = starts[source] - starts[0], starts[source + 1] - starts[0]
        for k in range(Index(begin_spikes), Index(end_spikes)):
            slot = int(spots[k] + pos)
            if slot >= count:
                continue
            p, q = slow[Index(slot)], fast[Index(slot)]
            if p != p:
                at = times[starts[0] + np.int64(k)] + net.delays[synapse]
                if net.jump:
                    delay_sum += touch(at, begin, end, time, slope, g)
                    continue
                p, q = read_near(at, slot, time, begin, end, spikes)
            late = Index(slot - slots[k] - lag)
            p_sum += p * slows[k] * back[0, late]
            q_sum += q * fasts[k] * back[1, late]
        p_sum *= grid.slow[synapse]
        q_sum *= grid.fast[synapse]
        by_weight[synapse] += p_sum + q_sum
        by_delay[synapse] += delay_sum + weight * (p_sum * rates[0] + q_sum * rates[1])
        synapse += 1


@kernel
def _read(net, pair, target, times, starts, pull, by_weight, by_delay):
    """Add one sample's gradients of the synapses onto one leaky output."""
    population = net.pairs[pair, 1]
    synapse = net.pairs[pair, 2] + target * (starts.shape[0] - 1)
    for source in range(starts.shape[0] - 1):
        weight, delay = net.weights[synapse], net.delays[synapse]
        value_sum, change_sum = 0.0, 0.0
        for k in range(starts[source], starts[source + 1]):
            at = times[k] + delay
            if at <= net.duration:
                value, change = readout_value(net, population, at)
                value_sum += value
                change_sum += change
        by_weight[synapse] += pull * value_sum
        by_delay[synapse] += pull * weight * change_sum
        synapse += 1


@allocating_kernel
def _share(net, grid, chunk, chunks, sample, tape, worth, pull, places, tables, few,
           by_weight, by_delay):  # fmt: skip
    """Add one sample's gradients of every ``chunks``-th target."""
    time, _, start = tape
    _, lp, lq = worth
    for population in range(1, net.size.shape[0]):
        if grid.count[population] == 1 and not (net.leaky and population == net.final):
            gradient_few(net, grid, population, chunk, chunks, sample, tape, worth, *few,
                         by_weight, by_delay)  # fmt: skip
    for pair in range(net.pairs.shape[0]):
        population = net.pairs[pair, 1]
        times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
        if net.leaky and population == net.final:
            for target in range(chunk, net.size[population], chunks):
                _read(net, pair, target, times, starts, pull[target], by_weight, by_delay)
            continue
        if grid.count[population] == 1:
            continue
        place(times, starts[0], starts[-1], grid.width[population], net.rates[population],
              places[0], places[1], places[2], places[3])  # fmt: skip
        for target in range(chunk, net.size[population], chunks):
            neuron = net.first[population] + target
            if start[neuron] == start[neuron + 1]:
                continue
            fill_table(net, grid, population, neuron, time, start, lp, lq, *tables)
            _gather(net, grid, pair, target, times, starts, tape, worth, places, tables,
                    by_weight, by_delay)  # fmt: skip


@parallel_kernel
def gradient(net, grid, inputs, rows, chunks, events, tape, worth, pull, by_weight, by_delay):
    """Sum the gradients of a batch, all cores at once.

    Parameters
    ----------
    inputs : tuple
        Of `engine.Inputs`: ``time`` and ``start``.
    rows : (batch,) int64
    chunks : int
        Shares of the targets that are handed to threads.
    events : int
        Most input spikes of a sample.
    tape, worth, pull
        As for `backward.backward`.
    by_weight, by_delay : (synapses,) float64
        Added to.
    """
    for chunk in nb.prange(chunks):
        room, count = max(events, tape.time.shape[1]), grid.count.max()
        places = (np.empty(room), np.empty(room, np.int32), np.empty(room), np.empty(room))
        tables = (np.empty(count), np.empty(count), np.empty((room, 5)))
        few = room_for_few(events + tape.time.shape[1])
        for k in range(rows.shape[0]):
            _share(
                net, grid, chunk, chunks, Sample(inputs[0], inputs[1][rows[k]]),
                (tape.time[k], tape.slope[k], tape.start[k]),
                (worth[0][k], worth[1][k], worth[2][k]), pull[k], places, tables,
                few, by_weight, by_delay,
            )  # fmt: skip
