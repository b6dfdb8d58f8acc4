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

from math import exp, log
from typing import NamedTuple

import numba as nb
import numpy as np

# Inlined, because a call that hands a tuple of arrays on costs more than most of them do.
kernel = nb.njit(cache=True, error_model="numpy", forceinline=True)
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)

FULL = -1

PARTS = 64
"""Parts of a window that arrivals are told apart by at a glance."""


class Net(NamedTuple):
    """A network as the kernels see it. Population 0 is the input.

    ``size`` : (populations,) int64. ``first`` : (populations + 1,) int64, first neuron of each
    population; that of the input isn't used, its channels are numbered apart. ``groups`` :
    (groups + 1,) int64, first population of each group. ``pairs`` : (connections, 4) int64, source,
    target, first synapse, and first synapse of the copy or -1; sorted by target. ``into`` :
    (populations + 1,) int64, first connection into each population. Synapses stand target by
    target; those within a group have a copy behind all of them, source by source. ``reach`` :
    (connections, 2) float64, shortest and longest delay. ``rates`` : (populations, 3) float64,
    1/tau_m, 1/tau_s, 1/tau_a. ``theta0`` and ``beta`` are by neuron.
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

    ``width`` : (populations,) float64, ms. ``count`` : (populations,) int64. ``back`` :
    (populations, 3, 3) float64, what P, Q and A decay to over 0, 1 and 2 windows. ``pos`` :
    (synapses,) float64, a synapse's delay in windows; ``lag``, uint16 or int32, are the whole ones.
    The rest is worth the factors ``slow`` = exp(rest/tau_m) and ``fast`` = exp(rest/tau_s).

    A spike has the same four. Its arrival's window is int(pos + pos), always in this arithmetic, so
    that nothing is lost or doubled at a boundary; that may be 0, 1 or, by rounding, 2 windows later
    than the sum of the whole ones.

    ``near`` : (synapses,) uint16 or int32, delays in `PARTS` of a window, rounded down. ``both`` :
    (synapses, 2) float64, delay and weight, side by side for those who jump from one to another.
    """

    width: np.ndarray
    count: np.ndarray
    back: np.ndarray
    pos: np.ndarray
    lag: np.ndarray
    slow: np.ndarray
    fast: np.ndarray
    near: np.ndarray
    both: np.ndarray


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

    pos: np.ndarray
    slot: np.ndarray
    slow: np.ndarray
    fast: np.ndarray


class Trains(NamedTuple):
    """The same spikes in the order of their windows; those of window w begin at ``first[w]``.

    ``near`` : their places in `PARTS` of a window, rounded down.
    """

    time: np.ndarray
    source: np.ndarray
    pos: np.ndarray
    near: np.ndarray
    first: np.ndarray


class Sample(NamedTuple):
    """The input spikes of one sample, by channel as on a tape."""

    time: np.ndarray
    start: np.ndarray


# ------------------------------------------------------------------ when does a neuron fire?


@kernel
def _ahead(ratio, y):
    """Return y**(ratio - 1), by which the fast trace decays more. Small whole ratios save exps."""
    if ratio == 4.0:
        return y * y * y
    if ratio == 2.0:
        return y
    if ratio == 3.0:
        return y * y
    return exp((ratio - 1.0) * log(y)) if y > 0.0 else 0.0


@kernel
def _peaks(ratio, p, q, theta):
    """Whether p y - q y**ratio reaches ``theta`` for some y > 0. ``p``, ``q`` : above 0."""
    if ratio == 4.0:
        return 27.0 * (p * p) * (p * p) >= 256.0 * q * theta * (theta * theta)
    if ratio == 2.0:
        return p * p >= 4.0 * q * theta
    if ratio == 3.0:
        return 4.0 * p * (p * p) >= 27.0 * q * (theta * theta)
    if p < theta or q <= 0.0:
        return False
    return p * (1.0 - 1.0 / ratio) * exp(log(p / (q * ratio)) / (ratio - 1.0)) >= theta


@kernel
def _reaches(ratio, p, q, theta, y, q_end):
    """Whether a curve that `_peaks`, not yet at ``theta`` at 1, gets there on its way to ``y``.

    ``q_end`` : q y**ratio. No branches, since none could be predicted: it's positive and rises at
    1, and has risen far enough at ``y`` or has its peak before.
    """
    up = (p > 0.0) & (q * ratio > p)
    return up & ((p * y - q_end >= theta) | (q_end * ratio < p * y))


