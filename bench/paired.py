"""Differences between two things that were measured with the same seeds."""

import numpy as np
from scipy.stats import t as student

LEVEL = 0.95


def paired(first, second):
    """Return ``first - second``, paired by place: mean, and the `LEVEL` interval of Student's t.

    Parameters
    ----------
    first, second : sequence of float
        A value for each seed, in the same order.

    Returns
    -------
    dict
        ``mean``, ``low`` and ``high``; of a single pair the last two are None.

    Raises
    ------
    ValueError
        If they aren't equally long, or empty.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError(f"Pairs must be of as many values, not {len(first)} and {len(second)}")
    difference = np.subtract(first, second)
    count, mean = difference.size, float(difference.mean())
    if count == 1:
        return {"mean": mean, "low": None, "high": None}
    half = student.ppf((1 + LEVEL) / 2, count - 1) * difference.std(ddof=1) / np.sqrt(count)
    return {"mean": mean, "low": float(mean - half), "high": float(mean + half)}


def against(found, name):
    """Return what ``found[name]`` has more than each of the others, as of `paired`.

    ``found`` : dict of name to what `rows.accuracy.run_seeds` gives; float accuracies count.
    """
    return {
        f"{name} - {other}": paired(found[name]["seeds"], figures["seeds"])
        for other, figures in found.items() if other != name
    }  # fmt: skip
