"""Few arrivals, and neurons side by side: up to its first spike each has no A, and few fire again.

Loops over lanes have no branches, so that a processor takes several at once. What belongs to lanes
stands in rows of one flat array, at constant distances: only then a compiler sees that rows don't
overlap.
"""

from math import exp, log

import numpy as np

from ...model.jit import allocating_kernel, kernel
from .crossing import straight_root
from .first import may_fire
from .neuron import Neuron, neuron_of, run
from .structures import FULL, Index

LANES = 40
"""Neurons that run side by side."""

THETA, S, F, LEVEL, P, Q, ROOT, ERROR, SINCE, BETA, LIFT = (
    LANES * row for row in range(11)
)  # of `state`
BEGIN, STOP = (LANES * row for row in range(2))  # of `turn`
TIME, WEIGHT, GROWTH = (LANES * row for row in range(3))  # of each arrival
ARRIVAL = 3 * LANES
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

    ``LEVEL`` is exp(t/tau_m) where an interval begins. Without ``rate_a`` there's no A. With it, A
    isn't below ``BETA`` (1 - x/4)**4, x being the time since ``SINCE`` in tau_a, up to 4; ``LIFT``
    is that bound where the interval begins, and within it A is above the chord, see
    `crossing.crossing`.
    """
    peak = _power(ratio, ratio - 1.0) / (_power(ratio, ratio) * ratio)
    for lane in range(LANES):
        turn[STOP + lane] = n + 1
    for k in range(n + 1):
        row = arrivals[k * ARRIVAL : (k + 1) * ARRIVAL]
        for lane in range(LANES):
            s, f, level = state[S + lane], state[F + lane], state[LEVEL + lane]
            end, theta, straight = row[GROWTH + lane], state[THETA + lane], s
            if rate_a is not None:
                lift = state[LIFT + lane]
                kept = max(0.0, 1.0 - 0.25 * rate_a * (row[TIME + lane] - state[SINCE + lane]))
                lift_end = state[BETA + lane] * (kept * kept) * (kept * kept)
                tilt = (lift - lift_end) / max(1.0 - level / end, 1e-300)
                straight, theta = s - tilt * level, theta + lift - tilt
            lead = _power(ratio, end)
            runs = (k >= turn[BEGIN + lane]) & (turn[STOP + lane] > n)
            fires = may_fire(ratio, theta, straight, f, _power(ratio, level), end, lead)
            high = max(theta, 0.0)  # the chord may start below 0, where every curve gets
            fires &= peak * (_power(ratio, straight) * straight) >= f * _power(ratio, high)
            passes = runs & (not fires)
            grown = row[WEIGHT + lane] * end
            turn[STOP + lane] = k if runs & fires else turn[STOP + lane]
            state[S + lane] = s + grown if passes else s
            state[F + lane] = f + grown * lead if passes else f
            state[LEVEL + lane] = end if passes else level
            if rate_a is not None:
                state[LIFT + lane] = lift_end if passes else lift


@kernel
def _root_lanes(ratio, state):
    """`crossing.straight_root` side by side, `HALLEY` steps each.

    ``ERROR`` is below 0 where they do: the error left is small, and the peak hasn't been passed.
    """
    for lane in range(LANES):
        level = state[LEVEL + lane]
        state[P + lane] = state[S + lane] / level
        state[Q + lane] = state[F + lane] / (level * _power(ratio, level))
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
def _fill_lanes(net, grid, population, first, total, sources, arrivals):
    """Sort the arrivals at neurons ``first`` to ``first + LANES`` of a population into lanes.

    Those behind the end come at the end, with weight 0. Lanes without a neuron copy the last one's.
    """
    at, grown, synapses, step = sources
    duration, top = net.duration, exp(net.duration * net.rates[population, 0])
    last = net.size[population] - 1
    for k in range(total):
        row = arrivals[k * ARRIVAL : (k + 1) * ARRIVAL]
        for lane in range(LANES):
            synapse = Index(synapses[k] + min(first + lane, last) * step[k])
            arrival = at[k] + net.delays[synapse]
            there = arrival <= duration
            row[TIME + lane] = arrival if there else duration
            row[WEIGHT + lane] = net.weights[synapse] if there else 0.0
            row[GROWTH + lane] = grown[k] * grid.slow[synapse] if there else top
        slot, moved = k, True
        while slot > 0 and moved:
            moved = _exchange(arrivals[(slot - 1) * ARRIVAL : (slot + 1) * ARRIVAL])
            slot -= 1
    row = arrivals[total * ARRIVAL : (total + 1) * ARRIVAL]
    for lane in range(LANES):
        row[TIME + lane], row[WEIGHT + lane], row[GROWTH + lane] = duration, 0.0, top


@kernel
def _exchange(rows):
    """Put two arrivals in order in each lane. Returns whether any had to be exchanged."""
    swaps = 0
    for lane in range(LANES):
        swap = rows[TIME + lane] > rows[ARRIVAL + TIME + lane]
        swaps += swap
        for kind in (TIME, WEIGHT, GROWTH):
            one, other = rows[kind + lane], rows[ARRIVAL + kind + lane]
            rows[kind + lane] = other if swap else one
            rows[ARRIVAL + kind + lane] = one if swap else other
    return swaps > 0


@kernel
def _first_lanes(ratio, rates, total, arrivals, state, turn, spikes):
    """Find the first spike of each lane that ends at one, and let it go on from there.

    ``BEGIN`` gets its interval, ``total`` + 1 where there's none, and ``spikes`` : (LANES, 3), its
    time, Q and slope.
    """
    for lane in range(LANES):
        k = turn[STOP + lane]
        turn[BEGIN + lane] = k
        if k > total:
            continue
        p, q, root = state[P + lane], state[Q + lane], state[ROOT + lane]
        level = state[LEVEL + lane]
        end = level / arrivals[k * ARRIVAL + GROWTH + lane]
        if not (state[ERROR + lane] <= 0.0 and end <= root <= 1.0):
            root = straight_root(ratio, p, q, state[THETA + lane], end)
        begin = arrivals[(k - 1) * ARRIVAL + TIME + lane] if k > 0 else 0.0
        at, q_spike = begin - log(root) / rates[0], q * root * _power(ratio, root)
        spikes[lane, 0], spikes[lane, 1] = at, q_spike
        spikes[lane, 2] = q_spike * rates[1] - p * root * rates[0]
        level /= root
        state[LEVEL + lane] = level
        state[S + lane] = state[F + lane] / _power(ratio, level)
        state[SINCE + lane] = at


@kernel
def _rest(own, total, lane, begin, k, room, arrivals, time, fast, slope, used):
    """Run the neuron of a lane that has fired at ``begin`` on from interval ``k``, by `run`."""
    times, weights, growth, _ = arrivals
    lane_arrivals, state, _, _, left = room
    last = lane_arrivals[(k - 1) * ARRIVAL + TIME + lane] if k > 0 else 0.0
    last = max(last, begin)
    ratio, level = own.rates[1] / own.rates[0], state[LEVEL + lane]
    left[0], left[1] = state[S + lane] / level, state[F + lane] / (level * _power(ratio, level))
    left[2], left[3] = own.beta * exp((begin - last) * own.rates[2]), last
    for slot in range(k, total + 1):
        row = slot * ARRIVAL + lane
        times[slot - k], weights[slot - k] = lane_arrivals[row + TIME], lane_arrivals[row + WEIGHT]
        growth[slot - k] = lane_arrivals[row + GROWTH] / level
    return run(own, left, total - k, times, weights, growth, time, fast, slope, used)


@kernel
def _run_lanes(net, grid, population, total, sources, room, arrivals, time, fast, slope, start):
    """`run_lanes` with room to do so."""
    in_lanes, state, turn, spikes, _ = room
    low, used = net.first[population], start[net.first[population]]
    size, rates = net.size[population], neuron_of(net, population, low).rates
    ratio = rates[1] / rates[0]
    for first in range(0, size, LANES):
        _fill_lanes(net, grid, population, first, total, sources, in_lanes)
        for lane in range(LANES):
            state[S + lane], state[F + lane], turn[BEGIN + lane] = 0.0, 0.0, 0
            state[THETA + lane] = net.theta0[low + min(first + lane, size - 1)]
            state[LEVEL + lane] = 1.0
        _quiet_lanes(ratio, None, total, in_lanes, state, turn)
        _root_lanes(ratio, state)
        for lane in range(LANES):
            state[BETA + lane] = net.beta[low + min(first + lane, size - 1)]
            state[SINCE + lane], state[LIFT + lane] = 0.0, state[BETA + lane]
        _first_lanes(ratio, rates, total, in_lanes, state, turn, spikes)
        _quiet_lanes(ratio, rates[2], total, in_lanes, state, turn)
        for lane in range(min(LANES, size - first)):
            if turn[BEGIN + lane] <= total:
                if used == time.shape[0]:
                    return FULL
                time[used], fast[used] = spikes[lane, 0], spikes[lane, 1]
                slope[used] = spikes[lane, 2]
                used += 1
                if turn[STOP + lane] <= total:
                    own = Neuron(rates, state[THETA + lane], state[BETA + lane], False)
                    used = _rest(own, total, lane, spikes[lane, 0], turn[STOP + lane], room,
                                 arrivals, time, fast, slope, used)  # fmt: skip
                    if used < 0:
                        return FULL
            start[low + first + lane + 1] = used
    return used


@allocating_kernel
def run_lanes(net, grid, population, total, sources, arrivals, time, fast, slope, start):
    """`run_few` for populations of some size and whole ratios of time constants.

    Up to a neuron's first spike there's no A, and few fire again: so far they run side by side.
    """
    room = (
        np.empty((total + 1) * ARRIVAL), np.empty(11 * LANES), np.empty(2 * LANES, np.int64),
        np.empty((LANES, 3)), np.empty(4),
    )  # fmt: skip
    return _run_lanes(net, grid, population, total, sources, room, arrivals,
                      time, fast, slope, start)  # fmt: skip
