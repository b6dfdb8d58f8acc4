"""Derivatives by the time constants, from the same tape and adjoints as those by weights.

A trace X with X' = -X/tau adds the integral of lX X / tau**2 to dL/dtau. Between two spikes of its
neuron lX grows as X decays, so that each arrival, and what was left after the last spike, adds the
product at its own time, times the time until the next spike. docs/gradients.md derives it.
"""

from math import exp

import numba as nb
import numpy as np

from ...model.jit import allocating_kernel, kernel, parallel_kernel
from .structures import Sample, spikes_of


@allocating_kernel
def _rest(net, population, neuron, time, fast, start, lp, lq):
    """Return what the traces' rests after own spikes add: P, which is Q then, Q and A."""
    rates, beta = net.rates[population], net.beta[neuron]
    by_m, by_s, by_a = 0.0, 0.0, 0.0
    begin, end = start[neuron], start[neuron + 1]
    trace, adjoint = np.empty(end - begin), 0.0  # A just after each spike
    for k in range(begin, end):
        left = trace[k - begin - 1] * exp((time[k - 1] - time[k]) * rates[2]) if k > begin else 0.0
        trace[k - begin] = left + beta
    for k in range(end - 1, begin, -1):
        gap = time[k] - time[k - 1]
        adjoint -= lp[k]  # lA just before spike k: lp is -r
        by_m += lp[k] * exp(-gap * rates[0]) * fast[k - 1] * gap
        by_s += lq[k] * exp(-gap * rates[1]) * fast[k - 1] * gap
        adjoint *= exp(-gap * rates[2])
        by_a += adjoint * trace[k - begin - 1] * gap
    return by_m, by_s, by_a


@kernel
def _arrivals(net, population, pair, target, times, starts, time, start, lp, lq):
    """Return what the arrivals of one connection at one target add to P's and Q's integrals."""
    neuron = net.first[population] + target
    rates = net.rates[population]
    begin, end = start[neuron], start[neuron + 1]
    by_m, by_s = 0.0, 0.0
    for source in range(starts.shape[0] - 1):
        synapse = net.pairs[pair, 2] + target * (starts.shape[0] - 1) + source
        for k in range(starts[source], starts[source + 1]):
            at = times[k] + net.delays[synapse]
            hit = begin + np.searchsorted(time[begin:end], at)
            if hit < end:
                gap = time[hit] - at
                by_m += net.weights[synapse] * lp[hit] * exp(-gap * rates[0]) * gap
                by_s += net.weights[synapse] * lq[hit] * exp(-gap * rates[1]) * gap
    return by_m, by_s


@kernel
def _readout(net, population, at):
    """Return the derivatives of K(at), see `readout.readout_value`, by 1/tau_m and 1/tau_s."""
    rate, left = 1.0 / net.duration, net.duration - at
    rate_m, rate_s = net.rates[population, 0], net.rates[population, 1]
    whole, by_m, by_s = exp(-at * rate), exp(-1.0 - left * rate_m), exp(-1.0 - left * rate_s)
    slow, fast = rate / (rate + rate_m), rate / (rate + rate_s)
    one = slow * left * by_m - slow / (rate + rate_m) * (whole - by_m)
    other = fast / (rate + rate_s) * (whole - by_s) - fast * left * by_s
    return one, 0.0 if net.jump else other


@kernel
def _outputs(net, population, pair, target, times, starts, pull):
    """Return what one connection's arrivals at a leaky output add to the derivatives by 1/tau."""
    by_m, by_s = 0.0, 0.0
    for source in range(starts.shape[0] - 1):
        synapse = net.pairs[pair, 2] + target * (starts.shape[0] - 1) + source
        for k in range(starts[source], starts[source + 1]):
            at = times[k] + net.delays[synapse]
            if at <= net.duration:
                one, other = _readout(net, population, at)
                by_m += pull * net.weights[synapse] * one
                by_s += pull * net.weights[synapse] * other
    return by_m, by_s


@parallel_kernel
def gradient(net, inputs, rows, chunks, tape, lp, lq, pull, by_tau):
    """Add the derivatives by tau_m, tau_s and tau_a of each neuron, (neurons, 3), to ``by_tau``.

    ``lp``, ``lq`` : (batch, room), of `backward.backward`. ``pull`` : (batch, classes), dL/dscore
    of leaky outputs.
    """
    for chunk in nb.prange(chunks):
        for b in range(rows.shape[0]):
            time, start = tape.time[b], tape.start[b]
            sample = Sample(inputs[0], inputs[1][rows[b]])
            for population in range(1, net.size.shape[0]):
                low, rates = net.first[population], net.rates[population]
                leaky = net.leaky and population == net.final
                for target in range(chunk, net.size[population], chunks):
                    neuron = low + target
                    if not leaky and (start[neuron] == start[neuron + 1] or net.jump):
                        continue
                    by_m, by_s, by_a = _rest(
                        net, population, neuron, time, tape.fast[b], start, lp[b], lq[b]
                    )
                    for pair in range(net.into[population], net.into[population + 1]):
                        times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
                        if leaky:
                            one, other = _outputs(
                                net, population, pair, target, times, starts, pull[b, target]
                            )
                            one, other = -one, -other
                        else:
                            one, other = _arrivals(
                                net, population, pair, target, times, starts, time, start,
                                lp[b], lq[b],
                            )  # fmt: skip
                        by_m += one
                        by_s += other
                    by_tau[neuron, 0] += by_m * rates[0] ** 2
                    by_tau[neuron, 1] += by_s * rates[1] ** 2
                    by_tau[neuron, 2] += by_a * rates[2] ** 2
