"""What a fault did to a sample: exactly one class of seven, and where it first shows."""

from enum import Enum
from typing import NamedTuple

import numpy as np

from ...model.emulator import Result
from ..compare import spikes_of
from ..simulation import Run

__all__ = ["Outcome", "Place", "classify", "first_divergence"]


class Outcome(Enum):
    """Class of a fault's outcome. The first one that fits counts."""

    HANG = "hang"
    """The core stopped answering."""
    DETECTED = "detected"
    """A protection saw the fault, but couldn't correct it."""
    CRITICAL = "critical"
    """The decision is another one, and nothing told."""
    TOLERABLE = "tolerable"
    """Spikes or readout values are others; the decision is the same."""
    CORRECTED = "corrected"
    """A protection corrected the fault."""
    LATENT = "latent"
    """What came out is the same; a state at the end, or a memory, isn't."""
    MASKED = "masked"
    """Nothing is left of the fault."""


class Place(NamedTuple):
    """A tick and a neuron."""

    tick: int
    neuron: int


def classify(clean: Result | Run, faulty: Result | Run | None, *, detected: int = 0,
             corrected: int = 0, lingers: bool = False) -> Outcome:
    """Return the class of what a fault did to one sample.

    The order is the one usual for soft errors (critical and tolerable: F. Libano and others, IEEE
    Trans. Nucl. Sci. 66 (2019), 216), so that a corrected fault whose spikes differ still counts as
    tolerable.

    Parameters
    ----------
    clean, faulty : Result or Run
        The sample without the fault and with it; ``faulty`` is None if the run ended in a
        `ranvier.sim.simulation.HangError`.
    detected, corrected : int
        How many faults the core's protections saw and couldn't correct, and how many they
        corrected, during the sample.
    lingers : bool
        Whether the fault is in a memory still, such as a flipped weight that no one wrote again.

    Returns
    -------
    Outcome
        The end state is that of each neuron after its last touch, as the records have it.
    """
    if faulty is None:
        return Outcome.HANG
    if detected:
        return Outcome.DETECTED
    if clean.decision != faulty.decision:
        return Outcome.CRITICAL
    if not (np.array_equal(_spikes(clean), _spikes(faulty))
            and np.array_equal(clean.scores, faulty.scores)):
        return Outcome.TOLERABLE
    if corrected:
        return Outcome.CORRECTED
    if lingers or not np.array_equal(_end_state(clean.trace), _end_state(faulty.trace)):
        return Outcome.LATENT
    return Outcome.MASKED


def first_divergence(clean: Result | Run, faulty: Result | Run) -> Place | None:
    """Return tick and neuron of the first record or spike that differs, None if all are equal.

    A record that only one of both has differs, too.

    Parameters
    ----------
    clean, faulty : Result or Run
    """
    places = (_first(clean.trace, faulty.trace, lambda record: (record["tick"], record["neuron"])),
              _first(_spikes(clean), _spikes(faulty), tuple))
    return min((place for place in places if place is not None), default=None)


def _spikes(outcome):
    """Return the spikes (spikes, 2) that came out; the model has those of its records."""
    return outcome.spikes if isinstance(outcome, Run) else spikes_of(outcome.trace)


def _end_state(trace):
    """Return the last record of each neuron, sorted by neuron."""
    _, last = np.unique(trace["neuron"][::-1], return_index=True)
    return trace[len(trace) - 1 - last]


def _first(clean, faulty, key):
    """Return the Place of the first row that only one of two arrays, sorted by place, has."""
    shared = min(len(clean), len(faulty))
    unequal = clean[:shared] != faulty[:shared]
    unequal = np.flatnonzero(unequal if unequal.ndim == 1 else unequal.any(1))
    at = int(unequal[0]) if unequal.size else shared
    rows = [key(rows[at]) for rows in (clean, faulty) if at < len(rows)]
    return Place(*map(int, min(rows))) if rows else None
