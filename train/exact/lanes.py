"""Few arrivals, and neurons side by side: up to its first spike each has no A, and few fire again.

Loops over lanes have no branches, so that a processor takes several at once. What belongs to lanes
stands in rows of one flat array, at constant distances: only then a compiler sees that rows don't
overlap.
"""

from math import exp, log

import numpy as np

from ...model.jit import kernel
from .crossing import straight_root
from .neuron import Neuron, neuron_of, run
from .structures import FULL

LANES = 16
"""Neurons that run side by side."""

THETA, P, Q, SLOW, FAST, ROOT, ERROR, SINCE, BETA, LIFT = (
    LANES * row for row in range(10)
)  # of `state`  # fmt: skip
BEGIN, STOP = (LANES * row for row in range(2))  # of `turn`
TIME, WEIGHT, BY_SLOW, BY_FAST = (LANES * row for row in range(4))  # of each arrival
ARRIVAL = 4 * LANES
HALLEY = 4


@kernel
def is_whole(ratio):
    """Whether `_power` knows the ratio of time constants."""
    return ratio == 4.0 or ratio == 2.0 or ratio == 3.0


@kernel
def _power(ratio, y):
    """Return y**(ratio - 1) for whole ratios, without a branch."""
    square = y * y
    return y if ratio == 2.0 else square if ratio == 3.0 else square * y


@kernel
def _quiet_lanes(ratio, rate_a, n, arrivals, state, turn):
    """Pass intervals, from ``BEGIN`` of each lane on; ``STOP`` gets the first that might not be.

    As in `neuron.run`, but with A's lower bound ``BETA`` (1 - x/4)**4, x being the time since
    ``SINCE`` in tau_a, up to 4. ``SLOW`` and ``FAST`` are exp(t/tau_m) and exp(t/tau_s) of the time
    of ``P`` and ``Q``, ``LIFT`` is the bound there.
    """
    peak = _power(ratio, ratio - 1.0) / (_power(ratio, ratio) * ratio)
    for lane in range(LANES):
        turn[STOP + lane] = n + 1
    for k in range(n + 1):
        row = arrivals[k * ARRIVAL : (k + 1) * ARRIVAL]
        for lane in range(LANES):
            p, q, lift = state[P + lane], state[Q + lane], state[LIFT + lane]
            y = state[SLOW + lane] / row[BY_SLOW + lane]
            p_end, q_end = p * y, q * (state[FAST + lane] / row[BY_FAST + lane])
            kept = max(0.0, 1.0 - 0.25 * rate_a * (row[TIME + lane] - state[SINCE + lane]))
            lift_end = state[BETA + lane] * (kept * kept) * (kept * kept)
            tilt = (lift - lift_end) / max(1.0 - y, 1e-300)
            straight, theta = p - tilt, state[THETA + lane] + lift - tilt
            rises = (straight > 0.0) & (q * ratio > straight)
            there = (straight * y - q_end >= theta) | (q_end * ratio < straight * y)
            high = peak * (_power(ratio, straight) * straight) >= q * _power(ratio, theta)
            runs = (k >= turn[BEGIN + lane]) & (turn[STOP + lane] > n)
            fires = rises & there & high
            passes = runs & (not fires)
            weight = row[WEIGHT + lane]
            turn[STOP + lane] = k if runs & fires else turn[STOP + lane]
            state[P + lane] = p_end + weight if passes else p
            state[Q + lane] = q_end + weight if passes else q
            state[LIFT + lane] = lift_end if passes else lift
            state[SLOW + lane] = row[BY_SLOW + lane] if passes else state[SLOW + lane]
            state[FAST + lane] = row[BY_FAST + lane] if passes else state[FAST + lane]


@kernel
def _root_lanes(ratio, state):
    """`crossing.straight_root` side by side, `HALLEY` steps each.

    ``ERROR`` is below 0 where they do: the error left is small, and the peak hasn't been passed.
    """
    for lane in range(LANES):
        state[ROOT + lane] = 1.0
    for _ in range(HALLEY):
        for lane in range(LANES):
            p, q, y = state[P + lane], state[Q + lane], state[ROOT + lane]
            fall = q * _power(ratio, y)
            f = (p - fall) * y - state[THETA + lane]
            slope = p - ratio * fall
            bend = (1.0 - ratio) * ratio * fall
            step = 2.0 * f * slope * y / (2.0 * slope * slope * y - f * bend)
            state[ROOT + lane] = y - step
            left = abs(step * step * step * bend * (bend + ratio * slope))
            state[ERROR + lane] = left - 1e-16 * slope * slope * y * y if slope < 0.0 else 1.0


@kernel
def _fill_lanes(net, grid, population, first, total, sources, fast, pick, arrivals):
    """Sort the arrivals at neurons ``first`` to ``first + LANES`` of a population into lanes.

    What there's too little of are arrivals of weight 0 at the end of the sample, or such neurons.
    """
    at, grown, synapses, step = sources
    delays, weights, by_slow, by_fast = net.delays, net.weights, grid.slow, grid.fast
    duration, rates = net.duration, net.rates[population]
    top_slow, top_fast = exp(duration * rates[0]), exp(duration * rates[1])
    count = min(LANES, net.size[population] - first)
    for lane in range(LANES):
        n = 0
        for k in range(total if lane < count else 0):
            arrival = at[k] + delays[synapses[k] + (first + lane) * step[k]]
            if arrival > duration:
                continue
            slot = n
            row = n * ARRIVAL + lane + TIME
            while slot > 0 and arrivals[row - ARRIVAL] > arrival:
                arrivals[row], pick[slot] = arrivals[row - ARRIVAL], pick[slot - 1]
                slot -= 1
                row -= ARRIVAL
            arrivals[row], pick[slot] = arrival, k
            n += 1
        for slot in range(n):
            k = pick[slot]
            synapse = synapses[k] + (first + lane) * step[k]
            row = slot * ARRIVAL + lane
            arrivals[row + WEIGHT] = weights[synapse]
            arrivals[row + BY_SLOW] = grown[k] * by_slow[synapse]
            arrivals[row + BY_FAST] = fast[k] * by_fast[synapse]
        for slot in range(n, total + 1):
            row = slot * ARRIVAL + lane
            arrivals[row + TIME], arrivals[row + WEIGHT] = duration, 0.0
            arrivals[row + BY_SLOW], arrivals[row + BY_FAST] = top_slow, top_fast


