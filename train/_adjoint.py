"""Scores of the readouts, and the adjoint sweep from them back to every parameter.

Symbols are those of docs/gradients.md. The adjoints lP, lQ and lA of a neuron decay backwards in
time like their traces and jump only at its own spikes, so the sweep needs no queue: first each
spike's own jump, latest first, then every arrival reads the adjoints at its time. Spikes are laid
out as in ``_kernels.Tape``; here ``g`` holds dL/dt of each spike.

Every kernel calls only kernels of this file, because Numba's cache doesn't see changes in others.
"""

from math import exp, inf
from typing import NamedTuple

import numba as nb
import numpy as np

kernel = nb.njit(cache=True, error_model="numpy")
parallel_kernel = nb.njit(cache=True, error_model="numpy", parallel=True)

LEAKY, FIRST_SPIKE, SPIKE_COUNT = 0, 1, 2


class Gradient(NamedTuple):
    """Sums over the samples of a chunk, a row a chunk.

    ``weights`` and ``delays`` : (chunks, synapses) float64. ``theta0`` and ``beta`` :
    (chunks, neurons) float64.
    """

    weights: np.ndarray
    delays: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray


# ---------------------------------------------------------------------------- readouts


@kernel
def _readout_value(net, at):
    """Return K(at), the score of an arrival of weight 1, and its derivative.

    With r = 1/T + 1/tau, each trace adds exp(-t/T) / (T r) - exp(-1 - (T-t)/tau) / (T r) to K.
    The second term is below rounding until 45 tau before the end.
    """
    rate = 1.0 / net.duration
    left = net.duration - at
    slow, fast = rate / (rate + net.rate_m), rate / (rate + net.rate_s)
    if net.jump:
        fast = 0.0
    value = (slow - fast) * exp(-at * rate)
    change = -rate * value
    if left * net.rate_m < 45.0:
        slow *= exp(-1.0 - left * net.rate_m)
        fast *= exp(-1.0 - left * net.rate_s)
        value += fast - slow
        change += fast * net.rate_s - slow * net.rate_m
    return value, change


@kernel
def _score(net, readout, time, start, score):
    """Fill one sample's scores: first spike times, ramp-weighted counts or leaky integrals."""
    population = net.first.shape[0] - 2
    before, low, high = net.first[population - 1], net.first[population], net.first[population + 1]
    synapse = net.offset[population]
    for target in range(high - low):
        begin, end = start[low + target], start[low + target + 1]
        if readout == FIRST_SPIKE:
            score[target] = time[begin] if begin < end else inf
            continue
        total = 0.0
        for k in range(begin, end):
            total += 1.0 - time[k] / net.duration
        if readout == LEAKY:
            for source in range(before, low):
                for k in range(start[source], start[source + 1]):
                    at = time[k] + net.delays[synapse]
                    if at <= net.duration:
                        total += net.weights[synapse] * _readout_value(net, at)[0]
                synapse += 1
        score[target] = total


@kernel
def _seed(net, readout, time, start, pull, g, weight_gradient, delay_gradient):
    """Carry dL/dscore, ``pull``, to the spikes; for a leaky readout to its synapses as well."""
    population = net.first.shape[0] - 2
    before, low, high = net.first[population - 1], net.first[population], net.first[population + 1]
    synapse = net.offset[population]
    for target in range(high - low):
        begin, end = start[low + target], start[low + target + 1]
        if readout == FIRST_SPIKE:
            if begin < end:
                g[begin] += pull[target]
            continue
        for k in range(begin, end):
            g[k] -= pull[target] / net.duration
        if readout == LEAKY:
            for source in range(before, low):
                for k in range(start[source], start[source + 1]):
                    at = time[k] + net.delays[synapse]
                    if at <= net.duration:
                        value, change = _readout_value(net, at)
                        shift = pull[target] * net.weights[synapse] * change
                        weight_gradient[synapse] += pull[target] * value
                        delay_gradient[synapse] += shift
                        g[k] += shift
                synapse += 1


