"""Yin-Yang, first spikes in continuous time, every delay trained; tau_m = 2 tau_s.

With y = exp(-t/tau_m), V = y S - y^2 F, where S and F sum w exp(a/tau_m) and w exp(2a/tau_m) over
the arrivals a so far: the first spike is the root of a quadratic.
"""

from math import exp, inf, log, sqrt

import numba as nb
import numpy as np
from measure import best

kernel = nb.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})

TAU_M = 20.0
SCALE = 1.0
"""Milliseconds of lead that are worth a factor e."""


@kernel
def _first_spike(sources, weights, delays, rate, order, at):
    """Return a neuron's first spike, inf if none, and its S and F. The threshold is 1."""
    n = 0
    for k in range(sources.shape[0]):
        if sources[k] < inf:
            at[k] = sources[k] + delays[k]
            slot = n
            while slot > 0 and at[order[slot - 1]] > at[k]:
                order[slot] = order[slot - 1]
                slot -= 1
            order[slot] = k
            n += 1
    slow, fast = 0.0, 0.0
    for turn in range(n):
        k = order[turn]
        grown = exp(at[k] * rate)
        slow += weights[k] * grown
        fast += weights[k] * grown * grown
        room = slow * slow - 4.0 * fast
        if slow <= 0.0 or fast <= 0.0 or room <= 0.0:
            continue
        spike = log(2.0 * fast / (slow + sqrt(room))) / rate
        if spike >= at[k] and (turn + 1 == n or spike <= at[order[turn + 1]]):
            return spike, slow, fast
    return inf, slow, fast


@kernel
def _pull_back(
    spike, slow, fast, g, sources, weights, delays, rate, by_weight, by_delay, by_source
):
    """Add dL/dw, dL/dd and dL/dt of a neuron's arrivals, given dL/dt = ``g`` of its spike."""
    decay = exp(-spike * rate)
    share = g / (rate * decay * (2.0 * decay * fast - slow))
    for k in range(sources.shape[0]):
        at = sources[k] + delays[k]
        if at < spike:
            grown = exp(at * rate) * decay
            shift = share * weights[k] * rate * (2.0 * grown * grown - grown)
            by_weight[k] += share * (grown * grown - grown)
            by_delay[k] += shift
            by_source[k] += shift


@kernel
def gradients(times, labels, rows, weights, delays, duration, rate, grad_w, grad_d):
    """Add the gradients of the batch ``rows`` to four arrays. Returns how many are right.

    ``weights`` and ``delays`` are pairs of (targets, sources) float64, first and second layer.
    """
    w1, w2 = weights
    d1, d2 = delays
    hidden, inputs = w1.shape
    outputs = w2.shape[0]
    order, at = np.empty(hidden + inputs, np.int64), np.empty(hidden + inputs)
    h_time, h_slow, h_fast = np.empty(hidden), np.empty(hidden), np.empty(hidden)
    o_time, o_slow, o_fast = np.empty(outputs), np.empty(outputs), np.empty(outputs)
    pull, sink = np.empty(hidden), np.empty(inputs)
    right = 0
    for row in rows:
        for j in range(hidden):
            h_time[j], h_slow[j], h_fast[j] = _first_spike(
                times[row], w1[j], d1[j], rate, order, at
            )
            if h_time[j] > duration:
                h_time[j] = inf
        first = 0
        for o in range(outputs):
            o_time[o], o_slow[o], o_fast[o] = _first_spike(h_time, w2[o], d2[o], rate, order, at)
            if o_time[o] > duration:
                o_time[o] = inf
            if o_time[o] < o_time[first]:
                first = o
        right += first == labels[row]
        early, total = min(o_time[first], duration), 0.0
        for o in range(outputs):
            total += exp((early - min(o_time[o], duration)) / SCALE)
        pull[:] = 0.0
        for o in range(outputs):
            if o_time[o] < inf:
                p = exp((early - o_time[o]) / SCALE) / total
                g = ((1.0 if o == labels[row] else 0.0) - p) / SCALE
                _pull_back(o_time[o], o_slow[o], o_fast[o], g, h_time, w2[o], d2[o], rate,
                           grad_w[1][o], grad_d[1][o], pull)  # fmt: skip
        for j in range(hidden):
            if pull[j] != 0.0:
                _pull_back(h_time[j], h_slow[j], h_fast[j], pull[j], times[row], w1[j], d1[j],
                           rate, grad_w[0][j], grad_d[0][j], sink)  # fmt: skip
    return right


@kernel
def _adam(parameter, gradient, mean, square, size, least, count):
    for i in range(parameter.size):
        g = gradient.flat[i] / count
        mean.flat[i] += 0.1 * (g - mean.flat[i])
        square.flat[i] += 0.001 * (g * g - square.flat[i])
        moved = parameter.flat[i] - size * mean.flat[i] / (sqrt(square.flat[i]) + 1e-8)
        parameter.flat[i] = max(moved, least)
        gradient.flat[i] = 0.0


def targets_first(arrays):
    """Return (sources, targets) arrays as contiguous (targets, sources) ones."""
    return tuple(np.ascontiguousarray(array.T) for array in arrays)


def yinyang(task, repeats=5):
    """Return the CPU seconds of one epoch of training."""
    times, labels = task.points()
    drawn = task.parameters()
    weights, delays = targets_first(drawn["weights"]), targets_first(drawn["delays"])
    grad_w, grad_d = ([np.zeros_like(array) for array in pair] for pair in (weights, delays))
    moments = [[np.zeros_like(array) for array in (*weights, *delays)] for _ in range(2)]
    order = np.random.default_rng(task.seed).permutation(task.samples)

    def epoch():
        for start in range(0, task.samples, task.batch):
            rows = order[start : start + task.batch]
            gradients(times, labels, rows, weights, delays, task.duration, 1.0 / TAU_M,
                      tuple(grad_w), tuple(grad_d))  # fmt: skip
            sizes = (0.01, 0.01, 0.2, 0.2)
            least = (-inf, -inf, 0.1, 0.1)
            arrays = ((*weights, *delays), (*grad_w, *grad_d), *moments)
            for parts in zip(*arrays, sizes, least, strict=True):
                _adam(*parts, float(len(rows)))

    return {"seconds": best(epoch, repeats)[0]}
