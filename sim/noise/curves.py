"""What a curve of accuracy against a level of noise comes to in one number."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Crossing", "critical_level", "kept_accuracy"]

_EXACT = 1e-12  # shares of whole numbers that should be equal differ by less


@dataclass(frozen=True)
class Crossing:
    """Where a curve has lost so much.

    Members
    -------
    level : float
        In the unit of the levels.
    below_first : bool
        Whether it's lost at the first level already: the critical level is ``level`` at most.
    """

    level: float
    below_first: bool


def critical_level(levels: np.ndarray, accuracies: np.ndarray, clean: float, drop: float, *,
                   logarithmic: bool = False) -> Crossing | None:
    """Return the level at which accuracy first is ``drop`` points below the clean one.

    Parameters
    ----------
    levels : (levels,) float
        Rising.
    accuracies : (levels,) float
        Shares, straight between two levels.
    clean : float
        Share without noise.
    drop : float
        Points (hundredths), above 0.
    logarithmic : bool
        Whether the curve is straight over the logarithm of the level, as for probabilities, which
        are then above 0.

    Returns
    -------
    Crossing or None
        None if the curve never gets there, which says nothing of levels above the last one.

    Raises
    ------
    ValueError
        If levels don't rise, or there's another number of accuracies.

    Examples
    --------
    >>> critical_level([1, 2, 4], [0.875, 0.75, 0.25], 1.0, 50)
    Crossing(level=3.0, below_first=False)
    """
    if not drop > 0:
        raise ValueError(f"Drop must be above 0 points, not {drop!r}")
    places, accuracies = _axis(levels, accuracies, logarithmic)
    wanted = clean - drop / 100
    reached = np.flatnonzero(accuracies <= wanted + _EXACT)
    if not reached.size:
        return None
    at = int(reached[0])
    if at == 0:
        return Crossing(float(levels[0]), True)
    fall = accuracies[at - 1] - accuracies[at]
    share = min((accuracies[at - 1] - wanted) / fall, 1.0)
    place = places[at - 1] + share * (places[at] - places[at - 1])
    return Crossing(float(np.exp(place) if logarithmic else place), False)


def kept_accuracy(levels: np.ndarray, accuracies: np.ndarray, clean: float, *,
                  logarithmic: bool = False) -> float:
    """Return the area under the curve over that of a curve that stays at the clean accuracy.

    1: noise costs nothing between the first and the last level. Such areas may be compared if
    the levels are the same. By trapezoids; the parameters are those of `critical_level`.

    Raises
    ------
    ValueError
        If there are less than 2 levels, they don't rise, or there's another number of accuracies.

    Examples
    --------
    >>> round(kept_accuracy([0.01, 0.1, 1.0], [0.8, 0.6, 0.4], 0.8, logarithmic=True), 12)
    0.75
    """
    places, accuracies = _axis(levels, accuracies, logarithmic)
    if len(places) < 2:
        raise ValueError(f"An area must have at least 2 levels, not {len(places)}")
    area = np.trapezoid(accuracies, places) / (places[-1] - places[0])
    return float(area / clean)


def _axis(levels, accuracies, logarithmic):
    """Return where levels lie, and accuracies, as checked arrays."""
    levels, accuracies = np.asarray(levels, np.float64), np.asarray(accuracies, np.float64)
    if levels.ndim != 1 or levels.shape != accuracies.shape or not levels.size:
        raise ValueError(f"Levels and accuracies must be two vectors of one length, not of shapes "
                         f"{levels.shape} and {accuracies.shape}")
    if np.any(np.diff(levels) <= 0):
        raise ValueError(f"Levels must rise, not be {levels.tolist()}")
    if logarithmic and levels[0] <= 0:
        raise ValueError(f"Levels must be above 0 on a logarithmic axis, not {levels[0]}")
    return (np.log(levels) if logarithmic else levels), accuracies
