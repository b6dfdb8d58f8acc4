"""Changes training samples at random, anew in each epoch, so that a network sees no sample twice.

In this order: blending with another sample of the class, shift of all channels, loss of events,
jitter of each event. Settings that are 0 draw no random numbers.
"""

import numpy as np

from .engine import Inputs, sample_of

__all__ = ["augment", "augments"]


def augments(settings) -> bool:
    """Return whether these `TrainConfig` change samples at all."""
    return any((settings.blend, settings.shift, settings.dropout, settings.jitter))


def augment(dataset, settings, rng) -> Inputs:
    """Return the samples of a dataset, changed at random.

    Parameters
    ----------
    dataset : Dataset
    settings : TrainConfig
        Of which ``blend``, ``shift``, ``dropout`` and ``jitter`` (ms) count.
    rng : numpy.random.Generator
    """
    time = dataset.times * 1e-3
    channel, sample = dataset.channels, sample_of(dataset)
    if settings.blend:
        time, channel, sample = blend(dataset, settings.blend, rng)
    if settings.shift:
        moves = rng.integers(-settings.shift, settings.shift + 1, len(dataset))
        channel = channel + moves[sample]
        stay = (channel >= 0) & (channel < dataset.n_channels)
        time, channel, sample = time[stay], channel[stay], sample[stay]
    if settings.dropout or settings.jitter:
        stay = rng.random(len(time)) >= settings.dropout
        time, channel, sample = time[stay], channel[stay], sample[stay]
        time = np.abs(time + rng.normal(0.0, settings.jitter, len(time)))
    return Inputs.arrange(time, channel, sample, len(dataset), dataset.n_channels)


def blend(dataset, probability: float, rng):
    """Blend some samples with another of their class.

    Each event of either is kept with probability 1/2. Those of the other are moved in time by the
    distance of the two samples' mean times; what would come before 0 is dropped. A sample that is
    alone in its class, or without events, stays as it is.

    Returns
    -------
    times : (events,) float64, ms
    channels, samples : (events,) int64
    """
    counts = np.diff(dataset.offsets)
    other = partners(dataset.labels, rng)
    chosen = rng.random(len(dataset)) < probability
    chosen &= (other != np.arange(len(dataset))) & (counts > 0) & (counts[other] > 0)
    time, own = dataset.times * 1e-3, sample_of(dataset)
    mean = np.bincount(own, time, len(dataset)) / np.maximum(counts, 1)
    keep = ~chosen[own] | (rng.random(len(time)) < 0.5)

    # The events of the others, in the order of the samples that they go into.
    into = np.flatnonzero(chosen)
    lengths = counts[other[into]]
    starts = dataset.offsets[other[into]] - np.cumsum(lengths) + lengths
    event = np.arange(lengths.sum()) + np.repeat(starts, lengths)
    target = np.repeat(into, lengths)
    moved = time[event] + (mean - mean[other])[target]
    taken = (rng.random(len(event)) < 0.5) & (moved >= 0)
    return (
        np.concatenate([time[keep], moved[taken]]),
        np.concatenate([dataset.channels[keep], dataset.channels[event[taken]]]),
        np.concatenate([own[keep], target[taken]]),
    )


def partners(labels, rng):
    """Return for each sample another one of its class, (samples,) int64; itself if it's alone."""
    order = np.argsort(labels, kind="stable")
    size = np.bincount(labels)
    first = np.cumsum(size) - size
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels))
    fellows = size[labels] - 1
    ahead = 1 + np.floor(rng.random(len(labels)) * fellows).astype(np.int64)
    return order[first[labels] + (place - first[labels] + ahead) % size[labels]]