@kernel
def _straight_root(ratio, p, q, theta, low):
    """Return the largest y in [low, 1] with p y - q y**ratio = theta, if `_reaches` it.

    The curve is concave and falls where y is larger. Halley's iterates start there.
    """
    y, high = 1.0, 1.0
    for _ in range(100):
        fall = q * _ahead(ratio, y)
        f = (p - fall) * y - theta
        slope = p - ratio * fall
        if f < 0.0 and slope < 0.0:
            high = y
        else:
            low = y
        bend = (1.0 - ratio) * ratio * fall  # y f''
        below = 2.0 * slope * slope * y - f * bend
        new = y - 2.0 * f * slope * y / below if slope < 0.0 and below > 0.0 else -1.0
        step = abs(new - y)
        # The error left is of the step's third order.
        close = step * step * step * bend * (bend + ratio * slope) <= 1e-16 * slope * slope * y * y
        if not low <= new <= high:
            new, close = 0.5 * (low + high), False
        if close or abs(new - y) <= 1e-15 * y:
            return new
        y = new
    return y


@kernel
def _bent_root(rates, p, q, a, theta, span, u):
    """Return the crossing in [u, span], -1 if none, and exp(-u/tau_m) and A there.

    ``u`` : no later than it. Up to its peak f is concave, and later it never crosses 0 from below:
    it only nears -theta0. So a tangent from below finds 0 no later than f, or f doesn't.
    """
    ratio, low, high = rates[1] / rates[0], u, span
    tangent, crossed = -1.0, False
    for _ in range(200):
        y = exp(-u * rates[0])
        slow, lift = p * y, a * exp(-u * rates[2])
        fast = q * y * _ahead(ratio, y)
        f = slow - fast - lift - theta
        slope = fast * rates[1] + lift * rates[2] - slow * rates[0]
        if f >= 0.0:
            high, crossed = u, True
        elif slope > 0.0:
            low = u
            if u - f / slope > span:
                return -1.0, y, lift
        elif tangent > low and tangent < u:
            u = tangent  # a tangent never passes the peak before 0
            continue
        else:
            return -1.0, y, lift
        if f < 0.0:
            tangent = u - f / slope
        bend = slow * rates[0] ** 2 - fast * rates[1] ** 2 - lift * rates[2] ** 2
        below = 2.0 * slope * slope - f * bend
        new = u - 2.0 * f * slope / below if slope > 0.0 and below > 0.0 else -1.0
        step = abs(new - u)
        # The error left is of the step's third order.
        close = (
            step * step * step * bend * (bend - 3.0 * rates[1] * slope) * rates[0]
            <= 1e-16 * slope * slope
        )
        if not low <= new <= high:
            new, close = tangent if f < 0.0 and not crossed else 0.5 * (low + high), False
        if close or abs(new - u) * rates[0] <= 1e-15:
            y *= _near_one((new - u) * rates[0])
            return new, y, lift * _near_one((new - u) * rates[2])
        u = new
    return u, y, lift


@kernel
def _near_one(x):
    """Return exp(-x), x near 0."""
    return 1.0 - x * (1.0 - x * (0.5 - x / 6.0))


@kernel
def _crossing(rates, p, q, a, theta, span, y, q_end, a_end):
    """Return the first crossing in [0, span], -1 if none, and exp(-u/tau_m) and A there.

    ``y`` : exp(-span/tau_m). ``q_end``, ``a_end`` : Q and A at the end. As a function of y, A is
    above its chord; with that in its place the curve is of the same kind as without A.
    """
    ratio = rates[1] / rates[0]
    tilt = (a - a_end) / (1.0 - y) if a > 0.0 and y < 1.0 else 0.0
    straight, above = p - tilt, theta + a - tilt
    if not (_peaks(ratio, straight, q, above) and _reaches(ratio, straight, q, above, y, q_end)):
        return -1.0, y, a
    root = _straight_root(ratio, straight, q, above, y)
    u = -log(root) / rates[0]
    if a > 0.0:
        return _bent_root(rates, p, q, a, theta, span, min(u, span))
    return u, root, 0.0


@kernel
def first_crossing(rates, p, q, a, theta, span):
    """Return the first u in [0, span] at which f reaches 0 from below, or -1. None is missed.

    A, theta >= 0. docs/gradients.md proves it.
    """
    y, q_end = exp(-span * rates[0]), q * exp(-span * rates[1])
    return _crossing(rates, p, q, a, theta, span, y, q_end, a * exp(-span * rates[2]))[0]


