"""What every kind of noise has in common. The families of kinds have files of their own."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from ...model.events import TickEvents
from ...model.parameters import Parameters
from ...model.upsets import NO_UPSETS
from .philox import WORD
from .subject import Subject

__all__ = ["VERDICTS", "Kind", "check_bits", "check_picks", "limited", "parts", "probability"]

VERDICTS = {
    "exact": "model and RTL must agree bit for bit under it",
    "masked": "nothing may change, in the model nor in the RTL",
}
"""What's demanded under a kind of noise."""

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
    digital : bool
        Whether digital hardware has it. If not, it's of another substrate that the network might
        be meant for, and reports say so.
    verdict : str
        One of `VERDICTS`.
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
    alike : bool
        Whether all instances are the same, because nothing is drawn: then there is one.
    protected : bool
        Whether it knows what check bits make of it.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    unit: ClassVar[str]
    origin: ClassVar[str]
    digital: ClassVar[bool] = True
    verdict: ClassVar[str] = "exact"
    levels: ClassVar[tuple[float, ...]]
    field: ClassVar[str]
    meaning: ClassVar[str]
    columns: ClassVar[int] = 0
    per_sample: ClassVar[bool]
    alike: ClassVar[bool] = False
    protected: ClassVar[bool] = True

    def amount(self, level: float) -> int:
        """Return the level as the integer that scales the random numbers: that of a probability.

        Raises ValueError where the level isn't one of this kind.
        """
        return probability(level)

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
        """Return the input that the core takes in a sample under the change."""
        return subject.clean[sample]

    def sent(self, change: np.ndarray, subject: Subject, sample: int) -> TickEvents:
        """Return the words that are sent to the core: `events`, those that it drops, any order."""
        return self.events(change, subject, sample)

    def parameters(self, change: np.ndarray, subject: Subject) -> Parameters:
        """Return what the core is loaded with under the change."""
        return subject.parameters

    def flips(self, change: np.ndarray) -> np.ndarray:
        """Return the flipped bits of the weight memory, (flips, 2): synapse and bit."""
        return np.empty((0, 2), np.int64)

    def upsets(self, change: np.ndarray) -> np.ndarray:
        """Return what flips of the state while a sample runs, (upsets,) UPSET."""
        return NO_UPSETS

    def stall(self, level: float) -> float | None:
        """Return the probability with which streams are held up; None: as in any run."""
        return None

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


def probability(level: float) -> int:
    """Return how many of the 2**32 words are below a probability.

    Raises ValueError if there's none, or the level isn't a probability.
    """
    if not 1 / WORD <= level <= 1:
        raise ValueError(f"must be from 2**-32 to 1, not {level!r}")
    return int(level * WORD)


def parts(level: float, unit: int, most: float, name: str) -> int:
    """Return a level in whole parts, ``unit`` of which are 1.

    Raises ValueError if it has no whole number of them, or isn't above 0 and at most ``most``.
    """
    whole = round(level * unit)
    if whole < 1 or abs(level * unit - whole) > 1e-6 * whole or level > most:
        raise ValueError(f"must be a whole number of {name}, at least {1 / unit:g} and at most "
                         f"{most:g}, not {level!r}")
    return whole


def check_picks(change: np.ndarray, count: int, name: str) -> None:
    """Raise ValueError unless a change (n,) picks some of ``count`` things, ascending."""
    bad = np.flatnonzero((change < 0) | (change >= count))
    if bad.size:
        raise ValueError(f"item {bad[0]} must be one of {count} {name}, not {change[bad[0]]}")
    _check_ascending(change)


def check_bits(change: np.ndarray, words: int, bits: int) -> None:
    """Raise ValueError unless a change (n, 2) has words and bits that are there, ascending."""
    for column, (name, size) in enumerate((("word", words), ("bit", bits))):
        bad = np.flatnonzero((change[:, column] < 0) | (change[:, column] >= size))
        if bad.size:
            raise ValueError(f"item {bad[0]} must have a {name} from 0 to {size - 1}, "
                             f"not {change[bad[0], column]}")
    _check_ascending(change[:, 0] * bits + change[:, 1])


def limited(change: np.ndarray, size: int, least: np.ndarray | int, most: np.ndarray | int,
            name: str) -> None:
    """Raise ValueError unless a change has ``size`` numbers, from ``least`` to ``most`` each."""
    if len(change) != size:
        raise ValueError(f"must have a number for each of {size} {name}, not {len(change)}")
    least, most = np.broadcast_to(least, change.shape), np.broadcast_to(most, change.shape)
    bad = np.argwhere((change < least) | (change > most))
    if bad.size:
        at = tuple(bad[0])
        raise ValueError(f"item {at[0]} must be from {least[at]} to {most[at]}, not {change[at]}")


def _check_ascending(values):
    falls = np.flatnonzero(np.diff(values) <= 0)
    if falls.size:
        raise ValueError(f"item {falls[0] + 1} must come after item {falls[0]}, and differ from it")
