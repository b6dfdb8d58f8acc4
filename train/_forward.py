"""The exact engine, forwards: every spike of a network in continuous time.

Symbols are those of docs/gradients.md. A neuron's traces are P, Q and A (``p``, ``q``, ``a``),
its height is f = P - Q - A - theta0, and it fires where f reaches 0 from below. Times are in ms,
rates in 1/ms.

Arrivals aren't sorted. A population's time is cut into windows, and an arrival is added to its
window as w exp(d/tau) exp(t/tau), of which both factors are known beforehand. A bound says whether
the neuron could fire within a window; only if so the window is opened, its arrivals are collected,
ordered and run one by one. Populations that feed themselves have windows no longer than their
shortest delay, so that what fires in one arrives in a later one.

Spikes stand one neuron after the other and sorted by time: those of neuron ``n`` are ``start[n]``
to ``start[n + 1]``. Every kernel calls only kernels of this file, because Numba's cache doesn't see
changes in other files.
"""

from math import exp, inf, log, sqrt
from typing import NamedTuple

import numba as nb
import numpy as np

kernel = nb.njit(cache=True, error_model="numpy")
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)

FULL = -1


class Net(NamedTuple):
    """A network as the kernels see it. Population 0 is the input.

    ``size`` : (populations,) int64. ``first`` : (populations + 1,) int64, first neuron of each
    population; that of the input isn't used, its channels are numbered apart. ``groups`` :
    (groups + 1,) int64, first population of each group. ``pairs`` : (connections, 4) int64, source,
    target, first synapse, and 1 if both are in one group; sorted by target. ``into`` :
    (populations + 1,) int64, first connection into each population. Synapses stand target by
    target, those within a group source by source. ``reach`` : (connections, 2) float64, shortest
    and longest delay. ``rates`` : (populations, 3) float64, 1/tau_m, 1/tau_s, 1/tau_a.
    ``theta0`` and ``beta`` are by neuron.
    """

    size: np.ndarray
    first: np.ndarray
    groups: np.ndarray
    pairs: np.ndarray
    into: np.ndarray
    reach: np.ndarray
    rates: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    jump: bool
    final: int  # the output population
    leaky: bool  # whether it doesn't fire
    single: bool  # whether its neurons stop at their first spike
    duration: float


class Grid(NamedTuple):
    """The windows of each population, and the synapses as seen through them.

    ``width`` : (populations,) float64, ms. ``count`` : (populations,) int64. A synapse's delay is
    ``lag`` windows, int32, and ``rest``, which is worth the factors ``slow`` = exp(rest/tau_m) and
    ``fast`` = exp(rest/tau_s).
    """

    width: np.ndarray
    count: np.ndarray
    lag: np.ndarray
    rest: np.ndarray
    slow: np.ndarray
    fast: np.ndarray


class Tape(NamedTuple):
    """What the backward pass needs, a row a sample.

    ``time``, ``fast`` and ``slope`` : (samples, room) float64, each spike's time, Q and slope of
    f just before it. A jump synapse's spike has no slope; there it's the number of arrivals at
    that instant. ``start`` : (samples, neurons + 1) int64.
    """

    time: np.ndarray
    fast: np.ndarray
    slope: np.ndarray
    start: np.ndarray


class Places(NamedTuple):
    """Spikes of the sources of one target, as seen through its windows: see `Grid`.

    A row a connection; by neuron, and within it by time.
    """

    slot: np.ndarray
    rest: np.ndarray
    slow: np.ndarray
    fast: np.ndarray


class Trains(NamedTuple):
    """The same spikes in the order of time, and how many."""

    time: np.ndarray
    source: np.ndarray
    slot: np.ndarray
    rest: np.ndarray
    length: np.ndarray


class Sample(NamedTuple):
    """The input spikes of one sample: by channel as on a tape, and in the order of time."""

    time: np.ndarray
    start: np.ndarray
    train_time: np.ndarray
    train_source: np.ndarray


# ------------------------------------------------------------------ when does a neuron fire?