class Neuron(NamedTuple):
    """What `_run` knows of its neuron: three rates, theta0, beta, and whether it fires only once.

    Numbers, because a call that hands arrays on by name costs more than the call's work.
    """

    rates: tuple
    theta0: float
    beta: float
    single: bool


@kernel
def _neuron(net, population, neuron):
    rates = net.rates[population]
    return Neuron(
        (rates[0], rates[1], rates[2]), net.theta0[neuron], net.beta[neuron],
        net.single and population == net.final,
    )  # fmt: skip


@kernel
def _quiet(ratio, theta, p, q, level, k, n, weights, growth):
    """Pass the intervals in which V stays below ``theta``, from the one before arrival ``k`` on.

    Returns the first other one or n + 1, and P, Q and exp(t/tau_m) at its start.
    """
    while k <= n:
        y = level / growth[k]
        q_end = q * y * _ahead(ratio, y)
        if _peaks(ratio, p, q, theta) and _reaches(ratio, p, q, theta, y, q_end):
            return k, p, q, level
        p = p * y + weights[k]
        q = q_end + weights[k]
        level = growth[k]
        k += 1
    return k, p, q, level


@kernel
def _run(own, state, n, times, weights, growth, time, fast, slope, used):
    """Run one neuron over ``n`` sorted arrivals and on to the time behind them, of weight 0.

    ``own`` : Neuron. ``state`` : (4,) P, Q, A and their time. ``growth`` : exp(t/tau_m), t from
    that time on. Returns the tape's spikes, or FULL.
    """
    theta, rates = own.theta0, own.rates
    ratio = rates[1] / rates[0]
    p, q, a, now = state[0], state[1], state[2], state[3]
    k, level = 0, 1.0
    rest = a * exp((now - times[n]) * rates[2]) if a > 0.0 else 0.0  # A at the end
    while k <= n:
        begin = k
        k, p, q, level = _quiet(ratio, theta + rest, p, q, level, k, n, weights, growth)
        if k > n:
            break
        if k > begin:
            a *= exp((now - times[k - 1]) * rates[2]) if a > 0.0 else 0.0
            now = times[k - 1]
        gap, y = times[k] - now, level / growth[k]
        q_end = q * y * _ahead(ratio, y)
        a_end = a * exp(-gap * rates[2]) if a > 0.0 else 0.0
        u, y_spike, a_spike = _crossing(rates, p, q, a, theta, gap, y, q_end, a_end)
        if u >= 0.0:
            if used == time.shape[0]:
                return FULL
            p *= y_spike
            q *= y_spike * _ahead(ratio, y_spike)
            now += u
            level /= y_spike
            time[used], fast[used] = now, q
            slope[used] = q * rates[1] + a_spike * rates[2] - p * rates[0]
            p, a = q, a_spike + own.beta
            rest = a * exp((now - times[n]) * rates[2]) if a > 0.0 else 0.0
            used += 1
            if own.single:
                return used
        else:
            p = p * y + weights[k]
            q = q_end + weights[k]
            a, now, level = a_end, times[k], growth[k]
            k += 1
    state[0], state[1], state[2], state[3] = p, q, rest, times[n]
    return used


@kernel
def _run_jump(own, state, n, times, weights, end, time, fast, slope, used):
    """`_run` for jump synapses: V = P can pass the threshold only at an arrival."""
    rates, group = own.rates, 0
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
        if state[0] >= own.theta0 + state[2]:
            if used == time.shape[0]:
                return FULL
            time[used], fast[used], slope[used] = until, 0.0, group
            state[0] = 0.0
            state[2] += own.beta
            used += 1
            if own.single:
                return used
        group = 0
    return used


# ------------------------------------------------------------------------------- windows


@kernel
def _scatter(net, grid, pair, target, row, start, places, sums):
    """Add the arrivals of one connection at one target to its windows.

    ``sums`` : (windows, 4), what they add to P and to Q, as if at the window's start, and the sums
    of the positive and of the negative weights: together, since they're used together.
    """
    population = net.pairs[pair, 1]
    sources = net.size[net.pairs[pair, 0]]
    count, back = grid.count[population], grid.back[population]
    spots, slots = places.pos[row], places.slot[row]
    slows, fasts = places.slow[row], places.fast[row]
    for source in range(sources):
        begin, end = start[source] - start[0], start[source + 1] - start[0]
        synapse = net.pairs[pair, 2] + target * sources + source
        weight = net.weights[synapse]
        if begin == end or weight == 0.0:
            continue
        pos, lag = grid.pos[synapse], grid.lag[synapse]
        by_slow = weight * grid.slow[synapse]
        by_fast = 0.0 if net.jump else weight * grid.fast[synapse]
        up, down = max(weight, 0.0), min(weight, 0.0)
        for k in range(begin, end):
            slot = int(spots[k] + pos)
            if slot < count:
                late = slot - slots[k] - lag
                sums[slot, 0] += by_slow * slows[k] * back[0, late]
                sums[slot, 1] += by_fast * fasts[k] * back[1, late]
                sums[slot, 2] += up
                sums[slot, 3] += down


