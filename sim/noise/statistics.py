"""Intervals and tests for accuracies under noise."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import binomtest

__all__ = ["effective_size", "mcnemar", "wilson"]


def wilson(share: float, size: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a proportion.

    Parameters
    ----------
    share : float
        Share of successes.
    size : float
        Number of trials, which needn't be whole.
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
