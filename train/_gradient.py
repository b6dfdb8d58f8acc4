"""The exact engine, last step: from what spikes are worth to the gradients of parameters.

Every target owns its synapses, so that targets run in parallel, each sums over the samples in
their order, and nothing depends on the threads. Symbols and tables are those of `_backward`.

Every kernel calls only kernels of this file, because Numba's cache doesn't see changes in others.
"""

from math import exp

import numba as nb
import numpy as np

# Inlined, because a call that hands a tuple of arrays on costs more than most of them do.
kernel = nb.njit(cache=True, error_model="numpy", forceinline=True)
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)


@kernel
def _spikes(net, population, sample_time, sample_start, time, start):
    """Return the times of a population's spikes, and where each neuron's begin."""
    if population == 0:
        return sample_time, sample_start
    return time, start[net.first[population] : net.first[population + 1] + 1]


@kernel
def place(time, begin, end, width, rates, pos, slot, slow, fast):
    """See spikes ``begin`` to ``end`` through windows of ``width``, as `_forward.place`."""
    for k in range(end - begin):
        pos[k] = time[begin + k] / width
        slot[k] = int(pos[k])
        rest = (pos[k] - slot[k]) * width
        slow[k] = exp(rest * rates[0])
        fast[k] = exp(rest * rates[1])


@kernel
def fill_table(net, grid, population, neuron, time, start, lp, lq, slow, fast, spikes):
    """Lay out a neuron's adjoints, as `_backward.fill_table`."""
    width, count = grid.width[population], grid.count[population]
    rates = net.rates[population]
    back_m, back_s = grid.back[population, 0, 1], grid.back[population, 1, 1]
    free = count  # windows from here on are filled
    p, q = 0.0, 0.0  # at the start of window free - 1
    for k in range(start[neuron + 1] - 1, start[neuron] - 1, -1):
        own = min(int(time[k] / width), count - 1)
        for window in range(free - 1, own, -1):
            slow[window], fast[window] = p, q
            p *= back_m
            q *= back_s
        index = k - start[neuron]
        spikes[index, 0], spikes[index, 3], spikes[index, 4] = own, p, q
        if own < free:
            slow[own], fast[own] = np.nan, np.nan
        gap = time[k] - own * width
        p = 0.0 if net.jump else lp[k] * exp(-gap * rates[0])
        q = 0.0 if net.jump else lq[k] * exp(-gap * rates[1])
        spikes[index, 1], spikes[index, 2] = p, q
        if k > start[neuron] and int(time[k - 1] / width) >= own:
            free = own + 1
            continue
        free = own
        p *= back_m
        q *= back_s
    for window in range(free - 1, -1, -1):
        slow[window], fast[window] = p, q
        p *= back_m
        q *= back_s


@kernel
def _near(at, window, time, begin, end, spikes):
    """Return lP and lQ at the start of a window in which the neuron fires, for an arrival ``at``.

    They're those before its next spike there, or after the last one.
    """
    hit = begin
    if end - begin > 16:
        hit += np.searchsorted(time[begin:end], at)
    else:
        while hit < end and time[hit] < at:
            hit += 1
    if hit < end and spikes[hit - begin, 0] == window:
        return spikes[hit - begin, 1], spikes[hit - begin, 2]
    if hit == begin:  # by rounding at the window's edge
        return 0.0, 0.0
    return spikes[hit - begin - 1, 3], spikes[hit - begin - 1, 4]


@kernel
def _touch(at, begin, end, time, slope, g):
    """Return dL/dt of a jump's arrival, as `_backward._touch`."""
    hit = begin + np.searchsorted(time[begin:end], at)
    return g[hit] / slope[hit] if hit < end and time[hit] == at else 0.0


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
        for k in range(starts[source] - starts[0], starts[source + 1] - starts[0]):
            slot = int(spots[k] + pos)
            if slot >= count:
                continue
            p, q = slow[slot], fast[slot]
            if p != p:
                at = times[starts[0] + k] + net.delays[synapse]
                if net.jump:
                    delay_sum += _touch(at, begin, end, time, slope, g)
                    continue
                p, q = _near(at, slot, time, begin, end, spikes)
            late = slot - slots[k] - lag
            p_sum += p * slows[k] * back[0, late]
            q_sum += q * fasts[k] * back[1, late]
        p_sum *= grid.slow[synapse]
        q_sum *= grid.fast[synapse]
        by_weight[synapse] += p_sum + q_sum
        by_delay[synapse] += delay_sum + weight * (p_sum * rates[0] + q_sum * rates[1])
        synapse += 1


