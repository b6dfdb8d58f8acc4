"""Intervals and tests for accuracies under noise."""

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri
from scipy.stats import binomtest

__all__ = [
    "effective_size", "holm", "mcnemar", "mismatch_bound", "paired_difference", "wilson",
]  # fmt: skip


def wilson(share: float, size: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a proportion.

    SciPy has it for whole numbers of successes alone, which an effective size doesn't give. After
    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), 209.

    Parameters
    ----------
    share : float
        Share of successes.
    size : float
        Number of trials, which needn't be whole.
    confidence : float
        Probability with which such intervals hold the true share.
    """
    z = ndtri(0.5 + confidence / 2)
    centre = share + z * z / (2 * size)
    spread = z * np.sqrt(share * (1 - share) / size + (z / (2 * size)) ** 2)
    scale = 1 + z * z / size
    return max(0.0, float((centre - spread) / scale)), min(1.0, float((centre + spread) / scale))


def effective_size(right: np.ndarray) -> float:
    """Return how many independent trials are worth as much as crossed ones.

    Every instance (chip) runs the same samples, so that outcomes that share either hang together.
    The variance of their mean is that between samples, plus that between instances, less what
    both count twice; it's taken to be no smaller than either.

    Parameters
    ----------
    right : (instances, samples) bool

    Returns
    -------
    float
        The number of samples for one instance, at most instances times samples for more.
    """
    instances, samples = right.shape
    share = right.mean()
    if instances == 1 or samples == 1 or share in (0, 1):
        return float(samples)
    by_sample, by_instance = right.mean(0), right.mean(1)
    between_samples = by_sample.var() / samples
    between_instances = by_instance.var(ddof=1) / instances
    rest = right - by_sample - by_instance[:, None] + share
    twice = (rest**2).sum() / ((samples - 1) * (instances - 1)) / right.size
    alone = share * (1 - share)  # the variance of one trial
    variance = max(between_samples, between_instances,
                   between_samples + between_instances - twice, alone / right.size)
    return float(alone / variance)


def mcnemar(clean: np.ndarray, noisy: np.ndarray) -> float:
    """Return the exact p-value of "noise makes as many right as wrong", on the same samples.

    Parameters
    ----------
    clean, noisy : (samples,) bool
        Whether each sample is right without noise and with it.
    """
    worse, better = np.count_nonzero(clean & ~noisy), np.count_nonzero(noisy & ~clean)
    return float(binomtest(worse, worse + better).pvalue) if worse + better else 1.0


def paired_difference(first: np.ndarray, second: np.ndarray, confidence: float = 0.95
                      ) -> tuple[float, tuple[float, float]]:
    """Return the accuracy of ``second`` less that of ``first``, and its interval.

    Both are of the same samples. The interval is the two Wilson intervals, put together by the
    correlation of the outcomes: method 10 of R. G. Newcombe, Stat. Med. 17 (1998), 2635. It has a
    width where no sample changes, too.

    Parameters
    ----------
    first, second : (samples,) bool
        Whether each sample is right.
    confidence : float

    Returns
    -------
    float
        From -1 to 1.
    (float, float)
        Interval.
    """
    size = len(first)
    both, neither, lost, won = (int(np.count_nonzero(cases)) for cases in (
        first & second, ~(first | second), first & ~second, second & ~first))
    before, after = (both + lost) / size, (both + won) / size
    excess = both * neither - lost * won
    if excess > 0:  # his correction for continuity
        excess = max(excess - size / 2, 0)
    margins = (both + lost) * (won + neither) * (both + won) * (lost + neither)
    phi = excess / math.sqrt(margins) if margins else 0.0
    (low_before, high_before), (low_after, high_after) = (
        wilson(share, size, confidence) for share in (before, after))

    def reach(a, b):
        return math.sqrt(a * a - 2 * phi * a * b + b * b)

    difference = (won - lost) / size
    return difference, (difference - reach(after - low_after, high_before - before),
                        difference + reach(high_after - after, before - low_before))


def mismatch_bound(mismatches: int, trials: int, confidence: float = 0.95) -> float:
    """Return the exact upper bound of the share of mismatches: with none, about 3 / trials.

    One-sided, after C. Clopper and E. Pearson, Biometrika 26 (1934), 404.
    """
    test = binomtest(mismatches, trials, alternative="less")
    return float(test.proportion_ci(confidence, method="exact").high)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values that allow for the number of comparisons, by the same names.

    Whoever takes those below 0.05 to be real is wrong about any of them in 5 % of studies at most,
    however the comparisons hang together. After S. Holm, Scand. J. Stat. 6 (1979), 65.
    """
    names = sorted(p_values, key=p_values.__getitem__)
    adjusted, largest = {}, 0.0
    for done, name in enumerate(names):
        largest = max(largest, min(1.0, (len(names) - done) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}
