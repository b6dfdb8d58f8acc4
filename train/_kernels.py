"""The exact engine: spikes in continuous time, and the adjoint sweep back over them.

Symbols are those of docs/gradients.md. A neuron's traces are P, Q and A (``p``, ``q``, ``a``),
its height is f = P - Q - A - theta0, and it fires where f reaches 0 from below. Times are in ms;
``rate_m``, ``rate_s`` and ``rate_a`` are 1/tau_m, 1/tau_s and 1/tau_a.

Neurons are numbered through all populations, the input being population 0. The spikes of a sample
stand one neuron after the other and sorted by time: those of neuron ``n`` are ``start[n]`` to
``start[n + 1]``. Every kernel calls only kernels of this file, because Numba's cache doesn't see
changes in other files.
"""

from math import exp, inf, log
from typing import NamedTuple

import numba as nb
import numpy as np

kernel = nb.njit(cache=True, error_model="numpy")
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)

TAPE_FULL, HEAP_FULL = -1, -2


class Net(NamedTuple):
    """A network as the kernels see it.

    ``first`` : (populations + 1,) int64, the first neuron of each population. ``offset`` :
    (populations,) int64, where the synapses into a population begin in ``weights`` and ``delays``;
    they are stored target by target. The synapses of the recurrent population onto itself
    are stored source by source, from ``loop_offset``. ``theta0`` and ``beta`` are by neuron.
    """

    first: np.ndarray
    offset: np.ndarray
    loop: int  # the recurrent population, or -1
    loop_offset: int
    lookahead: float  # the shortest recurrent delay
    spiking: int  # populations that fire, the input included
    jump: bool
    duration: float
    rate_m: float
    rate_s: float
    rate_a: float
    rise: float  # largest value of h(u) = exp(-u rate_m) - exp(-u rate_s)
    weights: np.ndarray
    delays: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray


class Tape(NamedTuple):
    """What the backward pass needs, a row a sample.

    ``time``, ``fast`` and ``slope`` : (samples, room) float64, each spike's time, Q and slope of
    f just before it. A jump synapse's spike has no slope; there it's the number of arrivals at
    that instant. ``start`` : (samples, neurons + 1) int64; neurons that never fire have no spikes.
    """

    time: np.ndarray
    fast: np.ndarray
    slope: np.ndarray
    start: np.ndarray


# ------------------------------------------------------------------ when does a neuron fire?


@kernel
def _first_peak(net, p, q, a, span):
    """Where f stops rising for the first time, or ``span``. Needs q > 0 and f rising at 0.

    f' exp(u rate_m) is convex then, so Newton's iterates from its left never pass its first zero.
    """
    if p <= 0.0:
        return span
    gap, lag = net.rate_s - net.rate_m, net.rate_m - net.rate_a
    u = max(0.0, log(q * net.rate_s / (p * net.rate_m)) / gap)  # the peak if a were 0
    if a == 0.0:
        return min(u, span)
    for _ in range(100):
        if u >= span:
            return span
        fall = q * net.rate_s * exp(-u * gap)
        lift = a * net.rate_a * exp(u * lag)
        value = fall + lift - p * net.rate_m
        change = lag * lift - gap * fall
        if value <= 0.0:
            return u
        if change >= 0.0:
            return span
        step = -value / change
        u += step
        if step <= 1e-14 / net.rate_m:
            return min(u, span)
    return min(u, span)


@kernel
def _root(net, p, q, a, theta, low, high, u):
    """Where f reaches 0 between ``low`` (f < 0) and ``high`` (f >= 0), by safeguarded Newton."""
    for _ in range(200):
        slow, fast = p * exp(-u * net.rate_m), q * exp(-u * net.rate_s)
        lift = a * exp(-u * net.rate_a)
        f = slow - fast - lift - theta
        if f < 0.0:
            low = u
        else:
            high = u
        if abs(f) <= 2e-16 * (abs(slow) + abs(fast) + lift + theta):
            return u
        slope = fast * net.rate_s + lift * net.rate_a - slow * net.rate_m
        new = u - f / slope if slope > 0.0 else 0.5 * (low + high)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        if abs(new - u) <= 1e-15 / net.rate_m:
            return new
        u = new
    return u


@kernel
def _height(net, p, q, a, theta, u):
    return p * exp(-u * net.rate_m) - q * exp(-u * net.rate_s) - a * exp(-u * net.rate_a) - theta


