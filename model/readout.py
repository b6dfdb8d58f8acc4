"""The leaky readout in closed form.

A readout neuron never fires, so its membrane is a sum over arrivals, and so is the score of its
class, Y = (1/T) * integral over the sample of exp(-t/T) V(t): an arrival of weight w at time t adds
``w * readout_kernel(t)``.
"""

import numpy as np

__all__ = ["readout_kernel"]


def readout_kernel(times, *, duration: float, tau_m: float, tau_s: float, synapse: str):
    """Return what an arrival of weight 1 adds to its class's score.

    Parameters
    ----------
    times : array_like
        Times of arrival, in any one unit. After ``duration`` an arrival adds nothing.
    duration, tau_m, tau_s : float
        Length T of a sample and the time constants of P and Q, in the same unit.
    synapse : str
        ``"exponential"`` (V = P - Q) or ``"jump"`` (V = P).

    Returns
    -------
    array of float64
        Same shape as ``times``. In threshold units.

    Raises
    ------
    ValueError
        If the synapse is neither.

    Examples
    --------
    >>> readout_kernel([0.0, 100.0], duration=100.0, tau_m=20.0, tau_s=5.0, synapse="jump")
    array([0.16625354, 0.        ])
    """
    if synapse not in ("exponential", "jump"):
        raise ValueError(f"Synapse must be 'exponential' or 'jump', not {synapse!r}")
    times = np.asarray(times, dtype=np.float64)
    left = np.maximum(duration - times, 0.0)
    value = _trace_integral(left, duration, tau_m)
    if synapse == "exponential":
        value = value - _trace_integral(left, duration, tau_s)
    return np.exp(-times / duration) / duration * value


def _trace_integral(left, duration, tau):
    """Integral of exp(-s/T) exp(-s/tau) over the ``left`` time of the sample."""
    rate = 1.0 / duration + 1.0 / tau
    return -np.expm1(-left * rate) / rate
