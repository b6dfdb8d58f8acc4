"""Sequence detection: every channel spikes once, and the order of the spikes is the class.

After Mészáros, Knight and Nowotny (2025), who take two inputs without noise. Counts are the same
in all classes, so nothing but time tells them apart, and delays alone can.
"""

import itertools

import numpy as np

from .samples import Dataset

SEEDS = {"train": 0, "validation": 1, "test": 2}
"""Seed of each set's noise."""

MOST_INPUTS = 8
"""With nine there would be more orders than classes in a dataset."""

AHEAD = 5
"""The first spike comes so many standard deviations of the noise after 0."""


def sequences(sizes: dict[str, int], inputs: int, gap: float, noise: float) -> dict[str, Dataset]:
    """Generate the sets.

    Class k is the k-th order of the inputs in the dictionary's sense, and samples are of each class
    in turn: with two inputs, channel 0 comes first in samples 0, 2, 4, ... A smaller set is the
    start of a larger one.

    Parameters
    ----------
    sizes : dict
        Samples of ``"train"``, ``"validation"`` and ``"test"``.
    inputs : int
        Channels, 2 to 8.
    gap : float
        Time from one spike to the next, in ms, before the noise.
    noise : float
        Standard deviation of each spike's time, in ms.
    """
    orders = np.array(list(itertools.permutations(range(inputs))))
    sets = {}
    for name, size in sizes.items():
        labels = np.arange(size) % len(orders)
        late = np.random.default_rng(SEEDS[name]).normal(0.0, noise, (size, inputs))
        times = np.maximum(gap * np.arange(inputs) + AHEAD * noise + late, 0.0)
        times = np.rint(1000 * times).astype(np.int64)
        order = np.argsort(times, axis=1, kind="stable")
        sets[name] = Dataset(
            times=np.take_along_axis(times, order, axis=1).ravel(),
            channels=np.take_along_axis(orders[labels], order, axis=1).ravel(),
            offsets=np.arange(0, inputs * size + 1, inputs),
            labels=labels,
            n_channels=inputs,
            n_classes=len(orders),
        )
    return sets
