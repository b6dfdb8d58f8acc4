"""Keeps networks alive: pulls on spike counts, a pull on silent peaks, and waking.

A spike count has no gradient where it matters: a silent neuron has no spike to move. So the
penalty ``strength / 2 * (distance of the mean count from the range)**2`` takes a stand-in for the
count's derivative: by a weight, the mean spikes of its source relative to its fellows (a source
that's twice as active helps twice as much); by ``theta0``, -1. It raises all weights of a silent
neuron, the more active sources' more, and lowers its threshold.

The margin penalty has an exact gradient instead: it draws the largest V of a silent neuron towards
its threshold. Waking is the crudest: it raises all weights of a neuron that was silent for a whole
epoch.
"""

import numpy as np

__all__ = ["add_rate_pull", "excess", "margin_penalty", "wake"]


def excess(counts, low: float, high: float):
    """Return how far mean counts lie above ``high`` (> 0) or below ``low`` (< 0)."""
    return np.maximum(counts - high, 0.0) - np.maximum(low - counts, 0.0)


def add_rate_pull(gradients, config, totals, fired, labels, *, low, high, strength) -> float:
    """Add the pull of a batch to its mean gradients.

    Hidden neurons are pulled towards ``low`` to ``high`` spikes a sample, and firing outputs
    towards firing for the samples of their class.

    Parameters
    ----------
    gradients : dict of str to array
        As `engine.Engine.backward` gives them. Those of weights and ``theta0`` are changed.
    config : NetworkConfig
    totals : dict of str to array
        (neurons,) int64 spikes of each population and of ``"input"``, over the batch.
    fired : (batch, classes) bool
        Whether each output fired.
    labels : (batch,) int64

    Returns
    -------
    float
        The penalty, summed over neurons.
    """
    penalty = 0.0
    for post in config.spiking:
        if post == "output":
            silent = ~fired[np.arange(len(labels)), labels]
            distance = np.bincount(labels[silent], minlength=config.outputs) / -len(labels)
        else:
            distance = excess(totals[post] / len(labels), low, high)
        push = strength * distance
        for pre in _sources(config, post):
            total = int(totals[pre].sum())
            if total:
                share = totals[pre] * (len(totals[pre]) / total)
                gradients[f"weights/{pre}/{post}"] += share[:, None] * push
        gradients[f"theta0/{post}"] -= push
        penalty += float((push * distance).sum()) / 2
    return penalty


def margin_penalty(peaks, counts, theta0, *, margin: float, strength: float):
    """Return the penalty on silent neurons that stay far below their threshold.

    It is ``strength / 2 * (margin * theta0 - peak)**2`` for each neuron that was silent in a sample
    and whose V stayed below ``margin * theta0``, else 0.

    Parameters
    ----------
    peaks : (batch, neurons) float64
        The largest V of each neuron in each sample, threshold units.
    counts : (batch, neurons) int64
        Spikes.
    theta0 : (neurons,) float64
        Resting thresholds.
    margin : float
        Share of the threshold that a silent neuron should reach, commonly up to 1.
    strength : float

    Returns
    -------
    value : (batch,) float64
        The penalty of each sample.
    pull : (batch, neurons) float64
        Derivative of ``value.sum()`` by ``peaks``. That by ``theta0`` is ``-margin`` times its sum
        over the batch.
    """
    below = np.where(counts == 0, np.maximum(margin * theta0 - peaks, 0.0), 0.0)
    return strength / 2 * (below**2).sum(axis=1), -strength * below


def wake(network, totals, step: float) -> int:
    """Add ``step`` to all weights into neurons that didn't fire, but for those of a self-loop.

    Parameters
    ----------
    network : Network
        Its weights are changed.
    totals : dict of str to array
        (neurons,) spikes of each spiking population, over an epoch.
    step : float
        Threshold units.

    Returns
    -------
    int
        Neurons woken.
    """
    woken = 0
    for post, total in totals.items():
        silent = total == 0
        for pre in _sources(network.config, post):
            network.weights[pre, post][:, silent] += step
        woken += int(silent.sum())
    return woken


def _sources(config, post):
    """Return the populations that feed ``post``, itself left out: silent, it can't wake itself."""
    return [pre for pre, target in config.connections if target == post and pre != post]
