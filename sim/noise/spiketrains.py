"""How far apart the spikes of two runs are.

Spikes are arrays (spikes, 2) of ticks and neurons, as `ranvier.sim.simulation.Run` and
`ranvier.sim.compare.spikes_of` have them. All times are in ticks; so are windows and time
constants, which are milliseconds over ``config.tick``. A spike is only ever compared with those of
its neuron.
"""

from dataclasses import dataclass

import numpy as np

from ...model.jit import called_kernel as kernel

__all__ = ["Deviation", "match_spikes", "van_rossum", "victor_purpura"]


@dataclass(frozen=True, eq=False)
class Deviation:
    """What became of the spikes of a run.

    Members
    -------
    shifts : (pairs,) int64
        Ticks by which each spike that found its partner is later, by neuron and tick.
    missing, extra : int
        Spikes of the first run, and of the second one, that found none.
    """

    shifts: np.ndarray
    missing: int
    extra: int

    @property
    def count_change(self) -> int:
        """How many spikes more the second run has."""
        return self.extra - self.missing


def match_spikes(clean: np.ndarray, faulty: np.ndarray, window: int) -> Deviation:
    """Pair the spikes of two runs, none of them twice and none more than a window apart.

    As many pairs as there can be, and of those ways the one whose shifts have the smallest sum of
    amounts.

    Parameters
    ----------
    clean, faulty : (spikes, 2) int64
    window : int
        Ticks, 0 at least.

    Raises
    ------
    ValueError
        If the window is negative.

    Examples
    --------
    >>> match_spikes(np.array([[5, 0], [9, 0], [9, 1]]), np.array([[8, 0], [9, 2]]), 3)
    Deviation(shifts=array([-1]), missing=2, extra=1)
    """
    if window < 0:
        raise ValueError(f"Window must be 0 ticks at least, not {window}")
    a, b, begin_a, begin_b = _trains(clean, faulty)
    shifts = np.empty(min(len(a), len(b)), np.int64)
    shifts = shifts[: _match_all(a, b, begin_a, begin_b, window, shifts)]
    return Deviation(shifts, len(a) - len(shifts), len(b) - len(shifts))


def victor_purpura(clean: np.ndarray, faulty: np.ndarray, cost: float) -> float:
    """Return the distance of Victor and Purpura: the least it costs to edit one run to the other.

    A spike that's added or taken away costs 1, one that's moved ``cost`` per tick. Without a cost
    of moving it's the change of the spike counts, summed over neurons. (J. Victor and K. Purpura,
    J. Neurophysiol. 76 (1996), 1310; of several neurons as labelled lines.)

    Parameters
    ----------
    clean, faulty : (spikes, 2) int64
    cost : float
        Per tick, 0 at least and finite; often 1 over a time constant in ticks.

    Raises
    ------
    ValueError
        If the cost is negative or not finite.

    Examples
    --------
    >>> victor_purpura(np.array([[5, 0], [9, 1]]), np.array([[8, 0]]), 0.25)
    1.75
    """
    if not (cost >= 0 and np.isfinite(cost)):
        raise ValueError(f"Cost must be 0 or more per tick and finite, not {cost!r}")
    return float(_edit_all(*_trains(clean, faulty), float(cost)))


def van_rossum(clean: np.ndarray, faulty: np.ndarray, tau: float) -> float:
    """Return the distance of van Rossum: of the trains after an exponential filter.

    The root of the sum over neurons of 1/tau times the integral of the squared difference of
    f(t) = sum of exp(-(t - spike) / tau) over the spikes before t. So one spike more or less has
    the distance sqrt(1/2), one that's moved far 1. (M. van Rossum, Neural Comput. 13 (2001), 751;
    in one pass, as C. Houghton and T. Kreuz, Network 23 (2012), 48. Others leave out the 1/2.)

    Parameters
    ----------
    clean, faulty : (spikes, 2) int64
    tau : float
        Time constant in ticks, above 0.

    Raises
    ------
    ValueError
        If the time constant isn't above 0.

    Examples
    --------
    >>> van_rossum(np.array([[5, 0], [9, 1]]), np.array([[9, 1]]), 20.0) ** 2
    0.5000000000000001
    """
    if not tau > 0:
        raise ValueError(f"Time constant must be above 0 ticks, not {tau!r}")
    spikes = np.concatenate([clean, faulty])
    signs = np.repeat(np.array([1.0, -1.0]), [len(clean), len(faulty)])
    order = np.lexsort((spikes[:, 0], spikes[:, 1]))
    ticks, neurons = spikes[order].T.astype(np.int64)
    return float(np.sqrt(max(_squares(ticks, neurons, signs[order], float(tau)), 0.0)))


