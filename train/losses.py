"""Losses: from the readouts' scores to a number, and back to dL/dscore.

Each is the cross-entropy of a softmax over the classes. What goes into the softmax is smooth in
the spike times, so its gradient is exact:

* first spike: ``-t / scale``, with a silent output counted as firing at ``duration``, where it has
  no gradient;
* spike count: ``scale`` times the sum of ``1 - t/T`` over the spikes. The count itself is flat, the
  ramp isn't, and it lets a spike come and go at the end of the sample without a jump;
* leaky readout: ``scale`` times the integral Y.
"""

import numpy as np

__all__ = ["cross_entropy"]


def cross_entropy(score, labels, *, readout: str, scale: float, duration: float):
    """Return the loss of each sample and its gradient.

    Parameters
    ----------
    score : (samples, classes) float64
        As in `engine.Result`.
    labels : (samples,) int64
    readout : str
        ``"first-spike"``, ``"spike-count"`` or ``"leaky"``.
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
    if readout == "first-spike":
        silent = ~np.isfinite(score)
        factor = np.where(silent, 0.0, -1.0 / scale)
        logits = np.where(silent, duration, score) / -scale
    else:
        factor = scale
        logits = score * scale
    logits = logits - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    loss = total[:, 0] - logits[rows, labels]
    pull = np.exp(logits - total)
    pull[rows, labels] -= 1.0
    return loss, pull * factor
