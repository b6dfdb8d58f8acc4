"""Strikes: single bits of the core's registers that flip in a cycle of a sample, under CXXRTL."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..cxxrtl import CxxrtlSimulator, Register
from .philox import WORD, stream_key, words
from .struck import Judge, run_parts, shares, unit_of
from .subject import Subject

__all__ = ["HEADER", "STRIKES", "Strike", "draw_strikes", "run_control", "run_strikes"]

NUMBER = 41  # of the stream, after that of single faults
STRIKES = "strikes.csv"
HEADER = ("index", "register", "bit", "cycle", "sample", "unit", "outcome")


class Strike(NamedTuple):
    """A bit of a register flips during a sample.

    Members
    -------
    register : int
        Its index among the core's.
    bit : int
    sample : int
    moment : int
        In 2^32nds of the sample's time, from its first word to its decision.
    """

    register: int
    bit: int
    sample: int
    moment: int


def draw_strikes(subject: Subject, registers: Sequence[Register], seed: int, count: int
                 ) -> list[Strike]:
    """Return so many strikes, uniform over all bits of registers, samples and moments."""
    ends = np.cumsum([register.bits for register in registers])
    drawn = words(stream_key(seed, NUMBER), np.arange(count), 0, 0, 0).astype(np.uint64)
    strikes = []
    for place, moment, sample, _ in drawn.tolist():
        place = place * int(ends[-1]) // WORD
        register = int(np.searchsorted(ends, place, side="right"))
        strikes.append(Strike(register, place - int(ends[register]) + registers[register].bits,
                              sample * len(subject) // WORD, moment))
    return strikes


def run_control(subject: Subject, simulator: CxxrtlSimulator, seed: int, count: int, folder: Path,
                *, progress: bool = False) -> dict:
    """Draw strikes and run each on the RTL.

    Parameters
    ----------
    subject : Subject
    simulator : CxxrtlSimulator
        Loaded with the subject's parameters.
    seed : int
        Of the draws.
    count : int
        Number of strikes: see `ranvier.sim.noise.sampling.fault_sample`.
    folder : path
        Receives ``strikes.csv``, a line for each strike, and the folder ``strikes``, in which a
        later call finds what is done.
    progress : bool

    Returns
    -------
    dict
        ``count``; ``registers`` and ``bits`` that the core has; outcomes of all strikes, and in
        ``units`` of those in each unit, largest first: see `struck.shares`.

    Raises
    ------
    ValueError
        If the simulator is loaded with other parameters.
    MismatchError
        If the core differs from the model without any strike.
    """
    if simulator.parameters.hash != subject.parameters.hash:
        raise ValueError("Simulator must be loaded with the design that is studied, and isn't")
    registers = simulator.registers
    strikes = draw_strikes(subject, registers, seed, count)
    table = run_parts(Path(folder) / STRIKES, HEADER, subject, strikes, lambda part: simulator,
                      run_strikes, unit="strike", progress=progress)
    sizes = Counter()
    for register in registers:
        sizes[unit_of(register.name)] += register.bits
    return {"registers": len(registers), **shares(HEADER, table, "strikes", sizes)}


def run_strikes(subject: Subject, simulator: CxxrtlSimulator, strikes: Sequence[Strike]
                ) -> list[list]:
    """Return what `HEADER` has of each strike from its register on."""
    judge, rows = Judge(subject, simulator), []
    for strike in strikes:
        register = simulator.registers[strike.register]
        cycle, outcome = judge(strike.sample, strike.moment, [(strike.register, strike.bit)])
        rows.append([register.name, strike.bit, cycle, strike.sample, unit_of(register.name),
                     outcome.value])
    return rows