@kernel
def first_crossing(net, p, q, a, theta, span):
    """Return the first u in [0, span] at which f reaches 0 from below, or -1. None is missed.

    f' exp(u rate_m) is convex for q > 0 and rises for q <= 0 (a >= 0), so f rises, falls and rises
    again at most: one crossing before its peak, or else one after.
    """
    rising = q * net.rate_s + a * net.rate_a - p * net.rate_m > 0.0
    if rising and p - q - a - theta >= 0.0:
        return 0.0
    low = 0.0
    if rising and q > 0.0:
        peak = _first_peak(net, p, q, a, span)
        if _height(net, p, q, a, theta, peak) >= 0.0:
            return _root(net, p, q, a, theta, 0.0, peak, 0.0)
        low = peak
    if low < span and _height(net, p, q, a, theta, span) >= 0.0:
        return _root(net, p, q, a, theta, low, span, span)
    return -1.0


@kernel
def _can_fire(net, p, q, p_end, q_end, theta, span):
    """Whether V might reach ``theta`` within ``span``, at the end of which P and Q are given.

    V = v exp(-u rate_m) + q h(u) with h(u) <= ``rise`` and h(u) <= u (rate_s - rate_m). If V rises
    at the end it has risen all along, or been below 0; while it rises it's under its tangent.
    """
    v = p - q
    if max(v, 0.0) + max(q, 0.0) * min(net.rise, span * (net.rate_s - net.rate_m)) < theta:
        return False
    if q_end * net.rate_s >= p_end * net.rate_m:
        return p_end - q_end >= theta
    return v + max(0.0, q * net.rate_s - p * net.rate_m) * span >= theta


# ------------------------------------------------------------------------- feedforward


@kernel
def _gather(net, population, target, time, start, raw_time, raw_weight):
    """Collect the arrivals at one neuron, unsorted. Returns how many, and the first and last."""
    low, high = net.first[population - 1], net.first[population]
    synapse = net.offset[population] + target * (high - low)
    n, earliest, latest = 0, inf, 0.0
    for source in range(low, high):
        weight, delay = net.weights[synapse], net.delays[synapse]
        synapse += 1
        for k in range(start[source], start[source + 1]):
            at = time[k] + delay
            if at <= net.duration:
                raw_time[n] = at
                raw_weight[n] = weight
                n += 1
                earliest = min(earliest, at)
                latest = max(latest, at)
    return n, earliest, latest


@kernel
def _sort(n, earliest, latest, raw_time, raw_weight, out_time, out_weight, fill):
    """Sort arrivals by time into ``out``: into n buckets, then by insertion."""
    spread = latest - earliest
    scale = (n - 1) / spread if spread > 1e-9 * latest else 0.0
    for k in range(n + 1):
        fill[k] = 0
    for k in range(n):
        fill[int((raw_time[k] - earliest) * scale) + 1] += 1
    for k in range(n):
        fill[k + 1] += fill[k]
    for k in range(n):
        bucket = int((raw_time[k] - earliest) * scale)
        out_time[fill[bucket]] = raw_time[k]
        out_weight[fill[bucket]] = raw_weight[k]
        fill[bucket] += 1
    for k in range(1, n):
        at, weight = out_time[k], out_weight[k]
        slot = k
        while slot > 0 and out_time[slot - 1] > at:
            out_time[slot] = out_time[slot - 1]
            out_weight[slot] = out_weight[slot - 1]
            slot -= 1
        out_time[slot] = at
        out_weight[slot] = weight


@kernel
def _run(net, neuron, n, times, weights, time, fast, slope, used):
    """Run one neuron over its sorted arrivals. Returns the tape's spikes, or TAPE_FULL."""
    theta, beta = net.theta0[neuron], net.beta[neuron]
    p, q, a = 0.0, 0.0, 0.0
    now, a_now = 0.0, 0.0  # a is decayed only when it's looked at
    for k in range(n + 1):
        end = times[k] if k < n else net.duration
        slow, quick = exp((now - end) * net.rate_m), exp((now - end) * net.rate_s)
        while _can_fire(net, p, q, p * slow, q * quick, theta, end - now):
            if a > 0.0:
                a *= exp((a_now - now) * net.rate_a)
                a_now = now
                raised = theta + a * max(0.0, 1.0 - (end - now) * net.rate_a)
                if not _can_fire(net, p, q, p * slow, q * quick, raised, end - now):
                    break
            u = first_crossing(net, p, q, a, theta, end - now)
            if u < 0.0:
                break
            if used == time.shape[0]:
                return TAPE_FULL
            p *= exp(-u * net.rate_m)
            q *= exp(-u * net.rate_s)
            a *= exp(-u * net.rate_a)
            now += u
            a_now = now
            time[used] = now
            fast[used] = q
            slope[used] = q * net.rate_s + a * net.rate_a - p * net.rate_m
            used += 1
            p = q
            a += beta
            slow, quick = exp((now - end) * net.rate_m), exp((now - end) * net.rate_s)
        if k < n:
            p = p * slow + weights[k]
            q = q * quick + weights[k]
            now = end
    return used


