"""Sets part of the training samples apart for validation."""

import numpy as np

__all__ = ["split_off"]


def split_off(dataset, part: float):
    """Split samples off, the same share of each class, always the same ones of equal data.

    Parameters
    ----------
    dataset : Dataset
    part : float
        Share of the samples, above 0 and below 1. Of each class with two samples or more it takes
        at least one, and leaves at least one.

    Returns
    -------
    rest, split : Dataset
        Samples keep their order.

    Raises
    ------
    ValueError
        If no class has two samples.
    """
    order = np.random.default_rng(0).permutation(len(dataset))
    apart = np.zeros(len(dataset), bool)
    for label in range(dataset.n_classes):
        rows = order[dataset.labels[order] == label]
        if len(rows) > 1:
            apart[rows[: min(max(1, round(part * len(rows))), len(rows) - 1)]] = True
    if not apart.any():
        raise ValueError("A class must have two samples to split one off, not one at most")
    return dataset.subset(np.flatnonzero(~apart)), dataset.subset(np.flatnonzero(apart))
