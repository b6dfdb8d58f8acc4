"""What every kind of noise has in common, and the two families that there are."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ...model.events import TickEvents
from .philox import WORD, stream_key, words
from .subject import Subject
from .weights import flip_bits

__all__ = ["InputKind", "Kind", "WeightKind", "probability"]

_LARGEST = 1 << 53  # no honest number of a plan is as large, and int64 holds it


class Kind(ABC):
    """One kind of noise: what it changes, how that is drawn, how much of it at which level.

    A change is an int64 array. It's drawn in two steps, so that all levels share their random
    numbers: `draw` makes the numbers, `change` scales them by a level.

    Members
    -------
    name : str
        Name in settings, plans and reports.
    number : int
        Goes into the generator's key with the seed. Never changed, never another kind's.
    unit : str
        What a level counts.
    origin : str
        Where hardware gets such noise from.
    exact : bool
        Whether model and RTL must agree bit for bit under it.
    levels : tuple of float
        Default levels, ascending.
    field : str
        Name of the change in a row of a plan.
    meaning : str
        What the numbers of a change are.
    columns : int
        0: a change is (n,); else it is (n, columns).
    per_sample : bool
        Whether each sample has a change of its own; else one change holds for all samples of an
        instance (a chip), and there are several instances.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    unit: ClassVar[str]
    origin: ClassVar[str]
    exact: ClassVar[bool]
    levels: ClassVar[tuple[float, ...]]
    field: ClassVar[str]
    meaning: ClassVar[str]
    columns: ClassVar[int] = 0
    per_sample: ClassVar[bool]

    @abstractmethod
    def amount(self, level: float) -> int:
        """Return the level as the integer that scales the random numbers.

        Raises ValueError where the level isn't one of this kind.
        """

    @abstractmethod
    def draw(self, seed: int, subject: Subject, instance: int, sample: int | None) -> np.ndarray:
        """Return the random numbers that all levels share."""

    @abstractmethod
    def change(self, drawn: np.ndarray, amount: int) -> np.ndarray:
        """Return the change that the random numbers make at a level's amount."""

    @abstractmethod
    def check(self, change: np.ndarray, amount: int, subject: Subject, sample: int | None) -> None:
        """Raise ValueError if the change can't have been drawn for this place and amount."""

    @abstractmethod
    def counts(self, change: np.ndarray, subject: Subject, sample: int | None) -> dict[str, int]:
        """Return how much there was to change, and how much of it changed, by name."""

    def events(self, change: np.ndarray, subject: Subject, sample: int) -> TickEvents:
        """Return a sample's input under the change."""
        return subject.clean[sample]

    def flips(self, change: np.ndarray) -> np.ndarray:
        """Return the flipped bits of the weight memory, (flips, 2): synapse and bit."""
        return np.empty((0, 2), np.int64)

    def weight(self, change: np.ndarray, subject: Subject) -> np.ndarray:
        """Return the weights under the change, (synapses,) int32."""
        parameters = subject.parameters
        return flip_bits(parameters.weight, self.flips(change), parameters.config.weight_bits)

    def parse(self, value: object) -> np.ndarray:
        """Return the change that a row of a plan has as lists of integers.

        Raises ValueError if it's anything else.
        """
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {value!r:.40}")
        rows = value if self.columns else [value]
        for i, row in enumerate(rows):
            if not isinstance(row, list) or (self.columns and len(row) != self.columns):
                raise ValueError(f"item {i} must be a list of {self.columns} numbers, "
                                 f"not {row!r:.40}")
            for number in row:
                if type(number) is not int or abs(number) >= _LARGEST:
                    raise ValueError(f"must hold integers, not {number!r:.40}")
        array = np.array(value, np.int64)
        return array.reshape(-1, self.columns) if self.columns else array


class InputKind(Kind):
    """Noise on the input events, new for each sample. One random word per event.

    A word is named by instance, sample, channel, and the event's place among its channel's.
    """

    per_sample = True

    def draw(self, seed, subject, instance, sample):
        _, channels = subject.sample(sample)
        return words(stream_key(seed, self.number), instance, sample, channels,
                     _ordinals(channels))[:, 0]

    def counts(self, change, subject, sample):
        return {"events": len(subject.sample(sample)[0]),
                "merged": self.events(change, subject, sample).merged}


class WeightKind(Kind):
    """Noise on the bits of the weight memory, for all samples of an instance. A word per bit.

    A word is named by instance, synapse and bit.
    """

    per_sample = False
    columns = 2
    field = "flipped"
    meaning = "synapse and bit (0 is the lowest) of each flip"

    def draw(self, seed, subject, instance, sample):
        synapses, bits = _memory(subject)
        groups = -(-bits // 4)  # of the four words that a counter gives
        drawn = words(stream_key(seed, self.number), instance, np.arange(synapses)[:, None],
                      np.arange(groups), 0)
        return drawn.reshape(synapses, 4 * groups)[:, :bits]

    def check(self, change, amount, subject, sample):
        synapses, bits = _memory(subject)
        for column, (name, size) in enumerate((("synapse", synapses), ("bit", bits))):
            bad = np.flatnonzero((change[:, column] < 0) | (change[:, column] >= size))
            if bad.size:
                raise ValueError(f"item {bad[0]} must have a {name} from 0 to {size - 1}, "
                                 f"not {change[bad[0], column]}")
        ascending(change[:, 0] * bits + change[:, 1])

    def counts(self, change, subject, sample):
        synapses, bits = _memory(subject)
        return {"bits": synapses * bits, "flipped": len(change)}

    def flips(self, change):
        return change


def probability(level: float) -> int:
    """Return how many of the 2**32 words are below a probability.

    Raises ValueError if there's none, or the level isn't a probability.
    """
    if not 1 / WORD <= level <= 1:
        raise ValueError(f"must be from 2**-32 to 1, not {level!r}")
    return int(level * WORD)


def ascending(values: np.ndarray) -> None:
    """Raise ValueError at the first value that isn't above the one before it."""
    falls = np.flatnonzero(np.diff(values) <= 0)
    if falls.size:
        raise ValueError(f"item {falls[0] + 1} must come after item {falls[0]}, and differ from it")


def _memory(subject):
    return subject.parameters.weight.size, subject.parameters.config.weight_bits


def _ordinals(channels):
    """Return each event's place among the events of its channel."""
    order = np.argsort(channels, kind="stable")
    grouped = channels[order]
    ordinals = np.empty(channels.size, np.int64)
    ordinals[order] = np.arange(channels.size) - np.searchsorted(grouped, grouped)
    return ordinals