# ------------------------------------------------------------------------ own spikes


@kernel
def _jump_back(net, neuron, k, fast, slope, g, adjoint, limits, theta_gradient, beta_gradient):
    """Take the adjoints lP, lQ, lA of ``adjoint`` through own spike ``k``.

    Returns 1 if ``limits``, the least slope and the largest r, changed anything, else 0. A jump
    synapse's spike stands on its arrival whatever the traces are, so there the adjoints stay 0.
    """
    if net.jump:
        return 0
    p, q, a = adjoint[0], adjoint[1], adjoint[2]
    total = g[k] + p * fast[k] * (net.rate_m - net.rate_s) + a * net.beta[neuron] * net.rate_a
    exact = total / slope[k]
    r = min(limits[1], max(-limits[1], total / max(slope[k], limits[0])))
    beta_gradient[neuron] += a
    theta_gradient[neuron] += r
    adjoint[0], adjoint[1], adjoint[2] = -r, q + p + r, a + r
    return 0 if r == exact else 1


@kernel
def _decay(net, adjoint, gap):
    adjoint[0] *= exp(-gap * net.rate_m)
    adjoint[1] *= exp(-gap * net.rate_s)
    adjoint[2] *= exp(-gap * net.rate_a)


@kernel
def _own(net, neuron, time, fast, slope, start, g, lp, lq, limits, theta_gradient, beta_gradient):
    """Sweep one neuron's spikes, latest first; ``lp`` and ``lq`` get the adjoints before each."""
    adjoint = np.zeros(3)
    limited = 0
    for k in range(start[neuron + 1] - 1, start[neuron] - 1, -1):
        if k + 1 < start[neuron + 1]:
            _decay(net, adjoint, time[k + 1] - time[k])
        limited += _jump_back(
            net, neuron, k, fast, slope, g, adjoint, limits, theta_gradient, beta_gradient
        )
        lp[k], lq[k] = adjoint[0], adjoint[1]
    return limited


@kernel
def _own_recurrent(
    net, time, fast, slope, start, g, lp, lq, limits,
    weight_gradient, delay_gradient, theta_gradient, beta_gradient,
):  # fmt: skip
    """`_own` for the recurrent population, all neurons together, latest spike first.

    What a spike did to its own population is known when it's reached, since delays are positive.
    """
    low, high = net.first[net.loop], net.first[net.loop + 1]
    n = high - low
    order = np.argsort(time[start[low] : start[high]], kind="mergesort") + start[low]
    source = np.searchsorted(start[low : high + 1], order, side="right") - 1
    adjoint = np.zeros((n, 3))
    head = start[low + 1 : high + 1].copy()  # the earliest spike swept so far
    limited = 0
    for turn in range(order.shape[0] - 1, -1, -1):
        k, i = order[turn], source[turn]
        synapse = net.loop_offset + i * n
        for j in range(n):
            at = time[k] + net.delays[synapse]
            begin, end = head[j], start[low + j + 1]
            hit = begin + np.searchsorted(time[begin:end], at)
            if hit < end:
                by_weight, by_time = _arrive(
                    net, at, net.weights[synapse], hit, time, slope, g, lp, lq
                )
                weight_gradient[synapse] += by_weight
                delay_gradient[synapse] += by_time
                g[k] += by_time
            synapse += 1
        if head[i] < start[low + i + 1]:
            _decay(net, adjoint[i], time[head[i]] - time[k])
        limited += _jump_back(
            net, low + i, k, fast, slope, g, adjoint[i], limits, theta_gradient, beta_gradient
        )
        lp[k], lq[k] = adjoint[i, 0], adjoint[i, 1]
        head[i] = k
    return limited


# -------------------------------------------------------------------------- arrivals


@kernel
def _arrive(net, at, weight, hit, time, slope, g, lp, lq):
    """Return dL/dw and dL/dt of an arrival whose target fires next with spike ``hit``."""
    if net.jump:
        return 0.0, g[hit] / slope[hit] if time[hit] == at else 0.0
    p = lp[hit] * exp((at - time[hit]) * net.rate_m)
    q = lq[hit] * exp((at - time[hit]) * net.rate_s)
    return p + q, weight * (p * net.rate_m + q * net.rate_s)


