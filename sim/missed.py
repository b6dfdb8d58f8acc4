"""Spikes that a network loses where time comes in ticks."""

from dataclasses import replace
from itertools import accumulate

import numpy as np

from ..model.emulator import Emulator
from ..train.quantise import encode_dataset, quantise
from .compare import spikes_of
from .noise.moved import WINDOW
from .noise.spiketrains import match_spikes

__all__ = ["WATCHED", "spikes_against_tick"]

WATCHED = 30
"""Samples whose spikes are compared."""


def spikes_against_tick(network, design, dataset, ticks, scales=None):
    """Return what becomes of the spikes of the first samples when a network gets other ticks.

    Parameters
    ----------
    network : Network
        Its spikes in continuous time are those that should come.
    design : DesignConfig
        Its tick is changed.
    dataset : Dataset
    ticks : sequence of float
        Milliseconds.
    scales : dict of str to float, optional
        As of `ranvier.train.quantise.quantise`.

    Returns
    -------
    list of dict
        For each tick: ``clean``, the spikes in continuous time; ``missing``, those without a
        partner of their neuron within 2 tau_s in the integer model; ``extra``, the model's without.
    """
    dataset = dataset.subset(range(min(WATCHED, len(dataset))))
    exact = [_spikes(network, dataset, k) for k in range(len(dataset))]
    rows = []
    for tick in ticks:
        parameters, _ = quantise(network, replace(design, tick=float(tick)), scales)
        config, emulator = parameters.config, Emulator(parameters)
        found = [match_spikes(np.stack([np.ceil(times / config.tick), neurons], axis=1),
                              spikes_of(emulator.run(events).trace),
                              round(WINDOW * config.tau_s / config.tick))
                 for (times, neurons), events
                 in zip(exact, encode_dataset(dataset, config), strict=True)]
        rows.append({"clean": sum(len(times) for times, _ in exact),
                     "missing": sum(part.missing for part in found),
                     "extra": sum(part.extra for part in found)})
    return rows


def _spikes(network, dataset, sample):
    """Return times (ms) and neurons, numbered as in a core, of a sample's spikes."""
    sizes, spikes = network.config.populations, network.spikes(dataset, sample)
    first = dict(zip(sizes, accumulate(sizes.values(), initial=0), strict=False))
    times, neurons = zip(*((spikes[name][0], spikes[name][1] + first[name])
                           for name in network.config.spiking), strict=True)
    return np.concatenate(times), np.concatenate(neurons)
