"""Losses: from the readouts' scores to a number, and back to dL/dscore.

`cross_entropy` is that of a softmax over the classes. What goes into the softmax is smooth in the
spike times, so its gradient is exact:

* first spike: ``-t / scale``, with a silent output counted as firing at ``duration``, where it has
  no gradient;
* spike count: ``scale`` times the sum of ``1 - t/T`` over the spikes. The count itself is flat, the
  ramp isn't, and it lets a spike come and go at the end of the sample without a jump;
* leaky readout: ``scale`` times the integral Y;
* maximum over time: ``scale`` times the largest V.

`distance` is the shift-invariant squared distance of first spikes, ``1/2`` times the sum of
``(t_i - t_c - gap)**2`` over the wrong outputs i, c being the right one. A common shift of all
spikes changes nothing, and every wrong output is asked to come ``gap`` after the right one, no
later either (Mészáros et al., 2025, eq. 71).

`both` is the first plus a small share of the second, which keeps the outputs near each other: an
output that cross-entropy pushes ever later would fall silent, and have no gradient on its own
samples.
"""

import math

import numpy as np

from ..model.jit import called_kernel

__all__ = ["LOSSES", "both", "check_loss", "cross_entropy", "distance"]

LOSSES = {
    "cross-entropy": ("first-spike", "spike-count", "leaky", "max"),
    "distance": ("first-spike",),
    "cross-entropy+distance": ("first-spike",),
}
"""The readouts that each loss takes."""


def check_loss(loss: str, readout: str) -> None:
    """Raise ValueError unless ``loss`` can judge the scores of ``readout``."""
    if loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, not {loss!r}")
    if readout not in LOSSES[loss]:
        raise ValueError(
            f"Readout for the loss {loss} must be one of {', '.join(LOSSES[loss])}, "
            f"not {readout!r}"
        )


def cross_entropy(score, labels, *, readout: str, scale: float, duration: float):
    """Return the loss of each sample and its gradient.

    Parameters
    ----------
    score : (samples, classes) float64
        As in `engine.Result`.
    labels : (samples,) int64
    readout : str
        One of ``LOSSES["cross-entropy"]``.
    scale : float
        See above. In ms for first spikes.
    duration : float
        Length of a sample, ms.

    Returns
    -------
    loss : (samples,) float64
    pull : (samples, classes) float64
        Derivative of ``loss.sum()`` by ``score``.
    """
    loss, pull = np.empty(len(score)), np.empty(score.shape)
    factor = -1.0 / scale if readout == "first-spike" else scale
    _softmax(score, labels, factor, duration, loss, pull)
    return loss, pull


@called_kernel
def _softmax(score, labels, factor, silent, loss, pull):
    """Fill ``loss`` and ``pull``, given the scores' factor and what a score of inf counts as."""
    for k in range(labels.shape[0]):
        highest, total = -math.inf, 0.0
        for one in range(score.shape[1]):
            pull[k, one] = factor * (silent if score[k, one] == math.inf else score[k, one])
            highest = max(highest, pull[k, one])
        own = pull[k, labels[k]]
        for one in range(score.shape[1]):
            pull[k, one] = math.exp(pull[k, one] - highest)
            total += pull[k, one]
        loss[k] = math.log(total) - (own - highest)
        for one in range(score.shape[1]):
            error = pull[k, one] / total - (one == labels[k])
            pull[k, one] = 0.0 if score[k, one] == math.inf else factor * error


def distance(score, labels, *, gap: float, duration: float):
    """Return the shift-invariant squared distance of each sample, in ms^2, and its gradient.

    Parameters
    ----------
    score : (samples, classes) float64
        Times of the first spikes, ms; inf counts as ``duration``, and has no gradient.
    labels : (samples,) int64
    gap : float
        The lead that the right output should have, ms.
    duration : float
        Length of a sample, ms.

    Returns
    -------
    loss : (samples,) float64
    pull : (samples, classes) float64
        Derivative of ``loss.sum()`` by ``score``.
    """
    silent = ~np.isfinite(score)
    time = np.where(silent, duration, score)
    rows = np.arange(len(labels))
    pull = time - time[rows, labels][:, None] - gap
    pull[rows, labels] = 0.0
    loss = 0.5 * (pull**2).sum(axis=1)
    pull[rows, labels] = -pull.sum(axis=1)
    return loss, np.where(silent, 0.0, pull)


def both(score, labels, *, scale: float, gap: float, strength: float, duration: float):
    """Return cross-entropy plus ``strength`` times the distance, of each sample, and its gradient.

    ``strength`` is in 1/ms^2; all else is as in `cross_entropy`, for first spikes, and `distance`.
    """
    loss, pull = cross_entropy(
        score, labels, readout="first-spike", scale=scale, duration=duration
    )  # fmt: skip
    more, push = distance(score, labels, gap=gap, duration=duration)
    return loss + strength * more, pull + strength * push