@kernel
def _collect(grid, population, duration, first, sources, window, low, high, train, n, arrivals):
    """Append the arrivals within a window from spikes ``low`` to ``high``. Returns how many.

    ``first`` : the target's first synapse with one of the ``sources``. ``train`` : rows of
    `Trains`. Nearly all spikes arrive in other windows: a loop without a branch, over parts of
    windows alone, finds the few that might not. The parts of a sum are up to 2 below the sum's.
    """
    times, weights, _, found = arrivals
    time, source, pos, near = train
    width, edge, m = grid.width[population], window * PARTS, 0
    lags, both = grid.near[first : first + sources], grid.both[first : first + sources]
    for k in range(low, high):
        part = near[k] + np.int32(lags[source[k]]) - edge
        found[m] = k
        m += (part >= -2) & (part < PARTS)
    for index in range(m):
        k = found[index]
        delay, weight = both[source[k], 0], both[source[k], 1]
        at = time[k] + delay
        if int(pos[k] + delay / width) == window and at <= duration:
            times[n] = at
            weights[n] = weight
            n += 1
    return n


@kernel
def _order(n, arrivals, begin, end, rate):
    """Sort a window's arrivals by time, put its ``end`` behind them, and find exp(t/tau_m).

    t counts from ``begin``, the start of the window.
    """
    times, weights, growth, _ = arrivals
    for k in range(1, n):
        at, weight = times[k], weights[k]
        slot = k
        while slot > 0 and times[slot - 1] > at:
            times[slot] = times[slot - 1]
            weights[slot] = weights[slot - 1]
            slot -= 1
        times[slot] = at
        weights[slot] = weight
    times[n], weights[n] = end, 0.0
    for k in range(n + 1):
        growth[k] = exp((times[k] - begin) * rate)


class Step(NamedTuple):
    """What a window of one population does: see `_bound`."""

    slow: float  # exp(-width/tau_m)
    fast: float
    lift: float
    fall: float  # width/tau_m
    climb: float  # width (1/tau_s - 1/tau_m)
    bend: float  # 1 - exp(-climb)


@kernel
def _step(rates, width, back):
    slow, fast, lift = back[:, 1]
    climb = width * (rates[1] - rates[0])
    return Step(slow, fast, lift, width * rates[0], climb, 1.0 - fast / slow)


@kernel
def _bound(jump, theta, p, q, p_end, q_end, up, down, step):
    """Whether V might reach ``theta`` within a window.

    ``p``, ``q``, ``p_end``, ``q_end`` : P and Q at its start and its end. ``up`` and ``down`` :
    sums of the positive and of the negative weights that arrive. If all the former came first, V
    would be under its tangent; and seen from its end, V was at most what Q and the weights can't
    have added since. docs/gradients.md derives both.
    """
    if jump:
        return max(p, 0.0) + up >= theta * (1.0 - 1e-12)
    v = max(p - q, 0.0)
    ahead = v + max(0.0, (max(q, 0.0) + up) * step.climb - v * step.fall)
    if ahead < theta * (1.0 - 1e-12):
        return False
    v = max(p_end - q_end, 0.0)
    least = (q * step.fast if q > 0.0 else q) + down
    behind = max(v, v / step.slow - least * step.bend)
    return behind >= theta * (1.0 - 1e-12)


@kernel
def _spikes(net, population, sample, time, start):
    """Return the times of a population's spikes, and where each neuron's begin."""
    if population == 0:
        return sample.time, sample.start
    return time, start[net.first[population] : net.first[population + 1] + 1]


@kernel
def place(time, begin, end, width, rates, pos, slot, slow, fast):
    """See spikes ``begin`` to ``end`` through windows of ``width``; fill `Places` from 0."""
    for k in range(end - begin):
        pos[k] = time[begin + k] / width
        slot[k] = int(pos[k])
        rest = (pos[k] - slot[k]) * width
        slow[k] = exp(rest * rates[0])
        fast[k] = exp(rest * rates[1])