@kernel
def _first_peak(rates, p, q, a, span):
    """Where f stops rising for the first time, or ``span``. Needs q > 0 and f rising at 0.

    f' exp(u/tau_m) is convex then, so Newton's iterates from its left never pass its first zero.
    """
    if p <= 0.0:
        return span
    gap, lag = rates[1] - rates[0], rates[0] - rates[2]
    u = max(0.0, log(q * rates[1] / (p * rates[0])) / gap)  # the peak if a were 0
    if a == 0.0:
        return min(u, span)
    for _ in range(100):
        if u >= span:
            return span
        fall = q * rates[1] * exp(-u * gap)
        lift = a * rates[2] * exp(u * lag)
        value = fall + lift - p * rates[0]
        change = lag * lift - gap * fall
        if value <= 0.0:
            return u
        if change >= 0.0:
            return span
        step = -value / change
        u += step
        if step * rates[0] <= 1e-14:
            return min(u, span)
    return min(u, span)


@kernel
def _root(rates, p, q, a, theta, low, high, u):
    """Where f reaches 0 between ``low`` (f < 0) and ``high`` (f >= 0), by safeguarded Halley."""
    for _ in range(200):
        slow, fast = p * exp(-u * rates[0]), q * exp(-u * rates[1])
        lift = a * exp(-u * rates[2]) if a > 0.0 else 0.0
        f = slow - fast - lift - theta
        if f < 0.0:
            low = u
        else:
            high = u
        if abs(f) <= 2e-16 * (abs(slow) + abs(fast) + lift + theta):
            return u
        slope = fast * rates[1] + lift * rates[2] - slow * rates[0]
        bend = slow * rates[0] ** 2 - fast * rates[1] ** 2 - lift * rates[2] ** 2
        below = 2.0 * slope * slope - f * bend
        new = u - 2.0 * f * slope / below if slope > 0.0 and below > 0.0 else low
        if not low < new < high:
            new = 0.5 * (low + high)
        step = abs(new - u) * rates[0]
        # Where f isn't flat, the error left is of the step's third order.
        if step <= 1e-15 or (step <= 1e-7 and slope > 1e-2 * theta * rates[0]):
            return new
        u = new
    return u


@kernel
def _height(rates, p, q, a, theta, u):
    return p * exp(-u * rates[0]) - q * exp(-u * rates[1]) - a * exp(-u * rates[2]) - theta


@kernel
def first_crossing(rates, p, q, a, theta, span):
    """Return the first u in [0, span] at which f reaches 0 from below, or -1. None is missed.

    f' exp(u/tau_m) is convex for q > 0 and rises for q <= 0 (a >= 0), so f rises, falls and rises
    again at most: one crossing before its peak, or else one after.
    """
    f = p - q - a - theta
    rising = q * rates[1] + a * rates[2] - p * rates[0] > 0.0
    if rising and f >= 0.0:
        return 0.0
    low = 0.0
    if rising and q > 0.0:
        peak = _first_peak(rates, p, q, a, span)
        top = _height(rates, p, q, a, theta, peak)
        if top >= 0.0:
            start = peak * (1.0 - sqrt(top / (top - f)))  # of the parabola with this peak
            return _root(rates, p, q, a, theta, 0.0, peak, start)
        low = peak
        if a == 0.0:
            return -1.0
    if low < span and _height(rates, p, q, a, theta, span) >= 0.0:
        return _root(rates, p, q, a, theta, low, span, span)
    return -1.0


@kernel
def _can_fire(rates, p, q, p_end, q_end, theta, span):
    """Whether V might reach ``theta`` within ``span``, at the end of which P and Q are given.

    V = v exp(-u/tau_m) + q h(u) with h(u) <= u (1/tau_s - 1/tau_m). If V rises at the end it has
    risen all along, or been below 0; while it rises it's under its tangent.
    """
    v = p - q
    if max(v, 0.0) + max(q, 0.0) * min(1.0, span * (rates[1] - rates[0])) < theta:
        return False
    if q_end * rates[1] >= p_end * rates[0]:
        return p_end - q_end >= theta
    return v + max(0.0, q * rates[1] - p * rates[0]) * span >= theta


@kernel
def _fire(rates, beta, state, time, fast, slope, used):
    """Write the spike of a neuron whose f is 0 now, and reset."""
    time[used] = state[3]
    fast[used] = state[1]
    slope[used] = state[1] * rates[1] + state[2] * rates[2] - state[0] * rates[0]
    state[0] = state[1]
    state[2] += beta