@kernel
def _run_jump(net, neuron, n, times, weights, time, fast, slope, used):
    """`_run` for jump synapses: V = P can pass the threshold only at an arrival."""
    theta, beta = net.theta0[neuron], net.beta[neuron]
    p, a, now, group = 0.0, 0.0, 0.0, 0
    for k in range(n):
        at = times[k]
        p = p * exp((now - at) * net.rate_m) + weights[k]
        a *= exp((now - at) * net.rate_a)
        now = at
        group += 1
        if k + 1 < n and times[k + 1] == at:
            continue
        if p >= theta + a:
            if used == time.shape[0]:
                return TAPE_FULL
            time[used] = at
            fast[used] = 0.0
            slope[used] = group
            used += 1
            p = 0.0
            a += beta
        group = 0
    return used


# --------------------------------------------------------------------------- recurrent


@kernel
def _push(times, weights, size, at, weight):
    """Add an arrival to a heap of ``size``."""
    slot = size
    while slot > 0 and times[(slot - 1) >> 1] > at:
        times[slot] = times[(slot - 1) >> 1]
        weights[slot] = weights[(slot - 1) >> 1]
        slot = (slot - 1) >> 1
    times[slot] = at
    weights[slot] = weight


@kernel
def _pop(times, weights, size):
    """Take the earliest arrival off a heap of ``size``."""
    size -= 1
    at, weight = times[size], weights[size]
    slot = 0
    while 2 * slot + 1 < size:
        child = 2 * slot + 1
        if child + 1 < size and times[child + 1] < times[child]:
            child += 1
        if times[child] >= at:
            break
        times[slot] = times[child]
        weights[slot] = weights[child]
        slot = child
    times[slot] = at
    weights[slot] = weight


@kernel
def _send(net, at, synapse, stride, heap_time, heap_weight, size):
    """Put one spike's arrivals, ``stride`` synapses apart, on the targets' heaps."""
    for j in range(size.shape[0]):
        arrival = at + net.delays[synapse]
        if arrival <= net.duration:
            if size[j] == heap_time.shape[1]:
                return False
            _push(heap_time[j], heap_weight[j], size[j], arrival, net.weights[synapse])
            size[j] += 1
        synapse += stride
    return True


@kernel
def _next_spike(net, theta, state, arrival, horizon):
    """When a neuron will fire unless something arrives: inf if not before ``arrival``."""
    p, q, a, now = state
    if net.jump:
        return inf
    span = (arrival if arrival < horizon else net.duration) - now
    p_end, q_end = p * exp(-span * net.rate_m), q * exp(-span * net.rate_s)
    raised = theta + a * max(0.0, 1.0 - span * net.rate_a)
    if not _can_fire(net, p, q, p_end, q_end, raised, span):
        return inf
    u = first_crossing(net, p, q, a, theta, span)
    return now + u if u >= 0.0 else inf


