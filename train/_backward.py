"""The exact engine, backwards: from the scores to what every spike is worth.

Symbols are those of docs/gradients.md. The adjoints lP, lQ and lA of a neuron decay backwards in
time like their traces and jump only at its own spikes. So they need no queue: each spike's own
jump, latest first, gives ``lp`` and ``lq``, the adjoints just before it, from which every earlier
arrival reads. ``g`` holds dL/dt of each spike.

As on the way forwards (`_forward`), an arrival isn't looked up one by one. A neuron's adjoints are
laid out as a table, one pair a window as if at its start, and the arrival's factors exp(d/tau)
exp(t/tau) carry them to its time. A window with a spike of the neuron itself is marked by nan, and
its few arrivals are looked up.

Every kernel calls only kernels of this file, because Numba's cache doesn't see changes in others.
"""

from math import exp, inf

import numba as nb
import numpy as np

# Inlined, because a call that hands a tuple of arrays on costs more than most of them do.
kernel = nb.njit(cache=True, error_model="numpy", forceinline=True)
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)

LEAKY, FIRST_SPIKE, SPIKE_COUNT, MAX = 0, 1, 2, 3


@kernel
def _spikes(net, population, sample_time, sample_start, time, start):
    """Return the times of a population's spikes, and where each neuron's begin."""
    if population == 0:
        return sample_time, sample_start
    return time, start[net.first[population] : net.first[population + 1] + 1]


# ---------------------------------------------------------------------------- readouts


@kernel
def readout_value(net, population, at):
    """Return K(at), the score of an arrival of weight 1, and its derivative.

    With r = 1/T + 1/tau, each trace adds exp(-t/T) / (T r) - exp(-1 - (T-t)/tau) / (T r) to K.
    The second term is below rounding until 45 tau before the end.
    """
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
def _score(net, readout, sample_time, sample_start, time, start, score):
    """Fill one sample's scores: first spike times, ramp-weighted counts or leaky integrals."""
    population = net.final
    low = net.first[population]
    for target in range(net.size[population]):
        begin, end = start[low + target], start[low + target + 1]
        if readout == FIRST_SPIKE:
            score[target] = time[begin] if begin < end else inf
            continue
        total = 0.0
        for k in range(begin, end):
            total += 1.0 - time[k] / net.duration
        score[target] = total
    if readout != LEAKY:
        return
    for pair in range(net.into[population], net.into[population + 1]):
        times, starts = _spikes(
            net, net.pairs[pair, 0], sample_time, sample_start, time, start
        )
        synapse = net.pairs[pair, 2]
        for target in range(net.size[population]):
            total = 0.0
            for source in range(starts.shape[0] - 1):
                weight, delay = net.weights[synapse], net.delays[synapse]
                synapse += 1
                for k in range(starts[source], starts[source + 1]):
                    at = times[k] + delay
                    if at <= net.duration:
                        total += weight * readout_value(net, population, at)[0]
            score[target] += total


@kernel
def _seed(net, readout, time, start, pull, g):
    """Carry dL/dscore, ``pull``, to the spikes."""
    population = net.final
    low = net.first[population]
    for target in range(net.size[population]):
        begin, end = start[low + target], start[low + target + 1]
        if readout == FIRST_SPIKE:
            if begin < end:
                g[begin] += pull[target]
            continue
        for k in range(begin, end):
            g[k] -= pull[target] / net.duration
    if readout != LEAKY:
        return
    for pair in range(net.into[population], net.into[population + 1]):
        source_population = net.pairs[pair, 0]
        if source_population == 0:
            continue
        starts = start[net.first[source_population] : net.first[source_population + 1] + 1]
        synapse = net.pairs[pair, 2]
        for target in range(net.size[population]):
            for source in range(starts.shape[0] - 1):
                weight, delay = net.weights[synapse], net.delays[synapse]
                synapse += 1
                for k in range(starts[source], starts[source + 1]):
                    at = time[k] + delay
                    if at <= net.duration:
                        change = readout_value(net, population, at)[1]
                        g[k] += pull[target] * weight * change


# ------------------------------------------------------------------------ own spikes