@kernel
def _pull(net, population, time, slope, start, g, lp, lq, weight_gradient, delay_gradient):
    """Gradients of all arrivals from the population before; what they do to its spikes' ``g``."""
    before, low, high = net.first[population - 1], net.first[population], net.first[population + 1]
    for target in range(low, high):
        begin, end = start[target], start[target + 1]
        if begin == end:
            continue
        synapse = net.offset[population] + (target - low) * (low - before)
        for source in range(before, low):
            weight, delay = net.weights[synapse], net.delays[synapse]
            weight_sum, delay_sum = 0.0, 0.0
            hit = begin
            for k in range(start[source], start[source + 1]):
                at = time[k] + delay
                while hit < end and time[hit] < at:
                    hit += 1
                if hit == end:
                    break
                by_weight, by_time = _arrive(net, at, weight, hit, time, slope, g, lp, lq)
                weight_sum += by_weight
                delay_sum += by_time
                g[k] += by_time
            weight_gradient[synapse] += weight_sum
            delay_gradient[synapse] += delay_sum
            synapse += 1


# ------------------------------------------------------------------------- whole samples


@kernel
def _backward(
    net, readout, time, fast, slope, start, pull, limits,
    weight_gradient, delay_gradient, theta_gradient, beta_gradient,
):  # fmt: skip
    """Add one sample's gradients. Returns the spikes that were limited."""
    g, lp, lq = np.zeros(start[-1]), np.empty(start[-1]), np.empty(start[-1])
    _seed(net, readout, time, start, pull, g, weight_gradient, delay_gradient)
    limited = 0
    for population in range(net.spiking - 1, 0, -1):
        if population == net.loop:
            limited += _own_recurrent(
                net, time, fast, slope, start, g, lp, lq, limits,
                weight_gradient, delay_gradient, theta_gradient, beta_gradient,
            )  # fmt: skip
        else:
            for neuron in range(net.first[population], net.first[population + 1]):
                limited += _own(
                    net, neuron, time, fast, slope, start, g, lp, lq, limits,
                    theta_gradient, beta_gradient,
                )  # fmt: skip
        _pull(
            net, population, time, slope, start, g, lp, lq, weight_gradient, delay_gradient
        )
    return limited


@parallel_kernel
def score(net, readout, chunks, tape, out):
    """Fill ``out``, (batch, classes) float64, from the tape: what `losses` turns into a loss."""
    batch = out.shape[0]
    for chunk in nb.prange(chunks):
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            _score(net, readout, tape.time[k], tape.start[k], out[k])


@parallel_kernel
def backward(net, readout, tape, pull, limits, gradient, limited):
    """Sum the gradients of a batch, each chunk of samples into its own row, all cores at once.

    The chunks don't depend on the threads, nor do their sums.

    Parameters
    ----------
    readout : int
        LEAKY, FIRST_SPIKE or SPIKE_COUNT.
    tape : Tape
    pull : (batch, classes) float64
        dL/dscore.
    limits : (float, float)
        Least slope to divide by, 1/ms, and largest r of a spike.
    gradient : Gradient
        Added to.
    limited : (chunks,) int64
        Filled with the spikes whose r was changed. An argument of its own because numba 0.68.1
        loses what a parallel loop adds to a one-dimensional array of a tuple.
    """
    batch = pull.shape[0]
    chunks = limited.shape[0]
    for chunk in nb.prange(chunks):
        limited[chunk] = 0
        for k in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            limited[chunk] += _backward(
                net, readout, tape.time[k], tape.fast[k], tape.slope[k], tape.start[k],
                pull[k], limits, gradient.weights[chunk], gradient.delays[chunk],
                gradient.theta0[chunk], gradient.beta[chunk],
            )  # fmt: skip
