"""The Yin-Yang set: three classes of points in a disc, given as the times of five events.

After Kriener, Goeltz and Petrovici, "The Yin-Yang dataset" (2022): a point (x, y) of the unit
square becomes (x, y, 1 - x, 1 - y), and a bias that is always there.
"""

import math

import numpy as np

from .samples import Dataset

SEEDS = {"train": 42, "validation": 41, "test": 40}
"""The published seed of each set."""

_DISC = 0.5  # Radius; the centre is (0.5, 0.5), those of the dots a half of it to each side.
_DOT = 0.1


def yinyang(sizes: dict[str, int], early: float, late: float) -> dict[str, Dataset]:
    """Generate the published sets.

    Parameters
    ----------
    sizes : dict
        Samples of ``"train"``, ``"validation"`` and ``"test"``. The published ones are 5000, 1000
        and 1000; a smaller set is the start of a larger one.
    early, late : float
        Time of the event for the coordinates 0 and 1, in ms. The bias comes at ``early``.

    Returns
    -------
    dict
        The sets, of 5 channels (x, y, 1 - x, 1 - y, bias) and 3 classes (yin, yang, dot).
    """
    sets = {}
    for name, size in sizes.items():
        points, labels = draw(size, SEEDS[name])
        features = np.column_stack([points, 1 - points, np.zeros(size)])
        times = np.rint(1000 * (early + features * (late - early))).astype(np.int64)
        order = np.argsort(times, axis=1, kind="stable")
        sets[name] = Dataset(
            times=np.take_along_axis(times, order, axis=1).ravel(),
            channels=order.ravel(),
            offsets=np.arange(0, 5 * size + 1, 5),
            labels=labels,
            n_channels=5,
            n_classes=3,
        )
    return sets


def draw(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw points and labels: for each a class first, then points until one is of that class.

    Returns
    -------
    points : numpy.ndarray
        (size, 2) float64, within the disc.
    labels : numpy.ndarray
        (size,) int64.
    """
    # The set is defined by this generator's stream, so nothing may be drawn ahead or in batches.
    generator = np.random.RandomState(seed)
    points = np.empty((size, 2))
    labels = np.empty(size, np.int64)
    for i in range(size):
        labels[i] = generator.randint(3)
        points[i] = generator.rand(2)
        while _class(*points[i].tolist()) != labels[i]:
            points[i] = generator.rand(2)
    return points, labels


def _class(x, y):
    """Return 0 (yin), 1 (yang), 2 (dot), or None outside the disc."""
    right = _distance(x, y, 1.5 * _DISC)
    left = _distance(x, y, 0.5 * _DISC)
    if _distance(x, y, _DISC) > _DISC:
        return None
    if right < _DOT or left < _DOT:
        return 2
    return int(right <= _DOT or left <= 0.5 * _DISC or (y > _DISC and right > 0.5 * _DISC))


def _distance(x, y, centre):
    return math.sqrt((x - centre) ** 2 + (y - _DISC) ** 2)