@kernel
def _first_lanes(ratio, rates, total, single, beta, arrivals, state, turn, fired, spikes):
    """Find the first spike of each lane that ends at one, and let it go on from there.

    ``fired`` gets its interval, ``spikes`` : (LANES, 3) its time, Q and slope.
    """
    for lane in range(LANES):
        k = turn[STOP + lane]
        fired[lane], turn[BEGIN + lane] = k, total + 1
        if k > total:
            continue
        p, q, root = state[P + lane], state[Q + lane], state[ROOT + lane]
        end = state[SLOW + lane] / arrivals[k * ARRIVAL + BY_SLOW + lane]
        if not (state[ERROR + lane] <= 0.0 and end <= root <= 1.0):
            root = straight_root(ratio, p, q, state[THETA + lane], end)
        begin = arrivals[(k - 1) * ARRIVAL + TIME + lane] if k > 0 else 0.0
        shrink = root * _power(ratio, root)
        at, q_spike = begin - log(root) / rates[0], q * shrink
        spikes[lane, 0], spikes[lane, 1] = at, q_spike
        spikes[lane, 2] = q_spike * rates[1] - p * root * rates[0]
        if not single:
            turn[BEGIN + lane] = k
            state[P + lane], state[Q + lane] = q_spike, q_spike
            state[SLOW + lane] /= root
            state[FAST + lane] /= shrink
            state[SINCE + lane], state[BETA + lane] = at, beta[lane]
            state[LIFT + lane] = beta[lane]


@kernel
def _rest(own, total, lane, begin, k, lane_arrivals, state, arrivals, time, fast, slope, used):
    """Run the neuron of a lane that has fired at ``begin`` on from interval ``k``, by `run`."""
    times, weights, growth, _ = arrivals
    last = lane_arrivals[(k - 1) * ARRIVAL + TIME + lane] if k > 0 else 0.0
    last = max(last, begin)
    left = np.empty(4)
    left[0], left[1], left[3] = state[P + lane], state[Q + lane], last
    left[2] = own.beta * exp((begin - last) * own.rates[2])
    for slot in range(k, total + 1):
        row = slot * ARRIVAL + lane
        times[slot - k], weights[slot - k] = lane_arrivals[row + TIME], lane_arrivals[row + WEIGHT]
        growth[slot - k] = lane_arrivals[row + BY_SLOW] / state[SLOW + lane]
    return run(own, left, total - k, times, weights, growth, time, fast, slope, used)


@kernel
def run_lanes(net, grid, population, total, sources, arrivals, time, fast, slope, start):
    """`run_few` for populations of some size and whole ratios of time constants.

    Up to a neuron's first spike there's no A, and few fire again: so far they run side by side.
    """
    low, used = net.first[population], start[net.first[population]]
    size, single = net.size[population], net.single and population == net.final
    one = neuron_of(net, population, low)
    rates, theta0, beta = one.rates, net.theta0[low : low + size], net.beta[low : low + size]
    ratio = rates[1] / rates[0]
    in_lanes, own_beta = np.empty((total + 1) * ARRIVAL), np.zeros(LANES)
    state, turn = np.empty(10 * LANES), np.empty(2 * LANES, np.int64)
    fired, spikes, powers = np.empty(LANES, np.int64), np.empty((LANES, 3)), np.empty(total)
    for k in range(total):
        powers[k] = sources[1][k] * _power(ratio, sources[1][k])
    for first in range(0, size, LANES):
        count = min(LANES, size - first)
        _fill_lanes(net, grid, population, first, total, sources, powers, arrivals[3], in_lanes)
        for lane in range(LANES):
            state[P + lane], state[Q + lane], turn[BEGIN + lane] = 0.0, 0.0, 0
            state[SINCE + lane], state[BETA + lane], state[LIFT + lane] = 0.0, 0.0, 0.0
            state[SLOW + lane], state[FAST + lane], state[THETA + lane] = 1.0, 1.0, 1.0
        state[THETA : THETA + count] = theta0[first : first + count]
        own_beta[:count] = beta[first : first + count]
        _quiet_lanes(ratio, rates[2], total, in_lanes, state, turn)
        _root_lanes(ratio, state)
        _first_lanes(ratio, rates, total, single, own_beta, in_lanes, state, turn, fired, spikes)
        if not single:
            _quiet_lanes(ratio, rates[2], total, in_lanes, state, turn)
        for lane in range(count):
            if fired[lane] <= total:
                if used == time.shape[0]:
                    return FULL
                time[used], fast[used], slope[used] = spikes[lane]
                used += 1
                if not single and turn[STOP + lane] <= total:
                    own = Neuron(rates, theta0[first + lane], own_beta[lane], single)
                    used = _rest(own, total, lane, spikes[lane, 0], turn[STOP + lane], in_lanes,
                                 state, arrivals, time, fast, slope, used)  # fmt: skip
                    if used < 0:
                        return FULL
            start[low + first + lane + 1] = used
    return used