def _trains(clean, faulty):
    """Return ticks of both runs, sorted by neuron, and where the trains of each neuron begin."""
    neurons = np.union1d(clean[:, 1], faulty[:, 1])
    ticks, begins = [], []
    for spikes in (clean, faulty):
        order = np.lexsort((spikes[:, 0], spikes[:, 1]))
        ticks.append(np.ascontiguousarray(spikes[order, 0], np.int64))
        begins.append(np.append(np.searchsorted(spikes[order, 1], neurons), len(spikes)))
    return *ticks, *begins


@kernel
def _match(a, b, window, shifts, at):
    """Write the shifts of one neuron's pairs from ``at`` on, and return where they end.

    A spike without a partner costs more than all shifts together can.
    """
    alone = window * (min(a.shape[0], b.shape[0]) + 1) + 1
    least = np.empty((a.shape[0] + 1, b.shape[0] + 1), np.int64)
    least[0] = np.arange(b.shape[0] + 1) * alone
    for i in range(a.shape[0]):
        least[i + 1, 0] = (i + 1) * alone
        for j in range(b.shape[0]):
            least[i + 1, j + 1] = min(least[i, j + 1], least[i + 1, j]) + alone
            shift = abs(b[j] - a[i])
            if shift <= window:
                least[i + 1, j + 1] = min(least[i + 1, j + 1], least[i, j] + shift)
    i, j, end = a.shape[0], b.shape[0], at
    while i > 0 and j > 0:
        if least[i, j] == least[i - 1, j] + alone:
            i -= 1
        elif least[i, j] == least[i, j - 1] + alone:
            j -= 1
        else:
            i -= 1
            j -= 1
            shifts[end] = b[j] - a[i]
            end += 1
    shifts[at:end] = shifts[at:end][::-1].copy()
    return end


@kernel
def _match_all(a, b, begin_a, begin_b, window, shifts):
    """Write the shifts of all neurons' pairs, and return how many there are."""
    end = 0
    for n in range(begin_a.shape[0] - 1):
        end = _match(a[begin_a[n] : begin_a[n + 1]], b[begin_b[n] : begin_b[n + 1]], window,
                     shifts, end)
    return end


@kernel
def _edit(a, b, cost):
    """Return the least cost of editing one neuron's train.

    Both may begin and end with the same spikes: to leave those where they are costs the least.
    """
    begin, end_a, end_b = 0, a.shape[0], b.shape[0]
    while begin < min(end_a, end_b) and a[begin] == b[begin]:
        begin += 1
    while begin < min(end_a, end_b) and a[end_a - 1] == b[end_b - 1]:
        end_a -= 1
        end_b -= 1
    a, b = a[begin:end_a], b[begin:end_b]
    row = np.arange(b.shape[0] + 1).astype(np.float64)
    for i in range(a.shape[0]):
        diagonal, row[0] = row[0], i + 1.0
        for j in range(b.shape[0]):
            moved = diagonal + cost * abs(a[i] - b[j])
            diagonal = row[j + 1]
            row[j + 1] = min(min(row[j], diagonal) + 1.0, moved)
    return row[-1]


@kernel
def _edit_all(a, b, begin_a, begin_b, cost):
    """Return the sum of `_edit` over neurons."""
    total = 0.0
    for n in range(begin_a.shape[0] - 1):
        total += _edit(a[begin_a[n] : begin_a[n + 1]], b[begin_b[n] : begin_b[n + 1]], cost)
    return total


@kernel
def _squares(ticks, neurons, signs, tau):
    """Return the squared distance of spikes sorted by neuron and tick; those of one run are -1.

    ``filtered`` is the difference of both filtered trains just before a spike. Each pair of spikes
    counts their signs times exp(-distance / tau), and each spike 1/2 with itself.
    """
    total = filtered = 0.0
    for i in range(ticks.shape[0]):
        if i > 0 and neurons[i] == neurons[i - 1]:
            filtered *= np.exp((ticks[i - 1] - ticks[i]) / tau)
        else:
            filtered = 0.0
        total += 0.5 + signs[i] * filtered
        filtered += signs[i]
    return total
