"""The largest V of a neuron that doesn't fire, when it's reached, and what that is worth.

Such a neuron is a leaky output that's read by its maximum, or one that stayed silent and is to be
woken. V is largest between two arrivals, where V' = 0, or at an arrival, before which it rose and
after which it falls: then the maximum moves with that arrival, and its derivative by the arrival's
time is V' just before it. docs/gradients.md has the formulas.
"""

from math import exp, log
from typing import NamedTuple

import numba as nb
import numpy as np

from ...model.jit import allocating_kernel, kernel, parallel_kernel
from .structures import Sample, spikes_of

NONE = -1


class Peaks(NamedTuple):
    """Of each neuron that was asked for, (samples, neurons).

    ``value`` and ``time`` : float64, the largest V, at least 0, and when, ms. ``synapse`` : int64,
    that of the arrival at which it stands, or NONE. ``spike`` : int64, that arrival's spike among
    those of its source population. ``slope`` : float64, V' just before it.
    """

    value: np.ndarray
    time: np.ndarray
    synapse: np.ndarray
    spike: np.ndarray
    slope: np.ndarray


class Arrivals(NamedTuple):
    """All arrivals at one neuron, in any order."""

    time: np.ndarray
    weight: np.ndarray
    synapse: np.ndarray
    spike: np.ndarray


@kernel
def _collect(net, population, target, sample, time, start, arrivals):
    """Fill ``arrivals``; return how many."""
    n = 0
    for pair in range(net.into[population], net.into[population + 1]):
        times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
        synapse = net.pairs[pair, 2] + target * (starts.shape[0] - 1)
        for source in range(starts.shape[0] - 1):
            for k in range(starts[source], starts[source + 1]):
                at = times[k] + net.delays[synapse]
                if at <= net.duration:
                    arrivals.time[n], arrivals.weight[n] = at, net.weights[synapse]
                    arrivals.synapse[n], arrivals.spike[n] = synapse, k
                    n += 1
            synapse += 1
    return n


@allocating_kernel
def _find(net, population, n, arrivals):
    """Return the largest V, its time, the arrival at which it stands or NONE, and V' before it."""
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    order = np.argsort(arrivals.time[:n], kind="mergesort")
    p, q, now = 0.0, 0.0, 0.0
    best, when, which, slope = 0.0, 0.0, NONE, 0.0
    for index in range(n + 1):
        k = order[index] if index < n else NONE
        until = arrivals.time[k] if index < n else net.duration
        if not net.jump and p > 0.0 and q > 0.0:
            u = log(q * rate_s / (p * rate_m)) / (rate_s - rate_m)
            v = p * exp(-u * rate_m) - q * exp(-u * rate_s)
            if 0.0 < u < until - now and v > best:
                best, when, which = v, now + u, NONE
        p *= exp((now - until) * rate_m)
        q *= exp((now - until) * rate_s)
        now = until
        before = q * rate_s - p * rate_m
        if not net.jump:
            if p - q > best:
                best, when, which, slope = p - q, now, k, before
            if index < n:
                q += arrivals.weight[k]
        if index < n:
            p += arrivals.weight[k]
            if net.jump and p > best:
                best, when, which, slope = p, now, k, before
    return best, when, which, slope


@kernel
def _parts(net, population, gap):
    """Return dV/dw and dV/dt, for weight 1, of an arrival ``gap`` before the peak."""
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    slow = exp(-gap * rate_m)
    fast = 0.0 if net.jump else exp(-gap * rate_s)
    return slow - fast, slow * rate_m - fast * rate_s


@allocating_kernel
def _sample(net, sample, events, time, start, wanted, peaks, row):
    """`find` for one sample. Numba loses what a parallel loop itself writes into a tuple."""
    arrivals = Arrivals(
        np.empty(events), np.empty(events), np.empty(events, np.int64), np.empty(events, np.int64)
    )
    for population in range(1, net.size.shape[0]):
        for target in range(net.size[population]):
            neuron = net.first[population] + target
            peaks.value[row, neuron], peaks.synapse[row, neuron] = np.inf, NONE
            if not wanted[neuron]:
                continue
            n = _collect(net, population, target, sample, time, start, arrivals)
            best, when, which, slope = _find(net, population, n, arrivals)
            peaks.value[row, neuron], peaks.time[row, neuron] = best, when
            peaks.slope[row, neuron] = slope
            if which != NONE:
                peaks.synapse[row, neuron] = arrivals.synapse[which]
                peaks.spike[row, neuron] = arrivals.spike[which]


