"""How many faults and how many instances a study has to draw."""

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import ndtri

from .statistics import wilson

__all__ = ["fault_sample", "instances_needed", "pooled_share", "stratified_sample"]


def fault_sample(faults: float, margin: float, confidence: float = 0.95) -> int:
    """Return how many of all possible faults to draw, without repeats, for a margin of error.

    The share of faults that do harm isn't known beforehand; the number is that for the worst one,
    a half. n = N / (1 + e^2 (N - 1) / (t^2 p (1 - p))), rounded up, of R. Leveugle and others,
    "Statistical fault injection: quantified error and confidence" (DATE 2009).

    Parameters
    ----------
    faults : float
        Number N of possible faults, such as bits times ticks; may be infinite.
    margin : float
        Half width e of the interval of the share, from 0 to 0.5.
    confidence : float

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> fault_sample(1e9, 0.01), fault_sample(2000, 0.01)
    (9604, 1656)
    """
    if not faults >= 1:
        raise ValueError(f"Number of faults must be at least 1, not {faults!r}")
    if not 0 < margin < 0.5:
        raise ValueError(f"Margin must be above 0 and below 0.5, not {margin!r}")
    _check_share("Confidence", confidence)
    unlimited = (ndtri(0.5 + confidence / 2) / margin) ** 2 / 4
    if math.isinf(faults):
        return math.ceil(unlimited)
    return math.ceil(faults / (1 + (faults - 1) / unlimited))


def stratified_sample(faults: Mapping[str, int], margin: float, confidence: float = 0.95
                      ) -> dict[str, int]:
    """Return how many faults to draw of each stratum, for the margin to hold in each of them.

    A stratum is what may behave in its own way: a memory, a position in its words, a layer. A
    sample for the margin over all of them together says little about the small ones.

    Parameters
    ----------
    faults : mapping of str to int
        Number of possible faults of each stratum.
    margin, confidence : float
        See `fault_sample`.

    Examples
    --------
    >>> stratified_sample({"weights.bit7": 4574, "theta0": 128}, 0.05)
    {'weights.bit7': 355, 'theta0': 97}
    """
    return {name: fault_sample(number, margin, confidence) for name, number in faults.items()}


def pooled_share(hits: Mapping[str, int], sizes: Mapping[str, int], faults: Mapping[str, int],
                 confidence: float = 0.95) -> tuple[float, tuple[float, float]]:
    """Return the share of all faults that do harm, from samples of strata, and its interval.

    Each stratum counts by its faults, not by how many were drawn of it. The interval is Wilson's,
    at the size of a plain sample with the same variance; strata that were drawn whole have none.
    The variance within a stratum is that of its share, drawn in by a success and a failure more
    (A. Agresti and B. Coull, Am. Stat. 52 (1998), 119), so that none is 0 by luck.

    Parameters
    ----------
    hits, sizes, faults : mapping of str to int
        For each stratum the faults that did harm, those that were drawn, and all there are.
    confidence : float

    Returns
    -------
    float
        The share.
    (float, float)
        Its interval.

    Raises
    ------
    ValueError
        If a stratum has no drawn fault, or more than there are.
    """
    every = sum(faults.values())
    share = variance = plain = 0.0
    for name, number in faults.items():
        size = sizes[name]
        if not 1 <= size <= number:
            raise ValueError(f"Stratum {name} must have 1 to {number} drawn faults, not {size}")
        weight, inner = number / every, (hits[name] + 1) / (size + 2)
        share += weight * hits[name] / size
        plain += weight * inner
        unseen = (number - size) / max(number - 1, 1)
        variance += weight**2 * inner * (1 - inner) / size * unseen
    if variance == 0:
        return share, (share, share)
    return share, wilson(share, plain * (1 - plain) / variance, confidence)


def instances_needed(content: float = 0.95, confidence: float = 0.95) -> int:
    """Return how many instances (chips) make their worst one a tolerance bound.

    With that many, the share ``content`` of all instances is better than the worst one drawn, with
    the confidence: the smallest n with 1 - content^n >= confidence, of S. S. Wilks, Ann. Math.
    Stat. 12 (1941), 91. `ranvier.sim.noise.instances.tolerance_bound` is the bound.

    Raises
    ------
    ValueError
        If a share isn't between 0 and 1.

    Examples
    --------
    >>> instances_needed(0.95, 0.95), instances_needed(0.9, 0.95), instances_needed(0.99, 0.95)
    (59, 29, 299)
    """
    _check_share("Content", content)
    _check_share("Confidence", confidence)
    return math.ceil(np.log1p(-confidence) / np.log(content))


def _check_share(name, value):
    if not 0 < value < 1:
        raise ValueError(f"{name} must be above 0 and below 1, not {value!r}")