@kernel
def _run(net, population, neuron, state, n, times, weights, end, time, fast, slope, used):
    """Run one neuron over ``n`` sorted arrivals and on to ``end``.

    ``state`` : (4,) P, Q, A and their time. Returns the tape's spikes, or FULL.
    """
    theta, beta, rates = net.theta0[neuron], net.beta[neuron], net.rates[population]
    single = net.single and population == net.final
    for k in range(n + 1):
        until = max(times[k], state[3]) if k < n else end
        while True:
            gap = until - state[3]
            slow, quick = exp(-gap * rates[0]), exp(-gap * rates[1])
            p_end, q_end = state[0] * slow, state[1] * quick
            lift = state[2] * max(0.0, 1.0 - gap * rates[2])
            if not _can_fire(rates, state[0], state[1], p_end, q_end, theta + lift, gap):
                break
            u = first_crossing(rates, state[0], state[1], state[2], theta, gap)
            if u < 0.0:
                break
            if used == time.shape[0]:
                return FULL
            state[0] *= exp(-u * rates[0])
            state[1] *= exp(-u * rates[1])
            state[2] *= exp(-u * rates[2])
            state[3] += u
            _fire(rates, beta, state, time, fast, slope, used)
            used += 1
            if single:
                return used
        weight = weights[k] if k < n else 0.0
        state[0] = p_end + weight
        state[1] = q_end + weight
        if state[2] > 0.0:
            state[2] *= exp(-gap * rates[2])
        state[3] = until
    return used


@kernel
def _run_jump(net, population, neuron, state, n, times, weights, end, time, fast, slope, used):
    """`_run` for jump synapses: V = P can pass the threshold only at an arrival."""
    theta, beta, rates = net.theta0[neuron], net.beta[neuron], net.rates[population]
    single = net.single and population == net.final
    group = 0
    for k in range(n + 1):
        until = times[k] if k < n else end
        state[0] *= exp((state[3] - until) * rates[0])
        state[2] *= exp((state[3] - until) * rates[2])
        state[3] = until
        if k == n:
            return used
        state[0] += weights[k]
        group += 1
        if k + 1 < n and times[k + 1] == until:
            continue
        if state[0] >= theta + state[2]:
            if used == time.shape[0]:
                return FULL
            _fire(rates, beta, state, time, fast, slope, used)
            slope[used] = group
            used += 1
            if single:
                return used
        group = 0
    return used


# ------------------------------------------------------------------------------- windows


@kernel
def _scatter(net, grid, pair, target, row, start, places, slow, fast, up):
    """Add the arrivals of one connection at one target to its windows.

    ``slow`` and ``fast`` : (windows,) what they add to P and Q, as if at the window's start.
    ``up`` : (windows,) sum of the positive weights. Synapses stand target by target.
    """
    population = net.pairs[pair, 1]
    sources = net.size[net.pairs[pair, 0]]
    width, count = grid.width[population], grid.count[population]
    back_m, back_s = exp(-width * net.rates[population, 0]), exp(-width * net.rates[population, 1])
    slots, rests = places.slot[row], places.rest[row]
    slows, fasts = places.slow[row], places.fast[row]
    for source in range(sources):
        begin, end = start[source] - start[0], start[source + 1] - start[0]
        synapse = net.pairs[pair, 2] + target * sources + source
        weight = net.weights[synapse]
        if begin == end or weight == 0.0:
            continue
        lag, rest = grid.lag[synapse], grid.rest[synapse]
        by_slow = weight * grid.slow[synapse]
        by_fast = 0.0 if net.jump else weight * grid.fast[synapse]
        positive = max(weight, 0.0)
        for k in range(begin, end):
            late = rests[k] + rest >= width
            slot = slots[k] + lag + late
            if slot < count:
                slow[slot] += by_slow * slows[k] * (back_m if late else 1.0)
                fast[slot] += by_fast * fasts[k] * (back_s if late else 1.0)
                up[slot] += positive


@kernel
def _collect(net, grid, pair, target, window, low, high, time, source, slot, rest, n, times,
             weights):  # fmt: skip
    """Append the arrivals within a window from spikes ``low`` to ``high``. Returns how many."""
    population = net.pairs[pair, 1]
    width = grid.width[population]
    step, first = 1, net.pairs[pair, 2] + target * net.size[net.pairs[pair, 0]]
    if net.pairs[pair, 3]:
        step, first = net.size[population], net.pairs[pair, 2] + target
    for k in range(low, high):
        synapse = first + step * source[k]
        late = rest[k] + grid.rest[synapse] >= width
        if slot[k] + grid.lag[synapse] + late == window:
            at = time[k] + net.delays[synapse]
            if at <= net.duration:
                times[n] = at
                weights[n] = net.weights[synapse]
                n += 1
    return n