@kernel
def _readout_value(net, population, at):
    """Return K(at) and its derivative, as `_backward.readout_value`."""
    rate = 1.0 / net.duration
    left = net.duration - at
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    slow, fast = rate / (rate + rate_m), rate / (rate + rate_s)
    if net.jump:
        fast = 0.0
    value = (slow - fast) * exp(-at * rate)
    change = -rate * value
    if left * rate_m < 45.0:
        slow *= exp(-1.0 - left * rate_m)
        fast *= exp(-1.0 - left * rate_s)
        value += fast - slow
        change += fast * rate_s - slow * rate_m
    return value, change


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
                value, change = _readout_value(net, population, at)
                value_sum += value
                change_sum += change
        by_weight[synapse] += pull * value_sum
        by_delay[synapse] += pull * weight * change_sum
        synapse += 1


@kernel
def _few(net, grid, population, chunk, chunks, sample_time, sample_start, tape, worth, by_weight,
         by_delay):  # fmt: skip
    """Add one sample's gradients of every ``chunks``-th target whose window is the whole sample."""
    time, slope, start = tape
    g, lp, lq = worth
    total, rates = 0, net.rates[population]
    rate_m, rate_s = rates[0], rates[1]
    for pair in range(net.into[population], net.into[population + 1]):
        starts = _spikes(net, net.pairs[pair, 0], sample_time, sample_start, time, start)[1]
        total += starts[-1] - starts[0]
    at, slow, fast = np.empty(total), np.empty(total), np.empty(total)
    synapses, step = np.empty(total, np.int64), np.empty(total, np.int64)
    total = 0
    for pair in range(net.into[population], net.into[population + 1]):
        spikes, starts = _spikes(net, net.pairs[pair, 0], sample_time, sample_start, time, start)
        for source in range(starts.shape[0] - 1):
            for k in range(starts[source], starts[source + 1]):
                at[total], step[total] = spikes[k], starts.shape[0] - 1
                slow[total], fast[total] = exp(spikes[k] * rate_m), exp(spikes[k] * rate_s)
                synapses[total] = net.pairs[pair, 2] + source
                total += 1
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
                p_end = lp[hit] * exp(-time[hit] * rate_m)
                q_end = lq[hit] * exp(-time[hit] * rate_s)
            p = p_end * slow[k] * by_rest_m[synapse]
            q = q_end * fast[k] * by_rest_s[synapse]
            by_weight[synapse] += p + q
            by_delay[synapse] += weights[synapse] * (p * rate_m + q * rate_s)


@kernel
def _share(net, grid, chunk, chunks, sample_time, sample_start, tape, worth, pull, places, tables,
           by_weight, by_delay):  # fmt: skip
    """Add one sample's gradients of every ``chunks``-th target."""
    time, _, start = tape
    _, lp, lq = worth
    for population in range(1, net.size.shape[0]):
        if grid.count[population] == 1 and not (net.leaky and population == net.final):
            _few(net, grid, population, chunk, chunks, sample_time, sample_start, tape, worth,
                 by_weight, by_delay)  # fmt: skip
    for pair in range(net.pairs.shape[0]):
        population = net.pairs[pair, 1]
        times, starts = _spikes(net, net.pairs[pair, 0], sample_time, sample_start, time, start)
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
        As for `_backward.backward`.
    by_weight, by_delay : (synapses,) float64
        Added to.
    """
    for chunk in nb.prange(chunks):
        room, count = max(events, tape.time.shape[1]), grid.count.max()
        places = (np.empty(room), np.empty(room, np.int32), np.empty(room), np.empty(room))
        tables = (np.empty(count), np.empty(count), np.empty((room, 5)))
        for k in range(rows.shape[0]):
            _share(
                net, grid, chunk, chunks, inputs[0], inputs[1][rows[k]],
                (tape.time[k], tape.slope[k], tape.start[k]),
                (worth[0][k], worth[1][k], worth[2][k]), pull[k], places, tables,
                by_weight, by_delay,
            )  # fmt: skip