@kernel
def _sort(time, starts, count, row, places, trains):
    """Put the spikes of a connection's source in the order of their windows."""
    first, slots, begin = trains.first[row], places.slot[row], starts[0]
    first[: count + 1] = 0
    for k in range(starts[-1] - begin):
        first[min(slots[k], count - 1) + 1] += 1
    for window in range(count):
        first[window + 1] += first[window]
    for source in range(starts.shape[0] - 1):
        for k in range(starts[source] - begin, starts[source + 1] - begin):
            window = min(slots[k], count - 1)
            to = first[window]
            first[window] += 1
            trains.time[row, to] = time[begin + k]
            trains.source[row, to] = source
            trains.pos[row, to] = places.pos[row, k]
            trains.near[row, to] = int(places.pos[row, k] * PARTS)
    for window in range(count, 0, -1):
        first[window] = first[window - 1]
    first[0] = 0


@kernel
def _look(net, grid, population, base, sample, time, start, places, trains):
    """Fill ``places`` and ``trains`` with the spikes of the sources outside its group.

    Their rows count from connection ``base``, the first into the group.
    """
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] >= 0:
            continue
        row = pair - base
        times, starts = _spikes(net, net.pairs[pair, 0], sample, time, start)
        place(times, starts[0], starts[-1], grid.width[population], net.rates[population],
              places.pos[row], places.slot[row], places.slow[row], places.fast[row])  # fmt: skip
        _sort(times, starts, grid.count[population], row, places, trains)


@kernel
def _gather(net, grid, population, base, target, window, trains, arrivals):
    """Collect the arrivals within a window from outside its group. Returns how many."""
    n, width, count = 0, grid.width[population], grid.count[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] >= 0:
            continue
        row = pair - base
        early = window - int(net.reach[pair, 1] / width) - 2
        late = window - int(net.reach[pair, 0] / width)
        low = trains.first[row, max(0, early)]
        high = trains.first[row, min(count, late + 1)] if late >= 0 else 0
        sources = net.size[net.pairs[pair, 0]]
        first = net.pairs[pair, 2] + target * sources
        spikes = (trains.time[row], trains.source[row], trains.pos[row], trains.near[row])
        n = _collect(grid, population, net.duration, first, sources, window, low, high, spikes, n,
                     arrivals)  # fmt: skip
    return n


# -------------------------------------------------------------------- a group without loops


@kernel
def _walk(net, grid, population, neuron, trains, sums, arrivals, state, time, fast, slope, used):
    """Run one neuron from window to window. Returns the tape's spikes, or FULL."""
    times, weights, growth, _ = arrivals
    width, begun = grid.width[population], used
    step = _step(net.rates[population], width, grid.back[population])
    own = _neuron(net, population, neuron)
    p, q, a = 0.0, 0.0, 0.0
    for window in range(grid.count[population]):
        p_end, q_end = (p + sums[window, 0]) * step.slow, (q + sums[window, 1]) * step.fast
        up, down = sums[window, 2], sums[window, 3]
        least = own.theta0 + a * step.lift
        if not _bound(net.jump, least, p, q, p_end, q_end, up, down, step):
            p, q = p_end, q_end
            a *= step.lift
            continue
        target = neuron - net.first[population]
        base = net.into[population]
        n = _gather(net, grid, population, base, target, window, trains, arrivals)
        state[0], state[1], state[2], state[3] = p, q, a, window * width
        end = min((window + 1) * width, net.duration)
        _order(n, arrivals, state[3], end, own.rates[0])
        if net.jump:
            used = _run_jump(own, state, n, times, weights, end, time, fast, slope, used)
        else:
            used = _run(own, state, n, times, weights, growth, time, fast, slope, used)
        if used < 0 or (own.single and used > begun):
            return used
        p, q, a = state[0], state[1], state[2]
    return used


@kernel
def _layer(net, grid, population, sample, places, trains, arrivals, time, fast, slope, start):
    """Run a population that doesn't feed itself. Returns the tape's spikes, or FULL."""
    sums, state = np.empty((grid.count[population], 4)), np.empty(4)
    base = net.into[population]
    _look(net, grid, population, base, sample, time, start, places, trains)
    low, high = net.first[population], net.first[population + 1]
    used = start[low]
    for neuron in range(low, high):
        sums[:] = 0.0
        for pair in range(base, net.into[population + 1]):
            starts = _spikes(net, net.pairs[pair, 0], sample, time, start)[1]
            _scatter(net, grid, pair, neuron - low, pair - base, starts, places, sums)
        used = _walk(net, grid, population, neuron, trains, sums, arrivals, state,
                     time, fast, slope, used)  # fmt: skip
        if used < 0:
            return FULL
        start[neuron + 1] = used
    return used