@kernel
def _order(n, times, weights):
    """Sort a window's arrivals by time."""
    for k in range(1, n):
        at, weight = times[k], weights[k]
        slot = k
        while slot > 0 and times[slot - 1] > at:
            times[slot] = times[slot - 1]
            weights[slot] = weights[slot - 1]
            slot -= 1
        times[slot] = at
        weights[slot] = weight


@kernel
def _bound(net, theta, p, q, up, top, lift):
    """Whether a neuron might fire within a window.

    ``up`` : sum of the positive weights that arrive. ``top`` : largest h(u) of the window.
    ``lift`` : A at its end.
    """
    if net.jump:
        return (max(p, 0.0) + up) * (1 + 1e-12) >= theta + lift
    return (max(p - q, 0.0) + (max(q, 0.0) + up) * top) * (1 + 1e-12) >= theta + lift


@kernel
def _top(rates, width):
    """Largest h(u) = exp(-u/tau_m) - exp(-u/tau_s) for u up to ``width``."""
    u = min(width, log(rates[1] / rates[0]) / (rates[1] - rates[0]))
    return exp(-u * rates[0]) - exp(-u * rates[1])


@kernel
def _spikes(net, population, sample, time, start):
    """Return the times of a population's spikes, and where each neuron's begin."""
    if population == 0:
        return sample.time, sample.start
    return time, start[net.first[population] : net.first[population + 1] + 1]


@kernel
def place(time, begin, end, width, rates, slot, rest, slow, fast):
    """See spikes ``begin`` to ``end`` through windows of ``width``; fill `Places` from 0."""
    for k in range(end - begin):
        at = time[begin + k]
        whole = int(at / width)
        slot[k] = whole
        rest[k] = at - whole * width
        slow[k] = exp(rest[k] * rates[0])
        fast[k] = exp(rest[k] * rates[1])


@kernel
def _look(net, grid, population, base, sample, time, start, places, trains):
    """Fill ``places`` and ``trains`` with the spikes of the sources outside its group.

    Their rows count from connection ``base``, the first into the group.
    """
    width = grid.width[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3]:
            continue
        row, source = pair - base, net.pairs[pair, 0]
        times, starts = _spikes(net, source, sample, time, start)
        begin, end = starts[0], starts[-1]
        place(times, begin, end, width, net.rates[population], places.slot[row],
              places.rest[row], places.slow[row], places.fast[row])  # fmt: skip
        trains.length[row] = end - begin
        if source == 0:
            trains.time[row, : end - begin] = sample.train_time
            trains.source[row, : end - begin] = sample.train_source
            for k in range(end - begin):
                whole = int(sample.train_time[k] / width)
                trains.slot[row, k] = whole
                trains.rest[row, k] = sample.train_time[k] - whole * width
            continue
        order = np.argsort(times[begin:end], kind="mergesort")
        neurons = np.searchsorted(starts - begin, order, side="right") - 1
        for k in range(end - begin):
            trains.time[row, k] = times[begin + order[k]]
            trains.source[row, k] = neurons[k]
            trains.slot[row, k] = places.slot[row, order[k]]
            trains.rest[row, k] = places.rest[row, order[k]]


@kernel
def _gather(net, grid, population, base, target, window, trains, times, weights):
    """Collect the arrivals within a window from outside its group. Returns how many."""
    n, width = 0, grid.width[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3]:
            continue
        row = pair - base
        train = trains.time[row, : trains.length[row]]
        low = np.searchsorted(train, (window - 1e-9) * width - net.reach[pair, 1])
        high = np.searchsorted(train, (window + 1 + 1e-9) * width - net.reach[pair, 0])
        n = _collect(
            net, grid, pair, target, window, low, high, train, trains.source[row],
            trains.slot[row], trains.rest[row], n, times, weights,
        )  # fmt: skip
    return n


# -------------------------------------------------------------------- a group without loops