@kernel
def _jump_back(net, population, neuron, k, fast, slope, g, p, q, a, limits):
    """Take the adjoints lP, lQ, lA through own spike ``k``.

    Returns the new ones, r, and 1 if ``limits``, the least slope and the largest r, changed it.
    A jump synapse's spike stands on its arrival whatever the traces are, so there they stay 0.
    """
    if net.jump:
        return 0.0, 0.0, 0.0, 0.0, 0
    rates = net.rates[population]
    total = g[k] + p * fast[k] * (rates[0] - rates[1]) + a * net.beta[neuron] * rates[2]
    exact = total / slope[k]
    r = min(limits[1], max(-limits[1], total / max(slope[k], limits[0])))
    return -r, q + p + r, a + r, r, 0 if r == exact else 1


@kernel
def _own(net, population, neuron, tape, g, lp, lq, limits, theta_gradient, beta_gradient):
    """Sweep one neuron's spikes, latest first; ``lp`` and ``lq`` get the adjoints before each."""
    time, fast, slope, start = tape
    rates = net.rates[population]
    p, q, a = 0.0, 0.0, 0.0
    limited, theta_sum, beta_sum = 0, 0.0, 0.0
    for k in range(start[neuron + 1] - 1, start[neuron] - 1, -1):
        if p != 0.0 or q != 0.0 or a != 0.0:
            gap = time[k + 1] - time[k]
            p *= exp(-gap * rates[0])
            q *= exp(-gap * rates[1])
            a *= exp(-gap * rates[2])
        beta_sum += a
        p, q, a, r, changed = _jump_back(
            net, population, neuron, k, fast, slope, g, p, q, a, limits
        )
        theta_sum += r
        limited += changed
        lp[k], lq[k] = p, q
    theta_gradient[neuron] = theta_sum
    beta_gradient[neuron] = beta_sum
    return limited


# --------------------------------------------------------------------------- arrivals


@kernel
def fill_table(net, grid, population, neuron, time, start, lp, lq, slow, fast, spikes):
    """Lay out a neuron's adjoints: ``slow`` and ``fast``, (windows,), lP and lQ at their starts.

    nan in windows in which it fires itself, 0 after its last spike. ``spikes`` : (spikes, 5), for
    each of its own spikes the window, lP and lQ there just before it, and what they are after it if
    it's the window's last, all as if at the start of the window.
    """
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
    """Return dL/dt of a jump's arrival: a share of its target's spike if it's at that instant."""
    hit = begin + np.searchsorted(time[begin:end], at)
    return g[hit] / slope[hit] if hit < end and time[hit] == at else 0.0


@kernel
def _arrive(net, population, at, weight, begin, end, time, slope, g, lp, lq):
    """Return dL/dt of an arrival, by the spikes ``begin`` to ``end`` of its target."""
    if net.jump:
        return _touch(at, begin, end, time, slope, g)
    hit = begin + np.searchsorted(time[begin:end], at)
    if hit == end:
        return 0.0
    rates = net.rates[population]
    p = lp[hit] * exp((at - time[hit]) * rates[0])
    q = lq[hit] * exp((at - time[hit]) * rates[1])
    return weight * (p * rates[0] + q * rates[1])


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
def _pull(net, grid, pair, tape, g, lp, lq, places, tables):
    """Add to ``g`` of a connection's sources what their arrivals are worth."""
    time, _, slope, start = tape
    source_population, population = net.pairs[pair, 0], net.pairs[pair, 1]
    starts = start[net.first[source_population] : net.first[source_population + 1] + 1]
    spots, slots, slows, fasts = places
    width, count, rates = grid.width[population], grid.count[population], net.rates[population]
    back = grid.back[population]
    first = starts[0]
    place(time, first, starts[-1], width, rates, spots, slots, slows, fasts)
    slow, fast, spikes = tables
    for target in range(net.size[population]):
        neuron = net.first[population] + target
        begin, end = start[neuron], start[neuron + 1]
        if begin == end:
            continue
        fill_table(net, grid, population, neuron, time, start, lp, lq, slow, fast, spikes)
        for source in range(net.size[source_population]):
            synapse = net.pairs[pair, 2] + target * net.size[source_population] + source
            weight, pos, lag = net.weights[synapse], grid.pos[synapse], grid.lag[synapse]
            by_slow = weight * rates[0] * grid.slow[synapse]
            by_fast = weight * rates[1] * grid.fast[synapse]
            for k in range(starts[source], starts[source + 1]):
                slot = int(spots[k - first] + pos)
                if slot >= count:
                    continue
                p, q = slow[slot], fast[slot]
                if p != p:
                    at = time[k] + net.delays[synapse]
                    if net.jump:
                        g[k] += _touch(at, begin, end, time, slope, g)
                        continue
                    p, q = _near(at, slot, time, begin, end, spikes)
                late = slot - slots[k - first] - lag
                g[k] += by_slow * p * slows[k - first] * back[0, late]
                g[k] += by_fast * q * fasts[k - first] * back[1, late]