@kernel
def _by_time(net, population, sample, rate, time, start, sources, fill):
    """Fill ``sources``, in order of time, with all spikes into a population. Returns how many.

    ``sources`` : each spike's time, exp(t/tau_m), its synapse with target 0, and the step from a
    target to the next.
    """
    at, growth, synapses, step = sources
    total = 0
    for pair in range(net.into[population], net.into[population + 1]):
        starts = _spikes(net, net.pairs[pair, 0], sample, time, start)[1]
        total += starts[-1] - starts[0]
    scale = (total - 0.5) / net.duration
    fill[: total + 1] = 0
    for turn in range(2):
        for pair in range(net.into[population], net.into[population + 1]):
            spikes, starts = _spikes(net, net.pairs[pair, 0], sample, time, start)
            for source in range(starts.shape[0] - 1):
                for k in range(starts[source], starts[source + 1]):
                    bucket = min(int(spikes[k] * scale), total - 1)
                    if turn == 0:
                        fill[bucket + 1] += 1
                        continue
                    slot = fill[bucket]
                    fill[bucket] += 1
                    at[slot], step[slot] = spikes[k], starts.shape[0] - 1
                    synapses[slot] = net.pairs[pair, 2] + source
        for k in range(total if turn == 0 else 0):
            fill[k + 1] += fill[k]
    for k in range(total):
        spike, synapse, stride, slot = at[k], synapses[k], step[k], k
        while slot > 0 and at[slot - 1] > spike:
            at[slot], synapses[slot], step[slot] = at[slot - 1], synapses[slot - 1], step[slot - 1]
            slot -= 1
        at[slot], synapses[slot], step[slot] = spike, synapse, stride
    for k in range(total):
        growth[k] = exp(at[k] * rate)
    return total


@kernel
def _few(net, grid, population, sample, sources, arrivals, time, fast, slope, start):
    """`_layer` where a window is the whole sample: few arrivals, so all of them are sorted."""
    times, weights, growth, pick = arrivals
    delays, synapse_weights, by_delay = net.delays, net.weights, grid.slow
    # Names for all that neurons share: looking it up costs as much as an arrival.
    one = _neuron(net, population, net.first[population])
    theta0, beta, duration, state = net.theta0, net.beta, net.duration, np.empty(4)
    rate, top = one.rates[0], exp(duration * one.rates[0])
    total = _by_time(net, population, sample, rate, time, start, sources, pick)
    at, grown, synapses, step = sources
    low, used = net.first[population], start[net.first[population]]
    for target in range(net.size[population]):
        n = 0
        for k in range(total):
            arrival = at[k] + delays[synapses[k] + target * step[k]]
            if arrival > duration:
                continue
            slot = n
            while slot > 0 and times[slot - 1] > arrival:
                times[slot], pick[slot] = times[slot - 1], pick[slot - 1]
                slot -= 1
            times[slot], pick[slot] = arrival, k
            n += 1
        for slot in range(n):
            k = pick[slot]
            synapse = synapses[k] + target * step[k]
            weights[slot] = synapse_weights[synapse]
            growth[slot] = grown[k] * by_delay[synapse]
        times[n], weights[n], growth[n] = duration, 0.0, top
        state[0], state[1], state[2], state[3] = 0.0, 0.0, 0.0, 0.0
        own = Neuron(one.rates, theta0[low + target], beta[low + target], one.single)
        if net.jump:
            used = _run_jump(own, state, n, times, weights, duration, time, fast, slope, used)
        else:
            used = _run(own, state, n, times, weights, growth, time, fast, slope, used)
        if used < 0:
            return FULL
        start[low + target + 1] = used
    return used


# ----------------------------------------------------------------- a group that feeds itself