@kernel
def _walk(net, grid, population, neuron, trains, sums, arrivals, state, time, fast, slope, used):
    """Run one neuron from window to window. Returns the tape's spikes, or FULL."""
    slow, quick, up = sums
    times, weights = arrivals
    width, rates, begun = grid.width[population], net.rates[population], used
    by_slow, by_fast, by_lift = exp(-width * rates[0]), exp(-width * rates[1]), exp(-width * rates[2])
    top = 0.0 if net.jump else _top(rates, width)
    theta = net.theta0[neuron]
    single = net.single and population == net.final
    p, q, a = 0.0, 0.0, 0.0
    for window in range(grid.count[population]):
        if not _bound(net, theta, p, q, up[window], top, a * by_lift):
            p = (p + slow[window]) * by_slow
            q = (q + quick[window]) * by_fast
            a *= by_lift
            continue
        target = neuron - net.first[population]
        base = net.into[population]
        n = _gather(net, grid, population, base, target, window, trains, times, weights)
        _order(n, times, weights)
        state[0], state[1], state[2], state[3] = p, q, a, window * width
        end = min((window + 1) * width, net.duration)
        if net.jump:
            used = _run_jump(net, population, neuron, state, n, times, weights, end,
                             time, fast, slope, used)  # fmt: skip
        else:
            used = _run(net, population, neuron, state, n, times, weights, end,
                        time, fast, slope, used)  # fmt: skip
        if used < 0 or (single and used > begun):
            return used
        p, q, a = state[0], state[1], state[2]
    return used


@kernel
def _layer(net, grid, population, sample, places, trains, arrivals, time, fast, slope, start):
    """Run a population that doesn't feed itself. Returns the tape's spikes, or FULL."""
    count = grid.count[population]
    slow, quick, up = np.empty(count), np.empty(count), np.empty(count)
    state = np.empty(4)
    base = net.into[population]
    _look(net, grid, population, base, sample, time, start, places, trains)
    low, high = net.first[population], net.first[population + 1]
    used = start[low]
    for neuron in range(low, high):
        slow[:], quick[:], up[:] = 0.0, 0.0, 0.0
        for pair in range(net.into[population], net.into[population + 1]):
            starts = _spikes(net, net.pairs[pair, 0], sample, time, start)[1]
            _scatter(net, grid, pair, neuron - low, pair - base, starts, places, slow, quick, up)
        used = _walk(net, grid, population, neuron, trains, (slow, quick, up), arrivals, state,
                     time, fast, slope, used)  # fmt: skip
        if used < 0:
            return FULL
        start[neuron + 1] = used
    return used


# ----------------------------------------------------------------- a group that feeds itself


@kernel
def _deliver(net, grid, low, population, neuron, at, ring):
    """Add the arrivals of one spike of the group to the windows of their targets.

    ``ring`` : three arrays (windows, neurons), what P, Q and the bound get; a window's row is its
    number modulo the rows, a power of 2. Synapses stand source by source.
    """
    slow, quick, up = ring
    mask = slow.shape[0] - 1
    for pair in range(net.pairs.shape[0]):
        if net.pairs[pair, 0] != population or not net.pairs[pair, 3]:
            continue
        target = net.pairs[pair, 1]
        width, rates, count = grid.width[target], net.rates[target], grid.count[target]
        whole = int(at / width)
        left = at - whole * width
        by_slow, by_fast = exp(left * rates[0]), 0.0 if net.jump else exp(left * rates[1])
        back_m, back_s = exp(-width * rates[0]), exp(-width * rates[1])
        first = net.pairs[pair, 2] + (neuron - net.first[population]) * net.size[target]
        shift = net.first[target] - low
        for j in range(net.size[target]):
            synapse = first + j
            weight = net.weights[synapse]
            late = left + grid.rest[synapse] >= width
            slot = whole + grid.lag[synapse] + late
            if slot < count:
                slow[slot & mask, shift + j] += (
                    weight * grid.slow[synapse] * by_slow * (back_m if late else 1.0)
                )
                quick[slot & mask, shift + j] += (
                    weight * grid.fast[synapse] * by_fast * (back_s if late else 1.0)
                )
                up[slot & mask, shift + j] += max(weight, 0.0)


