"""A pull of spike counts into a range, which also wakes silent neurons.

A spike count has no gradient where it matters: a silent neuron has no spike to move. So the penalty
``strength / 2 * (distance of the mean count from the range)**2`` takes a stand-in for the count's
derivative: by a weight, the mean spikes of its source relative to its fellows (a source that's
twice as active helps twice as much); by ``theta0``, -1. It raises all weights of a silent neuron,
the more active sources' more, and lowers its threshold.
"""

import numpy as np

__all__ = ["add_rate_pull", "excess"]


def excess(counts, low: float, high: float):
    """Return how far mean counts lie above ``high`` (> 0) or below ``low`` (< 0)."""
    return np.maximum(counts - high, 0.0) - np.maximum(low - counts, 0.0)


def add_rate_pull(gradients, config, counts, labels, *, low, high, strength):
    """Add the pull of a batch to its mean gradients.

    Hidden neurons are pulled towards ``low`` to ``high`` spikes a sample, and firing outputs
    towards firing for the samples of their class.

    Parameters
    ----------
    gradients : dict of str to array
        As `engine.Engine.backward` gives them. Those of weights and ``theta0`` are changed.
    config : NetworkConfig
    counts : dict of str to array
        (batch, neurons) int64 spikes of each population and of ``"input"``.
    labels : (batch,) int64
    """
    for pre, post in config.connections:
        if post not in config.spiking or pre == post:
            continue
        if post == "output":
            wanted = labels[:, None] == np.arange(config.outputs)
            distance = -(wanted & (counts[post] == 0)).mean(axis=0)
        else:
            distance = excess(counts[post].mean(axis=0), low, high)
        activity = counts[pre].mean(axis=0)
        if activity.any():
            share = strength * activity / activity.mean()
            gradients[f"weights/{pre}/{post}"] += np.outer(share, distance)
        gradients[f"theta0/{post}"] -= strength * distance