@parallel_kernel
def find(net, inputs, rows, chunks, events, tape, wanted, peaks):
    """Find the peaks of a batch, all cores at once.

    Parameters
    ----------
    events : int
        Most arrivals at a neuron.
    wanted : (batch, neurons) bool
        Neurons to look at; of others ``value`` is filled with inf.
    peaks : Peaks
        Filled.
    """
    batch = rows.shape[0]
    for chunk in nb.prange(chunks):
        for b in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            sample = Sample(inputs[0], inputs[1][rows[b]])
            _sample(net, sample, events, tape.time[b], tape.start[b], wanted[b], peaks, b)


@parallel_kernel
def seed(net, chunks, tape, peaks, pull, g):
    """Add to ``g``, (batch, room), what peaks of derivative ``pull`` are worth to each spike."""
    batch = pull.shape[0]
    for chunk in nb.prange(chunks):
        for b in range(chunk * batch // chunks, (chunk + 1) * batch // chunks):
            time, start = tape.time[b], tape.start[b]
            for pair in range(net.pairs.shape[0]):
                source_population, population = net.pairs[pair, 0], net.pairs[pair, 1]
                low = net.first[population]
                sources = net.size[source_population]
                for target in range(net.size[population] if source_population > 0 else 0):
                    worth = pull[b, low + target]
                    if worth == 0.0:
                        continue
                    end, kink = peaks.time[b, low + target], peaks.synapse[b, low + target]
                    for source in range(sources):
                        synapse = net.pairs[pair, 2] + target * sources + source
                        first = net.first[source_population] + source
                        for k in range(start[first], start[first + 1]):
                            at = time[k] + net.delays[synapse]
                            if kink == synapse and peaks.spike[b, low + target] == k:
                                g[b, k] += worth * peaks.slope[b, low + target]
                            elif at <= end:
                                shift = _parts(net, population, end - at)[1]
                                g[b, k] += worth * net.weights[synapse] * shift


@parallel_kernel
def gradient(net, inputs, rows, chunks, tape, peaks, pull, by_weight, by_delay, by_tau):
    """Add the gradients of peaks, every target's own, to those of `gradient.gradient`.

    ``by_tau`` : (neurons, 3) float64, derivatives by tau_m, tau_s and tau_a, added to.
    """
    for chunk in nb.prange(chunks):
        for b in range(rows.shape[0]):
            time, start = tape.time[b], tape.start[b]
            sample = Sample(inputs[0], inputs[1][rows[b]])
            for pair in range(net.pairs.shape[0]):
                population = net.pairs[pair, 1]
                low = net.first[population]
                rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
                times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
                sources = starts.shape[0] - 1
                for target in range(chunk, net.size[population], chunks):
                    worth = pull[b, low + target]
                    if worth == 0.0:
                        continue
                    end, kink = peaks.time[b, low + target], peaks.synapse[b, low + target]
                    for source in range(sources):
                        synapse = net.pairs[pair, 2] + target * sources + source
                        weight = worth * net.weights[synapse]
                        for k in range(starts[source], starts[source + 1]):
                            gap = end - times[k] - net.delays[synapse]
                            mine = kink == synapse and peaks.spike[b, low + target] == k
                            if gap < 0.0 and not mine:
                                continue
                            gap = max(gap, 0.0)
                            height, shift = _parts(net, population, gap)
                            by_weight[synapse] += worth * height
                            by_delay[synapse] += (
                                worth * peaks.slope[b, low + target] if mine else weight * shift
                            )
                            # dV/dtau of exp(-gap/tau) is gap/tau**2 exp(-gap/tau).
                            slow = exp(-gap * rate_m)
                            by_tau[low + target, 0] += weight * gap * rate_m**2 * slow
                            if not net.jump:
                                fast = exp(-gap * rate_s)
                                by_tau[low + target, 1] -= weight * gap * rate_s**2 * fast
