"""Plans: every change that a noise study makes, drawn before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from .kind import Kind
from .kinds import KINDS
from .settings import NoiseConfig
from .subject import Subject

__all__ = ["Plan", "Row", "draw_change", "draw_plan", "places", "verify"]


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a plan.

    Members
    -------
    kind : Kind
    level : float
        In the kind's unit.
    instance : int
        Which drawn chip it is, from 0.
    sample : int or None
        Index in the dataset; None: the change holds for every sample.
    change : int64 array
        What changes; see the kind's ``meaning``.
    """

    kind: Kind
    level: float
    instance: int
    sample: int | None
    change: np.ndarray

    def __str__(self):
        instance = "" if self.kind.per_sample else f", instance {self.instance}"
        return f"{self.kind.name} {self.level}{instance}"

    def samples(self, subject: Subject) -> range:
        """Return the samples on which the row can be run."""
        return range(len(subject)) if self.sample is None else range(self.sample, self.sample + 1)


@dataclass(frozen=True, eq=False)
class Plan:
    """A drawn plan.

    Members
    -------
    seed : int
    parameters, data : str
        Hashes of the design and the samples that it's for.
    samples, instances : int
    levels : dict of str to tuple of float
        Levels by the name of their kind.
    rows : tuple of Row
        By kind, level, instance and sample, in the order of `places`.
    """

    seed: int
    parameters: str
    data: str
    samples: int
    instances: int
    levels: dict[str, tuple[float, ...]]
    rows: tuple[Row, ...]

    def row(self, index: int) -> Row:
        """Return one row.

        Raises
        ------
        ValueError
            If there is none.
        """
        if not 0 <= index < len(self.rows):
            raise ValueError(f"Row must be from 0 to {len(self.rows) - 1} in this plan, "
                             f"not {index!r}")
        return self.rows[index]

    def cells(self) -> Iterator[tuple[Kind, float, range]]:
        """Yield each kind and level with the indices of its rows."""
        start = 0
        for name, levels in self.levels.items():
            kind = KINDS[name]
            size = self.samples if kind.per_sample else chips(kind, self.instances)
            for level in levels:
                yield kind, level, range(start, start + size)
                start += size


def chips(kind: Kind, instances: int) -> int:
    """Return how many instances of a kind that changes chips a plan has."""
    return 1 if kind.alike else instances


def places(levels: dict, instances: int, samples: int) -> Iterator[tuple]:
    """Yield kind, level, instance and sample of every row, in the order of a plan."""
    for name, values in levels.items():
        kind = KINDS[name]
        sites = (1, range(samples)) if kind.per_sample else (chips(kind, instances), (None,))
        yield from product((kind,), values, range(sites[0]), sites[1])


def draw_change(subject: Subject, seed: int, kind: Kind, level: float, instance: int,
                sample: int | None) -> np.ndarray:
    """Return the change of one row. It depends on nothing else, nor on rows drawn before."""
    return kind.change(kind.draw(seed, subject, instance, sample), kind.amount(level))


def draw_plan(subject: Subject, settings: NoiseConfig, seed: int) -> Plan:
    """Draw the plan of a study.

    Parameters
    ----------
    subject : Subject
    settings : NoiseConfig
    seed : int
        From 0 to 2**64 - 1.

    Raises
    ------
    ValueError
        If a kind doesn't know the design's check bits.
    """
    settings.check_protection(subject.parameters.config.protection)
    levels = {name: values for name, values in settings.levels.items() if values}
    changes = {}
    for kind, instance, sample in dict.fromkeys(
            (kind, instance, sample)
            for kind, _, instance, sample in places(levels, settings.instances, len(subject))):
        drawn = kind.draw(seed, subject, instance, sample)  # once for all levels
        for level in levels[kind.name]:
            place = (kind, level, instance, sample)
            changes[place] = kind.change(drawn, kind.amount(level))
    rows = tuple(Row(*place, changes[place])
                 for place in places(levels, settings.instances, len(subject)))
    return Plan(seed=seed, parameters=subject.parameters.hash, data=subject.data_hash,
                samples=len(subject), instances=settings.instances, levels=levels, rows=rows)


def verify(plan: Plan, subject: Subject) -> None:
    """Draw a plan again from its seed and compare.

    Raises
    ------
    ValueError
        If a row isn't what the seed gives; the message names the first.
    """
    settings = NoiseConfig(kinds=tuple(plan.levels), levels=plan.levels, instances=plan.instances)
    for i, (row, again) in enumerate(zip(
            plan.rows, draw_plan(subject, settings, plan.seed).rows, strict=True)):
        if not np.array_equal(row.change, again.change):
            raise ValueError(f"Row {i} ({row}) must be what seed {plan.seed} gives, and isn't")
