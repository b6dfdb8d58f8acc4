"""Means over seeds, and differences of what was measured with the same seeds."""

import numpy as np
from scipy.stats import t as student

LEVEL = 0.95


def interval(values):
    """Return the mean of values, one for each seed, and the `LEVEL` interval of Student's t.

    Returns
    -------
    dict
        ``mean``, ``low`` and ``high``; of a single value the last two are None.

    Raises
    ------
    ValueError
        If there are no values.
    """
    count = len(values)
    if not count:
        raise ValueError("Values must be at least one, not none")
    mean = float(np.mean(values))
    if count == 1:
        return {"mean": mean, "low": None, "high": None}
    half = student.ppf((1 + LEVEL) / 2, count - 1) * np.std(values, ddof=1) / np.sqrt(count)
    return {"mean": mean, "low": float(mean - half), "high": float(mean + half)}


def paired(first, second):
    """Return the `interval` of ``first - second``, which have a value for each seed, in order.

    Raises
    ------
    ValueError
        If they aren't equally long, or empty.
    """
    if len(first) != len(second):
        raise ValueError(f"Pairs must be of as many values, not {len(first)} and {len(second)}")
    return interval(np.subtract(first, second))


def against(found, name, values="seeds"):
    """Return what ``found[name]`` has more than each of the others, as of `paired`.

    ``found`` : dict of name to what `rows.accuracy.run_seeds` gives. ``values`` : the key of what
    counts in it, by default float accuracies.
    """
    return {
        f"{name} - {other}": paired(found[name][values], figures[values])
        for other, figures in found.items() if other != name
    }  # fmt: skip