@kernel
def _deliver(net, grid, low, population, neuron, at, ring):
    """Add the arrivals of one spike of the group to the windows of their targets.

    ``ring`` : (windows, neurons, 4), as the sums of `_scatter`; a window's row is its number modulo
    the rows, a power of 2.
    """
    mask = ring.shape[0] - 1
    for pair in range(net.pairs.shape[0]):
        if net.pairs[pair, 0] != population or net.pairs[pair, 3] < 0:
            continue
        target = net.pairs[pair, 1]
        width, rates, count = grid.width[target], net.rates[target], grid.count[target]
        pos = at / width
        whole = int(pos)
        left = (pos - whole) * width
        by_slow, by_fast = exp(left * rates[0]), 0.0 if net.jump else exp(left * rates[1])
        back = grid.back[target]
        first = net.pairs[pair, 3] + (neuron - net.first[population]) * net.size[target]
        shift = net.first[target] - low
        for j in range(net.size[target]):
            synapse = first + j
            weight = net.weights[synapse]
            slot = int(pos + grid.pos[synapse])
            if slot < count:
                late = slot - whole - grid.lag[synapse]
                sums = ring[slot & mask, shift + j]
                sums[0] += weight * grid.slow[synapse] * by_slow * back[0, late]
                sums[1] += weight * grid.fast[synapse] * by_fast * back[1, late]
                sums[2] += max(weight, 0.0)
                sums[3] += min(weight, 0.0)


@kernel
def _gather_loop(net, grid, begin, population, target, window, out, mark, n, arrivals):
    """Append the arrivals within a window from spikes ``out`` of the group itself."""
    width = grid.width[population]
    for pair in range(net.into[population], net.into[population + 1]):
        if net.pairs[pair, 3] < 0:
            continue
        row = net.pairs[pair, 0] - begin
        low = mark[row, max(0, window - int(net.reach[pair, 1] / width) - 2)]
        sources = net.size[net.pairs[pair, 0]]
        first = net.pairs[pair, 2] + target * sources
        spikes = (out.time[row], out.source[row], out.pos[row], out.near[row])
        n = _collect(grid, population, net.duration, first, sources, window, low,
                     mark[row, window], spikes, n, arrivals)  # fmt: skip
    return n


@kernel
def _loop_sums(net, grid, begin, end, sample, places, trains, time, start):
    """Return what the sources outside a group add, (neurons, windows, 4)."""
    low, base = net.first[begin], net.into[begin]
    sums = np.zeros((net.first[end] - low, grid.count[begin], 4))
    for population in range(begin, end):
        _look(net, grid, population, base, sample, time, start, places, trains)
        for pair in range(net.into[population], net.into[population + 1]):
            if net.pairs[pair, 3] >= 0:
                continue
            starts = _spikes(net, net.pairs[pair, 0], sample, time, start)[1]
            for j in range(net.size[population]):
                i = net.first[population] - low + j
                _scatter(net, grid, pair, j, pair - base, starts, places, sums[i])
    return sums


class Out(NamedTuple):
    """Spikes of a group in the order of their windows, a row a population, and how many."""

    time: np.ndarray
    source: np.ndarray
    pos: np.ndarray
    near: np.ndarray
    fast: np.ndarray
    slope: np.ndarray
    length: np.ndarray


@kernel
def _open(net, grid, begin, population, neuron, window, trains, out, mark, arrivals, state):
    """Run one neuron of a group through a window. Returns whether its spikes fit ``out``."""
    width, target = grid.width[population], neuron - net.first[population]
    n = _gather(net, grid, population, net.into[begin], target, window, trains, arrivals)
    n = _gather_loop(net, grid, begin, population, target, window, out, mark, n, arrivals)
    times, weights, growth, _ = arrivals
    end = min((window + 1) * width, net.duration)
    _order(n, arrivals, state[3], end, net.rates[population, 0])
    row = population - begin
    used = out.length[row]
    time, fast, slope = out.time[row], out.fast[row], out.slope[row]
    own = _neuron(net, population, neuron)
    if net.jump:
        total = _run_jump(own, state, n, times, weights, end, time, fast, slope, used)
    else:
        total = _run(own, state, n, times, weights, growth, time, fast, slope, used)
    for k in range(used, total):
        out.source[row, k] = target
        out.pos[row, k] = time[k] / width
        out.near[row, k] = int(out.pos[row, k] * PARTS)
    out.length[row] = total
    return total != FULL


@kernel
def _file(out, row, low, high, time, fast, slope, start, used):
    """Move a population's spikes from ``out`` to the tape, by neuron. Returns the tape's spikes."""
    start[low : high + 1] = 0
    for k in range(out.length[row]):
        start[low + np.int64(out.source[row, k]) + 1] += 1
    start[low] = used
    for neuron in range(low, high):
        start[neuron + 1] += start[neuron]
    slots = start[low:high].copy()
    for k in range(out.length[row]):
        slot = slots[out.source[row, k]]
        slots[out.source[row, k]] += 1
        time[slot], fast[slot], slope[slot] = out.time[row, k], out.fast[row, k], out.slope[row, k]
    return used + out.length[row]


