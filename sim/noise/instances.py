"""Fixed-pattern noise: what the drawn instances (chips) say about all instances.

All trials of an instance share its noise, so the instance is what's drawn again, with all its
samples. The samples are taken as they are: the figures are about other instances on these samples.
`ranvier.sim.noise.statistics.effective_size` allows for other samples, too.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from scipy.stats import binom, bootstrap

from .philox import stream_key, words

__all__ = ["RESAMPLES", "Spread", "compare_instances", "spread", "tolerance_bound"]

RESAMPLES = 4000
"""How often the instances are drawn again."""

_STREAM = 1 << 31  # of random words; kinds of noise have small numbers


@dataclass(frozen=True)
class Spread:
    """A figure over instances.

    Members
    -------
    mean : float
    interval : (float, float)
        Of the mean, by the bootstrap over instances; the mean itself where all are equal.
    low : float
        5th percentile of the drawn instances, linear between two of them.
    least : float
        The smallest one.
    bound : float or None
        What 95 % of all instances exceed, with 95 % confidence; None with too few instances.
    """

    mean: float
    interval: tuple[float, float]
    low: float
    least: float
    bound: float | None


def spread(right: np.ndarray, seed: int, confidence: float = 0.95) -> Spread:
    """Return how accurate instances are.

    Parameters
    ----------
    right : (instances, samples) bool
        Whether each instance is right on each sample; 2 instances at least.
    seed : int
        Of the resamples. From 0 to 2**64 - 1.
    confidence : float
        Of the interval.

    Raises
    ------
    ValueError
        If there are less than 2 instances.
    """
    counts, samples = np.count_nonzero(right, axis=1), right.shape[1]
    shares = counts / samples
    return Spread(float(counts.sum()) / right.size, _interval(counts, samples, seed, confidence),
                  float(np.quantile(shares, 0.05)), float(shares.min()), tolerance_bound(shares))


def compare_instances(first: np.ndarray, second: np.ndarray, seed: int, confidence: float = 0.95
                      ) -> tuple[float, tuple[float, float]]:
    """Return the mean accuracy of ``second`` less that of ``first``, and its interval.

    For two networks (trainings, protections) under the same noise: instance i of both has the same
    draw, so both are drawn again together.

    Parameters
    ----------
    first, second : (instances, samples) bool
        Of the same instances and samples.
    seed, confidence
        See `spread`.

    Returns
    -------
    float
        From -1 to 1.
    (float, float)
        Interval.

    Raises
    ------
    ValueError
        If the shapes differ, or there are less than 2 instances.
    """
    if first.shape != second.shape:
        raise ValueError(f"Outcomes must have the same instances and samples, not shapes "
                         f"{first.shape} and {second.shape}")
    counts = np.count_nonzero(second, axis=1) - np.count_nonzero(first, axis=1)
    return float(counts.sum()) / first.size, _interval(counts, first.shape[1], seed, confidence)


def tolerance_bound(outcomes: np.ndarray, content: float = 0.95, confidence: float = 0.95
                    ) -> float | None:
    """Return what the share ``content`` of all instances reaches or exceeds, with a confidence.

    The r-th smallest of n outcomes, with the largest r for which r or more of n instances are
    among the worst 1 - content of all with a probability of ``confidence`` at least. It holds for
    any distribution (S. S. Wilks, Ann. Math. Stat. 12 (1941), 91).

    Parameters
    ----------
    outcomes : (instances,) float
        One figure per instance, the larger the better.
    content, confidence : float

    Returns
    -------
    float or None
        None if there are less than `ranvier.sim.noise.sampling.instances_needed`.
    """
    ranks = np.arange(1, len(outcomes) + 1)
    sure = np.count_nonzero(binom.sf(ranks - 1, len(outcomes), 1 - content) >= confidence)
    return float(np.sort(outcomes)[sure - 1]) if sure else None


def _interval(counts, samples, seed, confidence):
    """Return the BCa interval of the mean of counts (instances,) of so many samples.

    SciPy makes the interval (B. Efron, J. Am. Stat. Assoc. 82 (1987), 171), but the draws are
    ours: NumPy doesn't promise its own to stay. Sums of whole numbers don't depend on a machine.
    """
    instances = len(counts)
    if instances < 2:
        raise ValueError(f"Instances must be at least 2 for an interval, not {instances}")
    if np.all(counts == counts[0]):
        return float(counts[0] / samples), float(counts[0] / samples)
    drawn = words(stream_key(seed, _STREAM), np.arange(RESAMPLES)[:, None],
                  np.arange(-(-instances // 4)), 0, 0).reshape(RESAMPLES, -1)[:, :instances]
    picks = (drawn.astype(np.uint64) * np.uint64(instances)) >> np.uint64(32)
    sums = counts[picks.astype(np.intp)].sum(1)
    result = bootstrap((counts.astype(np.float64),), np.sum, n_resamples=0, method="BCa",
                       confidence_level=confidence, vectorized=True,
                       bootstrap_result=SimpleNamespace(bootstrap_distribution=sums.astype(float)))
    low, high = (float(end) / (instances * samples) for end in result.confidence_interval)
    return low, high
