"""Strikes: single bits of the core's registers that flip in a cycle of a sample, under CXXRTL."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ...model.emulator import Emulator, Result
from ...model.events import TickEvents
from ...model.files import write_atomically
from ..compare import MismatchError
from ..cxxrtl import CxxrtlSimulator, Register
from ..simulation import HangError, StreamError, check_results
from .outcomes import Outcome, classify
from .philox import WORD, stream_key, words
from .statistics import wilson
from .subject import Subject

__all__ = ["HEADER", "PARTS", "STRIKES", "Strike", "draw_strikes", "run_control", "run_strikes",
           "unit_of"]

NUMBER = 41  # of the stream, after that of single faults
STRIKES, PARTS = "strikes.csv", "strikes"
AT_ONCE = 64  # strikes in a part
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


def unit_of(register: str) -> str:
    """Return the unit that a register belongs to: at most two names deep, or the core itself.

    Examples
    --------
    >>> unit_of("bank_0.neurons.sleep.step"), unit_of("scheduler.tick"), unit_of("neuron")
    ('bank_0.neurons', 'scheduler', 'core')
    """
    return ".".join(register.split(".")[:-1][:2]) or "core"


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
        ``count``; ``registers`` and ``bits`` that the core has; `_shares` of all strikes, and in
        ``units`` of those in each unit, largest first.

    Raises
    ------
    ValueError
        If the simulator is loaded with other parameters.
    MismatchError
        If the core differs from the model without any strike.
    """
    if simulator.parameters.hash != subject.parameters.hash:
        raise ValueError("Simulator must be loaded with the design that is studied, and isn't")
    folder, registers = Path(folder), simulator.registers
    (folder / PARTS).mkdir(parents=True, exist_ok=True)
    strikes, rows, paths = draw_strikes(subject, registers, seed, count), [], set()
    with tqdm(total=count, unit="strike", disable=not progress) as bar:
        for start in range(0, count, AT_ONCE):
            part = strikes[start : start + AT_ONCE]
            path = folder / PARTS / f"{_digest(subject, simulator, part)}.json"
            if path.is_file():
                found = json.loads(path.read_bytes())
            else:
                found = run_strikes(subject, simulator, part)
                write_atomically(path, json.dumps(found).encode())
            paths.add(path)
            rows += found
            bar.update(len(part))
    table = [(index, *row) for index, row in enumerate(rows)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *table])
    write_atomically(folder / STRIKES, text.getvalue().encode())
    for path in set((folder / PARTS).glob("*.json")) - paths:
        path.unlink()
    return _figures(registers, table)


def run_strikes(subject: Subject, simulator: CxxrtlSimulator, strikes: Sequence[Strike]
                ) -> list[list]:
    """Return what `HEADER` has of each strike from its register on."""
    emulator, cases, rows = Emulator(subject.parameters), {}, []
    for strike in strikes:
        following = (strike.sample + 1) % len(subject)
        for sample in (strike.sample, following):
            if sample not in cases:
                cases[sample] = _case(subject.clean[sample], emulator, simulator)
        case, register = cases[strike.sample], simulator.registers[strike.register]
        cycle = strike.moment * case.cycles // WORD
        outcome = _outcome(simulator, (cycle, strike.register, strike.bit), case, cases[following])
        rows.append([register.name, strike.bit, cycle, strike.sample, unit_of(register.name),
                     outcome.value])
    return rows


@dataclass(frozen=True, eq=False)
class _Case:
    """A sample as it is without a strike: the model's result, and what else the core says.

    ``cycles`` are those from its first word to its decision, ``errors`` the core's flags.
    """

    events: TickEvents
    result: Result
    cycles: int
    errors: int

    def agrees(self, run):
        """Return whether all that came out of a run is as the model says."""
        try:
            check_results([run], [self.result])
        except MismatchError:
            return False
        return True


def _case(events, emulator, simulator):
    result = emulator.run(events)
    run, = simulator.run([events], expected=[result])
    return _Case(events, result, simulator.latency, run.counters["errors"])


def _outcome(simulator, strike, case, following):
    """Return the class of what a strike does to a sample, and else to the one that follows."""
    whole = True
    try:
        run, after = simulator.run([case.events, following.events], strikes=[[strike], ()])
        lasts = not following.agrees(after)
    except (HangError, StreamError) as error:
        lasts = True
        if error.sample == 1:
            run, = simulator.run([case.events], strikes=[[strike]])
        elif isinstance(error, HangError):
            return Outcome.HANG
        else:
            run, whole = error.run, False
    if run.counters["decision"] != case.result.decision:  # on the bus, if not on the stream
        run = replace(run, decision=run.counters["decision"])
    outcome = classify(case.result, run, detected=run.counters["errors"] & ~case.errors,
                       lingers=lasts)
    if outcome in (Outcome.LATENT, Outcome.MASKED) and not (whole and case.agrees(run)):
        return Outcome.TOLERABLE  # a record or a counter is another
    return outcome


def _digest(subject, simulator, strikes):
    text = repr((subject.parameters.hash, subject.data_hash, subject.behaviour, simulator.name,
                 HEADER, strikes))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _figures(registers, table):
    bits, units = Counter(), {}
    for register in registers:
        bits[unit_of(register.name)] += register.bits
    for row in table:
        record = dict(zip(HEADER, row, strict=True))
        units.setdefault(record["unit"], Counter())[record["outcome"]] += 1
    return {
        "count": len(table), "registers": len(registers), "bits": bits.total(),
        **_shares(sum(units.values(), Counter())),
        "units": {unit: {"bits": size, **_shares(units[unit])}
                  for unit, size in bits.most_common() if unit in units}}


def _shares(counts):
    """Return how many strikes there were, and number, share and interval of each outcome."""
    strikes = counts.total()
    return {"strikes": strikes, "outcomes": {
        outcome.value: {"strikes": counts[outcome.value], "share": counts[outcome.value] / strikes,
                        "interval": list(wilson(counts[outcome.value] / strikes, strikes))}
        for outcome in Outcome}}
