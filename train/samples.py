"""Labelled samples of events: the record that every source of data fills."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LATEST = 2**53 - 1
"""Latest time of an event, in microseconds: up to here float64 counts them exactly."""

MOST = 2**16
"""Most channels, and most classes, of a dataset."""


class DataError(ValueError):
    """Says which file, array and index breaks which rule."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Samples of events on numbered channels, each with a label.

    The events of sample ``i`` are ``offsets[i]`` to ``offsets[i + 1]``. They are sorted by time,
    and at equal times by channel. A sample may have no events.

    Parameters
    ----------
    times : numpy.ndarray
        (events,) int64. Microseconds from the start of the sample, 0 to 2**53 - 1.
    channels : numpy.ndarray
        (events,) int32. 0 to ``n_channels - 1``.
    offsets : numpy.ndarray
        (samples + 1,) int64. From 0, never falling, to the number of events.
    labels : numpy.ndarray
        (samples,) int64. 0 to ``n_classes - 1``.
    n_channels : int
        1 to 65536.
    n_classes : int
        1 to 65536.

    Raises
    ------
    TypeError
        If an array isn't one-dimensional or has another dtype.
    DataError
        If a value breaks its rule, or there are no samples. Names array and index.
    """

    times: np.ndarray
    channels: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray
    n_channels: int
    n_classes: int

    def __post_init__(self):
        for name, dtype in (
            ("times", np.int64),
            ("channels", np.int32),
            ("offsets", np.int64),
            ("labels", np.int64),
        ):
            array = getattr(self, name)
            if array.ndim != 1 or array.dtype != dtype:
                raise TypeError(
                    f"{name} must be one-dimensional and {np.dtype(dtype)}, "
                    f"not {array.ndim}-dimensional and {array.dtype}"
                )
        for name in ("n_channels", "n_classes"):
            within(name, np.array(getattr(self, name)), 1, MOST)
        self._check_shape()
        within("times", self.times, 0, LATEST)
        within("channels", self.channels, 0, self.n_channels - 1)
        within("labels", self.labels, 0, self.n_classes - 1)
        self._check_order()

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
        # Position of each kept event: its rank in its sample, moved to where that sample starts.
        moves = np.repeat(self.offsets[indices] - offsets[:-1], counts)
        events = np.arange(offsets[-1]) + moves
        return Dataset(
            times=self.times[events],
            channels=self.channels[events],
            offsets=offsets,
            labels=self.labels[indices],
            n_channels=self.n_channels,
            n_classes=self.n_classes,
        )

    def _check_shape(self):
        if len(self) == 0:
            raise DataError("labels must hold at least one sample, not 0")
        for name, length in (
            ("channels", len(self.times)),
            ("offsets", len(self) + 1),
        ):
            if len(getattr(self, name)) != length:
                raise DataError(
                    f"{name} must have {length} items, not {len(getattr(self, name))}"
                )
        falls = np.flatnonzero(np.diff(self.offsets) < 0)
        if len(falls):
            i = falls[0] + 1
            raise DataError(
                f"offsets[{i}] must be at least {self.offsets[i - 1]}, as the one before, "
                f"not {self.offsets[i]}"
            )
        for i, bound in ((0, 0), (len(self), len(self.times))):
            if self.offsets[i] != bound:
                raise DataError(f"offsets[{i}] must be {bound}, not {self.offsets[i]}")

    def _check_order(self):
        samples = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        inside = samples[1:] == samples[:-1]
        step = np.diff(self.times)
        falls = np.flatnonzero(inside & (step < 0))
        if len(falls):
            i = falls[0] + 1
            raise DataError(
                f"times[{i}] (sample {samples[i]}) must be at least {self.times[i - 1]} us, "
                f"as the one before, not {self.times[i]} us"
            )
        falls = np.flatnonzero(inside & (step == 0) & (np.diff(self.channels) < 0))
        if len(falls):
            i = falls[0] + 1
            raise DataError(
                f"channels[{i}] (sample {samples[i]}) must be at least {self.channels[i - 1]}, "
                f"as the one before at the same time, not {self.channels[i]}"
            )


def within(name: str, values: np.ndarray, low: int, high: int) -> None:
    """Raise DataError if an item of an integer array isn't ``low`` to ``high``."""
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        i = int(wrong[0])
        place = f"{name}[{i}]" if values.ndim else name
        raise DataError(f"{place} must be {low} to {high}, not {values.flat[i]}")