@kernel
def _rows(net, grid, begin, end):
    """Windows from a spike of a group to its last arrival, as a power of 2."""
    rows = 4
    for pair in range(net.into[begin], net.into[end]):
        while net.pairs[pair, 3] >= 0 and rows < net.reach[pair, 1] / grid.width[begin] + 3:
            rows *= 2
    return rows


@kernel
def _loop(net, grid, begin, end, sample, places, trains, arrivals, time, fast, slope, start):
    """Run the populations of a group that feeds itself, window by window.

    Windows are no longer than its shortest delay, so that within one its neurons are independent.
    Returns the tape's spikes, or FULL.
    """
    low, used, width = net.first[begin], start[net.first[begin]], grid.width[begin]
    count, rows = grid.count[begin], _rows(net, grid, begin, end)
    outside = _loop_sums(net, grid, begin, end, sample, places, trains, time, start)
    ring = np.zeros((rows, net.first[end] - low, 4))
    traces = np.zeros((ring.shape[1], 4))
    shape = (end - begin, time.shape[0] - used)
    out = Out(
        np.empty(shape), np.empty(shape, np.uint32), np.empty(shape), np.empty(shape, np.int32),
        np.empty(shape), np.empty(shape), np.zeros(end - begin, np.int64),
    )  # fmt: skip
    mark = np.zeros((end - begin, count + 1), np.int64)
    for window in range(count):
        mark[:, window] = out.length
        row = window & (rows - 1)
        for population in range(begin, end):
            step = _step(net.rates[population], width, grid.back[population])
            for neuron in range(net.first[population], net.first[population + 1]):
                i = neuron - low
                state = traces[i]
                more, own = outside[i, window], ring[row, i]
                p_end = (state[0] + more[0] + own[0]) * step.slow
                q_end = (state[1] + more[1] + own[1]) * step.fast
                least, up, down = net.theta0[neuron] + state[2] * step.lift, more[2], more[3]
                if _bound(net.jump, least, state[0], state[1], p_end, q_end, up + own[2],
                          down + own[3], step):  # fmt: skip
                    state[3] = window * width
                    if not _open(net, grid, begin, population, neuron, window, trains, out, mark,
                                 arrivals, state):  # fmt: skip
                        return FULL
                else:
                    state[0], state[1] = p_end, q_end
                    state[2] *= step.lift
        ring[row] = 0.0
        for population in range(begin, end):
            row = population - begin
            for k in range(mark[row, window], out.length[row]):
                neuron = net.first[population] + np.int64(out.source[row, k])
                _deliver(net, grid, low, population, neuron, out.time[row, k], ring)
    for population in range(begin, end):
        low, high = net.first[population], net.first[population + 1]
        if used + out.length[population - begin] > time.shape[0]:
            return FULL
        used = _file(out, population - begin, low, high, time, fast, slope, start, used)
    return used


# ------------------------------------------------------------------------- whole samples


@kernel
def _forward(net, grid, sample, places, trains, sources, arrivals, time, fast, slope, start):
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
            loop |= net.pairs[pair, 3] >= 0
        if loop:
            used = _loop(net, grid, begin, end, sample, places, trains, arrivals,
                         time, fast, slope, start)  # fmt: skip
        elif grid.count[begin] == 1:
            used = _few(net, grid, begin, sample, sources, arrivals, time, fast, slope, start)
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
        Of `engine.Inputs`: ``time`` and ``start``.
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
            np.empty(shape), np.empty(shape, np.int32), np.empty(shape), np.empty(shape)
        )
        trains = Trains(
            np.empty(shape), np.empty(shape, np.uint32), np.empty(shape),
            np.empty(shape, np.int32), np.empty((shape[0], grid.count.max() + 1), np.int64),
        )  # fmt: skip
        most = events + shape[0] * room
        arrivals = (
            np.empty(most + 1), np.empty(most + 1), np.empty(most + 1),
            np.empty(most + 1, np.int64),
        )
        sources = (
            np.empty(most), np.empty(most), np.empty(most, np.int64), np.empty(most, np.int64)
        )
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            sample = Sample(inputs[0], inputs[1][rows[k]])
            used[k] = _forward(
                net, grid, sample, places, trains, sources, arrivals,
                tape.time[k], tape.fast[k], tape.slope[k], tape.start[k],
            )  # fmt: skip