@kernel
def _gather_loop(net, grid, population, target, window, out, mark, n, times, weights):
    """Append the arrivals within a window from spikes ``out`` of the group itself."""
    width = grid.width[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if not net.pairs[pair, 3]:
            continue
        source = net.pairs[pair, 0]
        low, high = net.first[source], net.first[source + 1]
        sources, targets = net.size[source], net.size[population]
        begin = mark[max(0, window - int(net.reach[pair, 1] / width) - 2)]
        for k in range(begin, mark[window]):
            neuron = int(out[k, 1])
            if neuron < low or neuron >= high:
                continue
            synapse = net.pairs[pair, 2] + (neuron - low) * targets + target
            whole = int(out[k, 0] / width)
            late = out[k, 0] - whole * width + grid.rest[synapse] >= width
            if whole + grid.lag[synapse] + late == window:
                at = out[k, 0] + net.delays[synapse]
                if at <= net.duration:
                    times[n] = at
                    weights[n] = net.weights[synapse]
                    n += 1
    return n


@kernel
def _loop_sums(net, grid, begin, end, sample, places, trains, time, start):
    """Return what the sources outside a group add: three arrays (neurons, windows)."""
    low, base = net.first[begin], net.into[begin]
    n, count = net.first[end] - low, grid.count[begin]
    slow, quick, up = np.zeros((n, count)), np.zeros((n, count)), np.zeros((n, count))
    for population in range(begin, end):
        _look(net, grid, population, base, sample, time, start, places, trains)
        for pair in range(net.into[population], net.into[population + 1]):
            if net.pairs[pair, 3]:
                continue
            starts = _spikes(net, net.pairs[pair, 0], sample, time, start)[1]
            for j in range(net.size[population]):
                i = net.first[population] - low + j
                _scatter(net, grid, pair, j, pair - base, starts, places,
                         slow[i], quick[i], up[i])  # fmt: skip
    return slow, quick, up


@kernel
def _open(net, grid, population, neuron, base, window, trains, out, mark, arrivals, state, tape,
          emitted):  # fmt: skip
    """Run one neuron of a group through a window. Returns the spikes in ``out``, or FULL."""
    times, weights = arrivals
    time, fast, slope = tape
    width, target = grid.width[population], neuron - net.first[population]
    n = _gather(net, grid, population, base, target, window, trains, times, weights)
    n = _gather_loop(net, grid, population, target, window, out, mark, n, times, weights)
    _order(n, times, weights)
    end = min((window + 1) * width, net.duration)
    if net.jump:
        found = _run_jump(net, population, neuron, state, n, times, weights, end,
                          time, fast, slope, 0)  # fmt: skip
    else:
        found = _run(net, population, neuron, state, n, times, weights, end,
                     time, fast, slope, 0)  # fmt: skip
    if found < 0 or emitted + found > out.shape[0]:
        return FULL
    for k in range(found):
        out[emitted + k, 0], out[emitted + k, 1] = time[k], neuron
        out[emitted + k, 2], out[emitted + k, 3] = fast[k], slope[k]
    return emitted + found


@kernel
def _file(out, emitted, low, high, time, fast, slope, start, used):
    """Move the spikes of neurons ``low`` to ``high`` from ``out`` to the tape, by neuron."""
    start[low : high + 1] = 0
    for k in range(emitted):
        start[int(out[k, 1]) + 1] += 1
    start[low] = used
    for neuron in range(low, high):
        start[neuron + 1] += start[neuron]
    slots = start[low:high].copy()
    for k in range(emitted):
        slot = slots[int(out[k, 1]) - low]
        slots[int(out[k, 1]) - low] += 1
        time[slot], fast[slot], slope[slot] = out[k, 0], out[k, 2], out[k, 3]
    return used + emitted


@kernel
def _rows(net, grid, begin, end):
    """Windows from a spike of a group to its last arrival, as a power of 2."""
    rows = 4
    for pair in range(net.into[begin], net.into[end]):
        while net.pairs[pair, 3] and rows < net.reach[pair, 1] / grid.width[begin] + 3:
            rows *= 2
    return rows


@kernel
def _loop(net, grid, begin, end, sample, places, trains, arrivals, time, fast, slope, start):
    """Run the populations of a group that feeds itself, window by window.

    Windows are no longer than its shortest delay, so that within one its neurons are independent.
    Returns the tape's spikes, or FULL.
    """
    low, high, base = net.first[begin], net.first[end], net.into[begin]
    n, used, width = high - low, start[net.first[begin]], grid.width[begin]
    slow, quick, up = _loop_sums(net, grid, begin, end, sample, places, trains, time, start)
    rows = _rows(net, grid, begin, end)
    ring = (np.zeros((rows, n)), np.zeros((rows, n)), np.zeros((rows, n)))
    traces = np.zeros((n, 4))
    room = time.shape[0] - used
    out, mark = np.empty((room, 4)), np.zeros(grid.count[begin] + 1, np.int64)
    single = (np.empty(room), np.empty(room), np.empty(room))
    emitted = 0
    for window in range(grid.count[begin]):
        mark[window] = emitted
        row = window & (rows - 1)
        for population in range(begin, end):
            rates = net.rates[population]
            by_slow, by_fast = exp(-width * rates[0]), exp(-width * rates[1])
            by_lift = exp(-width * rates[2])
            top = 0.0 if net.jump else _top(rates, width)
            for neuron in range(net.first[population], net.first[population + 1]):
                i = neuron - low
                state = traces[i]
                more = up[i, window] + ring[2][row, i]
                theta = net.theta0[neuron]
                if _bound(net, theta, state[0], state[1], more, top, state[2] * by_lift):
                    state[3] = window * width
                    emitted = _open(net, grid, population, neuron, base, window, trains, out, mark,
                                    arrivals, state, single, emitted)  # fmt: skip
                    if emitted < 0:
                        return FULL
                else:
                    state[0] = (state[0] + slow[i, window] + ring[0][row, i]) * by_slow
                    state[1] = (state[1] + quick[i, window] + ring[1][row, i]) * by_fast
                    state[2] *= by_lift
                ring[0][row, i], ring[1][row, i], ring[2][row, i] = 0.0, 0.0, 0.0
        for k in range(mark[window], emitted):
            neuron = int(out[k, 1])
            population = begin
            while neuron >= net.first[population + 1]:
                population += 1
            _deliver(net, grid, low, population, neuron, out[k, 0], ring)
    return _file(out, emitted, low, high, time, fast, slope, start, used)


# ------------------------------------------------------------------------- whole samples


@kernel
def _forward(net, grid, sample, places, trains, arrivals, time, fast, slope, start):
    """Run one sample. Returns the spikes on its tape, or FULL."""
    used = 0
    start[0] = 0
    for group in range(net.groups.shape[0] - 1):
        begin, end = net.groups[group], net.groups[group + 1]
        if net.leaky and begin == net.final:
            start[net.first[begin] :] = used
            continue
        loop = False
        for pair in range(net.into[begin], net.into[end]):
            loop |= net.pairs[pair, 3] == 1
        if loop:
            used = _loop(net, grid, begin, end, sample, places, trains, arrivals,
                         time, fast, slope, start)  # fmt: skip
        else:
            used = _layer(net, grid, begin, sample, places, trains, arrivals,
                          time, fast, slope, start)  # fmt: skip
        if used < 0:
            return FULL
    return used


@kernel
def most_connections(net):
    """Most connections into one group."""
    most = 1
    for group in range(net.groups.shape[0] - 1):
        most = max(most, net.into[net.groups[group + 1]] - net.into[net.groups[group]])
    return most


@parallel_kernel
def forward(net, grid, inputs, rows, chunks, events, tape, used):
    """Run samples ``rows`` of the input, all cores at once.

    Parameters
    ----------
    inputs : tuple
        Of `engine.Inputs`: ``time``, ``start``, ``train_time``, ``train_source``.
    rows : (batch,) int64
    chunks : int
        Pieces of the batch that are handed to threads.
    events : int
        Most input spikes of a sample.
    tape : Tape
        Filled, a row a sample.
    used : (batch,) int64
        Filled with the spikes of each sample, or FULL.
    """
    batch = rows.shape[0]
    for chunk in nb.prange(chunks):
        room = max(events, tape.time.shape[1])
        shape = (most_connections(net), room)
        places = Places(
            np.empty(shape, np.int32), np.empty(shape), np.empty(shape), np.empty(shape)
        )
        trains = Trains(
            np.empty(shape), np.empty(shape, np.int32), np.empty(shape, np.int32),
            np.empty(shape), np.empty(shape[0], np.int64),
        )  # fmt: skip
        arrivals = (np.empty(events + shape[0] * room), np.empty(events + shape[0] * room))
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            start = inputs[1][rows[k]]
            part = slice(start[0], start[-1])
            sample = Sample(inputs[0], start, inputs[2][part], inputs[3][part])
            used[k] = _forward(
                net, grid, sample, places, trains, arrivals,
                tape.time[k], tape.fast[k], tape.slope[k], tape.start[k],
            )  # fmt: skip
