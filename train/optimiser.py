"""Adam, a step size for each kind of parameter, and the way back into the allowed range."""

import math

import numpy as np

from ..model.jit import called_kernel

__all__ = ["Adam"]

EPSILON = 1e-8


class Adam:
    """Adam on named arrays, changed in place and kept within bounds.

    Parameters
    ----------
    arrays : dict of str to array
        The parameters. A name's part before the first ``/`` is its kind.
    rates : dict of str to float
        Step size of each kind; 0 leaves it as it is.
    bounds : dict of str to (float, float)
        Range of a kind. Kinds that aren't named are free.
    first, second : float
        Decay rates of the two moments.
    """

    def __init__(self, arrays, *, rates, bounds, first=0.9, second=0.999):
        arrays = {name: array for name, array in arrays.items() if rates[name.split("/")[0]] > 0}
        self._rates = rates
        self._bounds = bounds
        self._decays = (first, second)
        self._moments = {
            name: (np.zeros_like(array), np.zeros_like(array))
            for name, array in arrays.items()
        }
        self._flat = {
            name: tuple(map(_flat, (array, *self._moments[name]))) for name, array in arrays.items()
        }
        self._steps = 0

    def step(self, gradients: dict[str, np.ndarray], factor: float = 1.0) -> None:
        """Go one step downhill, with all step sizes times ``factor``.

        Raises
        ------
        FloatingPointError
            If a gradient isn't finite. Nothing has changed then.
        """
        flat = {name: np.ascontiguousarray(gradients[name]).reshape(-1) for name in self._flat}
        for name, gradient in flat.items():
            if not _is_finite(gradient):
                raise FloatingPointError(f"Gradient of {name} must be finite, not nan or inf")
        self._steps += 1
        first, second = self._decays
        root = math.sqrt(1.0 - second**self._steps)
        factor *= root / (1.0 - first**self._steps)
        for name, arrays in self._flat.items():
            kind = name.split("/")[0]
            low, high = self._bounds.get(kind, (-math.inf, math.inf))
            size = factor * self._rates[kind]
            _move(flat[name], *arrays, first, second, size, EPSILON * root, low, high)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the state under names for a file."""
        named = {"steps": np.array([self._steps])}
        for name, (mean, square) in self._moments.items():
            named[f"mean/{name}"] = mean
            named[f"square/{name}"] = square
        return named

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Take the state that `arrays` gave back.

        Raises
        ------
        ValueError
            If an array is missing or has another shape.
        """
        for name, own in self.arrays().items():
            if name not in arrays or arrays[name].shape != own.shape:
                raise ValueError(f"Optimiser state must hold {name} of shape {own.shape}")
        self._steps = int(arrays["steps"][0])
        for name, (mean, square) in self._moments.items():
            mean[...], square[...] = arrays[f"mean/{name}"], arrays[f"square/{name}"]


def _flat(array):
    """Return the same numbers in one dimension; never a copy."""
    flat = array.view()
    flat.shape = -1
    return flat


@called_kernel
def _is_finite(values):
    """Return whether all of (n,) float64 are."""
    total = 0.0
    for k in range(values.shape[0]):
        total += values[k] - values[k]
    return total == 0.0


@called_kernel
def _move(gradient, values, mean, square, first, second, size, epsilon, low, high):
    """Change ``values`` and both moments, (n,) float64 each, by one step of Adam."""
    for k in range(values.shape[0]):
        mean[k] = mean[k] * first + (1.0 - first) * gradient[k]
        square[k] = square[k] * second + (1.0 - second) * (gradient[k] * gradient[k])
        moved = values[k] - size * mean[k] / (math.sqrt(square[k]) + epsilon)
        values[k] = min(max(moved, low), high)