@kernel
def _advance(net, neuron, state, due, horizon, times, weights, size, out, emitted):
    """Run one recurrent neuron up to ``horizon``.

    ``state`` : (4,) P, Q, A and their time. ``out`` : (room, 4) time, neuron, Q and slope of each
    spike. Returns its next spike, the size of its heap and the spikes in ``out``.
    """
    theta, beta = net.theta0[neuron], net.beta[neuron]
    while True:
        arrival = times[0] if size else inf
        at = min(due, arrival)
        if not at < horizon:
            return due, size, emitted
        state[0] *= exp((state[3] - at) * net.rate_m)
        state[1] *= exp((state[3] - at) * net.rate_s)
        state[2] *= exp((state[3] - at) * net.rate_a)
        state[3] = at
        fires = due <= arrival
        slope = state[1] * net.rate_s + state[2] * net.rate_a - state[0] * net.rate_m
        if not fires:
            group = 0
            while size and times[0] == at:
                state[0] += weights[0]
                state[1] += 0.0 if net.jump else weights[0]
                _pop(times, weights, size)
                size -= 1
                group += 1
            fires = net.jump and state[0] >= theta + state[2]
            slope = group
        if fires:
            if emitted == out.shape[0]:
                return due, size, TAPE_FULL
            out[emitted, 0], out[emitted, 1] = at, neuron
            out[emitted, 2], out[emitted, 3] = state[1], slope
            emitted += 1
            state[0] = state[1]
            state[2] += beta
        due = _next_spike(net, theta, state, times[0] if size else inf, horizon)


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
def _run_recurrent(net, population, time, fast, slope, start, room):
    """Run the recurrent population.

    What fires at t arrives no earlier than t + lookahead, so up to ``horizon`` neurons are
    independent; each has a heap of the arrivals on their way, for ``room`` of them. Returns the
    spikes on the tape then, TAPE_FULL or HEAP_FULL.
    """
    before, low, high = net.first[population - 1], net.first[population], net.first[population + 1]
    n = high - low
    used = start[low]
    order = np.argsort(time[start[before] : used], kind="mergesort") + start[before]
    source = np.searchsorted(start[before : low + 1], order, side="right") - 1
    heap_time, heap_weight = np.empty((n, room)), np.empty((n, room))
    size = np.zeros(n, np.int64)
    state, due = np.zeros((n, 4)), np.full(n, inf)
    out = np.empty((time.shape[0] - used, 4))
    sent, emitted = 0, 0
    while True:
        now = time[order[sent]] if sent < order.shape[0] else inf
        for j in range(n):
            now = min(now, due[j])
            if size[j]:
                now = min(now, heap_time[j, 0])
        if not now <= net.duration:
            return _file(out, emitted, low, high, time, fast, slope, start, used)
        horizon = now + net.lookahead
        while sent < order.shape[0] and time[order[sent]] < horizon:
            at, synapse = time[order[sent]], net.offset[population] + source[sent]
            if not _send(net, at, synapse, low - before, heap_time, heap_weight, size):
                return HEAP_FULL
            sent += 1
        fresh = emitted
        for j in range(n):
            if due[j] < horizon or (size[j] and heap_time[j, 0] < horizon):
                due[j], size[j], emitted = _advance(
                    net, low + j, state[j], due[j], horizon,
                    heap_time[j], heap_weight[j], size[j], out, emitted,
                )  # fmt: skip
                if emitted < 0:
                    return TAPE_FULL
        for k in range(fresh, emitted):
            synapse = net.loop_offset + (int(out[k, 1]) - low) * n
            if not _send(net, out[k, 0], synapse, 1, heap_time, heap_weight, size):
                return HEAP_FULL


# ------------------------------------------------------------------------- whole samples


@kernel
def _forward(net, input_time, input_start, row, time, fast, slope, start, room):
    """Run one sample. Returns the spikes on its tape, TAPE_FULL or HEAP_FULL."""
    inputs = net.first[1]
    used = 0
    for n in range(inputs):
        start[n] = used
        for k in range(input_start[row, n], input_start[row, n + 1]):
            if used == time.shape[0]:
                return TAPE_FULL
            time[used], fast[used], slope[used] = input_time[k], 0.0, 1.0
            used += 1
    start[inputs] = used
    raw_time, raw_weight = np.empty(time.shape[0]), np.empty(time.shape[0])
    times, weights = np.empty(time.shape[0]), np.empty(time.shape[0])
    fill = np.empty(time.shape[0] + 1, np.int64)
    for population in range(1, net.spiking):
        low, high = net.first[population], net.first[population + 1]
        if population == net.loop:
            used = _run_recurrent(net, population, time, fast, slope, start, room)
            if used < 0:
                return used
            continue
        for neuron in range(low, high):
            n, earliest, latest = _gather(
                net, population, neuron - low, time, start, raw_time, raw_weight
            )
            _sort(n, earliest, latest, raw_time, raw_weight, times, weights, fill)
            if net.jump:
                used = _run_jump(net, neuron, n, times, weights, time, fast, slope, used)
            else:
                used = _run(net, neuron, n, times, weights, time, fast, slope, used)
            if used < 0:
                return used
            start[neuron + 1] = used
    start[net.first[net.spiking] :] = used
    return used


@parallel_kernel
def forward(net, input_time, input_start, rows, chunks, room, tape, used):
    """Run samples ``rows`` of the input, all cores at once.

    Parameters
    ----------
    input_time : (events,) float64
        Input spikes, by sample and channel, sorted by time.
    input_start : (samples, channels + 1) int64
        Where each channel's spikes begin.
    rows : (batch,) int64
    chunks : int
        Pieces of the batch that are handed to threads.
    room : int
        Arrivals that a recurrent neuron's heap can hold.
    tape : Tape
        Filled, a row a sample.
    used : (batch,) int64
        Filled with the spikes of each sample, TAPE_FULL or HEAP_FULL.
    """
    batch = rows.shape[0]
    for chunk in nb.prange(chunks):
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            used[k] = _forward(
                net, input_time, input_start, rows[k],
                tape.time[k], tape.fast[k], tape.slope[k], tape.start[k], room,
            )  # fmt: skip