# ----------------------------------------------------------------- a group that feeds itself


@kernel
def _rows(net, grid, begin, end):
    """Windows from a spike of a group to its last arrival, as a power of 2."""
    rows = 4
    for pair in range(net.into[begin], net.into[end]):
        while net.pairs[pair, 3] >= 0 and rows < net.reach[pair, 1] / grid.width[begin] + 3:
            rows *= 2
    return rows


@kernel
def _collect(net, grid, low, population, neuron, k, tape, g, lp, lq, ring):
    """Return what the arrivals of spike ``k`` within its own group are worth.

    ``ring`` : two arrays (windows, neurons), the group's tables, complete after the spike's window.
    """
    time, _, slope, start = tape
    slow, fast = ring
    mask, total = slow.shape[0] - 1, 0.0
    for pair in range(net.pairs.shape[0]):
        if net.pairs[pair, 0] != population or net.pairs[pair, 3] < 0:
            continue
        target = net.pairs[pair, 1]
        width, rates, count = grid.width[target], net.rates[target], grid.count[target]
        pos = time[k] / width
        whole = int(pos)
        left = (pos - whole) * width
        by_slow, by_fast = rates[0] * exp(left * rates[0]), rates[1] * exp(left * rates[1])
        back = grid.back[population]
        first = net.pairs[pair, 3] + (neuron - net.first[population]) * net.size[target]
        shift = net.first[target] - low
        for j in range(net.size[target]):
            synapse = first + j
            slot = int(pos + grid.pos[synapse])
            if slot >= count:
                continue
            p, q = slow[slot & mask, shift + j], fast[slot & mask, shift + j]
            weight = net.weights[synapse]
            if p != p:
                begin, end = start[net.first[target] + j], start[net.first[target] + j + 1]
                at = time[k] + net.delays[synapse]
                total += _arrive(net, target, at, weight, begin, end, time, slope, g, lp, lq)
                continue
            late = slot - whole - grid.lag[synapse]
            total += weight * (
                p * grid.slow[synapse] * by_slow * back[0, late]
                + q * grid.fast[synapse] * by_fast * back[1, late]
            )
    return total


@kernel
def _own_loop(net, grid, begin, end, tape, g, lp, lq, limits, theta_gradient, beta_gradient):
    """`_own` for a group that feeds itself, window by window from the last.

    What a spike did to its own group is known when it's reached, since every delay is at least a
    window long.
    """
    time, fast, slope, start = tape
    low, high, width = net.first[begin], net.first[end], grid.width[begin]
    n, count = high - low, grid.count[begin]
    order = np.argsort(time[start[low] : start[high]], kind="mergesort") + start[low]
    source = np.searchsorted(start[low : high + 1], order, side="right") - 1
    rows = _rows(net, grid, begin, end)
    ring = (np.zeros((rows, n)), np.zeros((rows, n)))
    adjoint = np.zeros((n, 3))
    since = np.zeros(n)  # time of the earliest spike swept so far
    running = np.zeros((2, n))  # lP and lQ at the start of the window
    turn, limited = order.shape[0] - 1, 0
    theta_gradient[low:high] = 0.0
    beta_gradient[low:high] = 0.0
    for window in range(count - 1, -1, -1):
        row, last = window & (rows - 1), turn
        while turn >= 0 and min(int(time[order[turn]] / width), count - 1) == window:
            k, i = order[turn], source[turn]
            turn -= 1
            population = begin
            while low + i >= net.first[population + 1]:
                population += 1
            rates = net.rates[population]
            g[k] += _collect(net, grid, low, population, low + i, k, tape, g, lp, lq, ring)
            p, q, a = adjoint[i, 0], adjoint[i, 1], adjoint[i, 2]
            if p != 0.0 or q != 0.0 or a != 0.0:
                gap = since[i] - time[k]
                p *= exp(-gap * rates[0])
                q *= exp(-gap * rates[1])
                a *= exp(-gap * rates[2])
            beta_gradient[low + i] += a
            p, q, a, r, changed = _jump_back(
                net, population, low + i, k, fast, slope, g, p, q, a, limits
            )
            theta_gradient[low + i] += r
            limited += changed
            lp[k], lq[k] = p, q
            adjoint[i, 0], adjoint[i, 1], adjoint[i, 2] = p, q, a
            since[i] = time[k]
        for population in range(begin, end):
            back_m, back_s = grid.back[population, 0, 1], grid.back[population, 1, 1]
            for i in range(net.first[population] - low, net.first[population + 1] - low):
                ring[0][row, i], ring[1][row, i] = running[0, i], running[1, i]
                running[0, i] *= back_m
                running[1, i] *= back_s
        for index in range(last, turn, -1):
            k, i = order[index], source[index]
            ring[0][row, i], ring[1][row, i] = np.nan, np.nan
            population = begin
            while low + i >= net.first[population + 1]:
                population += 1
            gap = time[k] - (window - 1) * width  # the earliest of the window comes last
            running[0, i] = lp[k] * exp(-gap * net.rates[population, 0])
            running[1, i] = lq[k] * exp(-gap * net.rates[population, 1])
    return limited


