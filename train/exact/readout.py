"""Scores of a sample's spikes, and what each of these spikes is worth to a score."""

from math import inf

from ...model.jit import kernel
from .exponential import exponential
from .structures import spikes_of

LEAKY, FIRST_SPIKE, SPIKE_COUNT, MAX = 0, 1, 2, 3


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
    value = (slow - fast) * exponential(-at * rate)
    change = -rate * value
    if left * rate_m < 45.0:
        slow *= exponential(-1.0 - left * rate_m)
        fast *= exponential(-1.0 - left * rate_s)
        value += fast - slow
        change += fast * rate_s - slow * rate_m
    return value, change


@kernel
def score(net, readout, sample, time, start, score):
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
        times, starts = spikes_of(net, net.pairs[pair, 0], sample, time, start)
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
def seed(net, readout, time, start, pull, g):
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


@kernel
def count(channels, neurons, counts):
    """Fill one sample's ``counts`` with the spikes of every channel and neuron, given the starts.

    ``channels`` and ``neurons`` : where the spikes of each begin, and the last one's end.
    """
    size = channels.shape[0] - 1
    for channel in range(size):
        counts[channel] = channels[channel + 1] - channels[channel]
    for neuron in range(neurons.shape[0] - 1):
        counts[size + neuron] = neurons[neuron + 1] - neurons[neuron]
