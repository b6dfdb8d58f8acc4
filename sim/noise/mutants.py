"""Mutants: outputs of single cells of the core's netlist that go wrong in a sample and stay so."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..mutate import MODES, MutantSimulator, Netlist, Output
from .philox import WORD, stream_key, words
from .struck import Judge, run_parts, shares, unit_of
from .subject import Subject

__all__ = ["HEADER", "MUTANTS", "Mutant", "draw_mutants", "run_mutant", "run_mutants"]

NUMBER = 42  # of the stream, after that of strikes
MUTANTS = "mutants.csv"
HEADER = ("index", "cell", "bit", "mode", "cycle", "sample", "unit", "outcome")


class Mutant(NamedTuple):
    """A bit of a cell's output goes wrong during a sample.

    Members
    -------
    output : Output
    mode : str
        One of `MODES`.
    sample : int
    moment : int
        In 2^32nds of the sample's time, from its first word to its decision.
    """

    output: Output
    mode: str
    sample: int
    moment: int


def draw_mutants(subject: Subject, netlist: Netlist, seed: int, count: int) -> list[Mutant]:
    """Return so many mutants, uniform over outputs' bits, modes, samples and moments."""
    drawn = words(stream_key(seed, NUMBER), np.arange(count), 0, 0, 0).astype(np.uint64)
    return [Mutant(netlist.outputs[place * len(netlist.outputs) // WORD],
                   MODES[mode * len(MODES) // WORD], sample * len(subject) // WORD, moment)
            for place, moment, sample, mode in drawn.tolist()]


def run_mutants(subject: Subject, builds: Path, seed: int, count: int, folder: Path,
                *, progress: bool = False) -> dict:
    """Draw mutants and run each on the RTL, under CXXRTL.

    Parameters
    ----------
    subject : Subject
    builds : path
        Where compiled cores are kept: one for each `struck.AT_ONCE` mutants.
    seed, count : int
        Of the draws.
    folder : path
        Receives ``mutants.csv``, a line for each mutant, and the folder ``mutants``, in which a
        later call finds what is done.
    progress : bool

    Returns
    -------
    dict
        ``count``; ``bits`` of all outputs; outcomes of all mutants, and in ``units`` of those in
        each unit, largest first: see `struck.shares`.

    Raises
    ------
    RuntimeError
        If Yosys isn't installed.
    MismatchError
        If the core differs from the model while no mutant is chosen.
    """
    netlist = Netlist(subject.parameters.config)
    mutants = draw_mutants(subject, netlist, seed, count)
    table = run_parts(
        Path(folder) / MUTANTS, HEADER, subject, mutants,
        lambda part: _simulator(subject, builds, netlist, part), _run, unit="mutant",
        progress=progress)
    sizes = Counter(unit_of(output.place) for output in netlist.outputs)
    return shares(HEADER, table, "mutants", sizes)


def run_mutant(subject: Subject, builds: Path, seed: int, index: int) -> list:
    """Return what `HEADER` has of one mutant from its cell on, in a core without any other."""
    netlist = Netlist(subject.parameters.config)
    drawn = draw_mutants(subject, netlist, seed, index + 1)[index:]
    (row,) = _run(subject, _simulator(subject, builds, netlist, drawn), drawn)
    return row


def _simulator(subject, builds, netlist, mutants):
    return MutantSimulator(subject.parameters, builds, netlist,
                           [(mutant.output, mutant.mode) for mutant in mutants])


def _run(subject: Subject, simulator: MutantSimulator, mutants: Sequence[Mutant]) -> list[list]:
    judge, rows = Judge(subject, simulator), []
    for number, mutant in enumerate(mutants, 1):
        cycle, outcome = judge(mutant.sample, mutant.moment, simulator.chosen(number))
        rows.append([mutant.output.place, mutant.output.bit, mutant.mode, cycle, mutant.sample,
                     unit_of(mutant.output.place), outcome.value])
    return rows