# ------------------------------------------------------------------------- whole samples


@kernel
def _backward(net, grid, readout, tape, pull, limits, g, lp, lq, places, tables, theta_gradient,
              beta_gradient):  # fmt: skip
    """Add to one sample's ``g``, fill ``lp`` and ``lq``. Returns the spikes that were limited."""
    time, start = tape[0], tape[3]
    _seed(net, readout, time, start, pull, g)
    limited = 0
    for group in range(net.groups.shape[0] - 2, -1, -1):
        begin, end = net.groups[group], net.groups[group + 1]
        if net.leaky and begin == net.final:
            continue
        loop = False
        for pair in range(net.into[begin], net.into[end]):
            loop |= net.pairs[pair, 3] >= 0
        if loop:
            limited += _own_loop(
                net, grid, begin, end, tape, g, lp, lq, limits, theta_gradient, beta_gradient
            )
        else:
            for neuron in range(net.first[begin], net.first[end]):
                limited += _own(
                    net, begin, neuron, tape, g, lp, lq, limits, theta_gradient, beta_gradient
                )
        for pair in range(net.into[begin], net.into[end]):
            if net.pairs[pair, 0] > 0 and net.pairs[pair, 3] < 0:
                _pull(net, grid, pair, tape, g, lp, lq, places, tables)
    return limited


@parallel_kernel
def score(net, readout, inputs, rows, chunks, tape, out):
    """Fill ``out``, (batch, classes) float64, from the tape: what `losses` turns into a loss."""
    batch = out.shape[0]
    for chunk in nb.prange(chunks):
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            _score(net, readout, inputs[0], inputs[1][rows[k]], tape.time[k], tape.start[k], out[k])


@parallel_kernel
def backward(net, grid, readout, chunks, tape, pull, limits, worth, by_neuron, limited):
    """Find what every spike of a batch is worth, all cores at once.

    Parameters
    ----------
    readout : int
        LEAKY, FIRST_SPIKE, SPIKE_COUNT, or MAX, whose peaks are another kernel's.
    chunks : int
        Pieces of the batch that are handed to threads.
    tape : Tape
    pull : (batch, classes) float64
        dL/dscore.
    limits : (float, float)
        Least slope to divide by, 1/ms, and largest r of a spike.
    worth : tuple of three (batch, room) float64
        dL/dt of each spike, added to, and lP and lQ just before it, filled.
    by_neuron : tuple of two (batch, neurons) float64
        Filled: the sample's derivatives by theta0 and beta.
    limited : (batch,) int64
        Filled with the spikes whose r was changed. An argument of its own because numba 0.68.1
        loses what a parallel loop adds to a one-dimensional array of a tuple.
    """
    batch = pull.shape[0]
    for chunk in nb.prange(chunks):
        room, count = tape.time.shape[1], grid.count.max()
        places = (np.empty(room), np.empty(room, np.int32), np.empty(room), np.empty(room))
        tables = (np.empty(count), np.empty(count), np.empty((room, 5)))
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            row = (tape.time[k], tape.fast[k], tape.slope[k], tape.start[k])
            limited[k] = _backward(
                net, grid, readout, row, pull[k], limits, worth[0][k], worth[1][k], worth[2][k],
                places, tables, by_neuron[0][k], by_neuron[1][k],
            )  # fmt: skip
