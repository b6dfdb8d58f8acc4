"""Labelled samples of events: the record that every source of data fills."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LATEST = 2**53 - 1
"""Latest time of an event, in microseconds: up to here float64 counts them exactly."""

MOST = 2**16
"""Most channels, and most classes, of a dataset."""

_INFLATED = (2**26, 2**33)
_INFLATION = 100  # Event files shrink to a half or a tenth; 1000 is the most that deflate can do.

_DTYPES = {"times": np.int64, "channels": np.int32, "offsets": np.int64, "labels": np.int64}


class DataError(ValueError):
    """Data that breaks a rule. The message names file, array and index."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Samples of events on numbered channels, each with a label.

    The events of sample ``i`` are ``offsets[i]`` to ``offsets[i + 1]``. A sample may have none.

    Arrays of any integer type are taken, and converted. Events at the same time of a sample may
    come in any order, and are put in the order of their channels.

    Parameters
    ----------
    times : numpy.ndarray
        (events,) int64. Microseconds from the start of the sample, 0 to 2**53 - 1, sorted within
        each sample.
    channels : numpy.ndarray
        (events,) int32. 0 to ``n_channels - 1``.
    offsets : numpy.ndarray
        (samples + 1,) int64. From 0, never falling, to the number of events.
    labels : numpy.ndarray
        (samples,) int64. 0 to ``n_classes - 1``. At least one.
    n_channels, n_classes : int
        1 to 65536.

    Raises
    ------
    DataError
        If an array breaks its rule.
    """

    times: np.ndarray
    channels: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray
    n_channels: int
    n_classes: int

    def __post_init__(self):
        for name in _DTYPES:
            values = getattr(self, name)
            if values.ndim != 1 or values.dtype.kind not in "iu":
                raise DataError(
                    f"{name} must be one-dimensional and hold integers, "
                    f"not {values.ndim}-dimensional {values.dtype}"
                )
        within("n_channels", np.array(self.n_channels), 1, MOST)
        within("n_classes", np.array(self.n_classes), 1, MOST)
        # Ranges first: unsigned values above the new type's largest would change sign.
        within("times", self.times, 0, LATEST)
        within("channels", self.channels, 0, self.n_channels - 1)
        within("offsets", self.offsets, 0, len(self.times))
        within("labels", self.labels, 0, self.n_classes - 1)
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, getattr(self, name).astype(dtype, copy=False))
        self._check_offsets()
        self._order()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def duration(self) -> float:
        """Time of the last event of all samples, in ms. 0 if there are no events."""
        return float(self.times.max(initial=0)) / 1000

    def sample(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (us) and channels of one sample, as views."""
        if not 0 <= index < len(self):
            raise IndexError(f"Sample must be 0 to {len(self) - 1}, not {index!r}")
        events = slice(self.offsets[index], self.offsets[index + 1])
        return self.times[events], self.channels[events]

    def subset(self, indices: Sequence[int] | np.ndarray) -> "Dataset":
        """Return a copy of some samples, in the order of ``indices``."""
        indices = np.asarray(indices, np.int64)
        within("indices", indices, 0, len(self) - 1)
        counts = np.diff(self.offsets)[indices]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        # An event keeps its rank in its sample, and moves with the start of the sample.
        events = np.arange(offsets[-1]) + np.repeat(self.offsets[indices] - offsets[:-1], counts)
        return Dataset(
            times=self.times[events],
            channels=self.channels[events],
            offsets=offsets,
            labels=self.labels[indices],
            n_channels=self.n_channels,
            n_classes=self.n_classes,
        )

    def _check_offsets(self):
        if len(self) == 0:
            raise DataError("labels must hold at least one sample, not none")
        for name, length in (("channels", len(self.times)), ("offsets", len(self) + 1)):
            if len(getattr(self, name)) != length:
                raise DataError(f"{name} must have {length} items, not {len(getattr(self, name))}")
        ascending("offsets", self.offsets)
        for i, bound in ((0, 0), (len(self), len(self.times))):
            if self.offsets[i] != bound:
                raise DataError(f"offsets[{i}] must be {bound}, not {self.offsets[i]}")

    def _order(self):
        samples = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        ascending("times", self.times, samples)
        tied = (samples[1:] == samples[:-1]) & (self.times[1:] == self.times[:-1])
        if not (tied & (self.channels[1:] < self.channels[:-1])).any():
            return
        order = np.lexsort((self.channels, self.times, samples))
        object.__setattr__(self, "times", self.times[order])
        object.__setattr__(self, "channels", self.channels[order])


def within(name: str, values: np.ndarray, low: float, high: float) -> None:
    """Raise DataError at the first value that isn't a number from ``low`` to ``high``."""
    wrong = np.flatnonzero(~((values >= low) & (values <= high)))
    if len(wrong):
        place = f"{name}[{wrong[0]}]" if values.ndim else name
        raise DataError(f"{place} must be {low} to {high}, not {values.flat[wrong[0]]}")


def ascending(name: str, values: np.ndarray, samples: np.ndarray | None = None) -> None:
    """Raise DataError at the first value under the one before it, of the same sample if given."""
    falls = values[1:] < values[:-1]
    if samples is not None:
        falls &= samples[1:] == samples[:-1]
    if falls.any():
        i = int(np.argmax(falls)) + 1
        where = "" if samples is None else f" (sample {samples[i]})"
        raise DataError(
            f"{name}[{i}]{where} must be at least {values[i - 1]}, as the one before, "
            f"not {values[i]}"
        )


def inflation_limit(size: int) -> int:
    """Most bytes to which a compressed file of ``size`` bytes may inflate."""
    small, large = _INFLATED
    return min(max(small, _INFLATION * size), large)
