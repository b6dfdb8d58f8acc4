"""Cores that are struck: what becomes of a sample, how often, and campaigns that go on."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from ...model.emulator import Emulator, Result
from ...model.events import TickEvents
from ...model.files import write_atomically
from ..compare import MismatchError
from ..cxxrtl import CxxrtlSimulator
from ..simulation import HangError, StreamError, check_results
from ..tables import table_text, write_table
from .outcomes import Outcome, classify
from .philox import WORD
from .statistics import wilson
from .subject import Subject

__all__ = ["AT_ONCE", "Judge", "run_parts", "shares", "unit_of"]

AT_ONCE = 64  # of a campaign, in a part


def unit_of(name: str) -> str:
    """Return the unit that a register or cell belongs to: at most two names deep, or the core.

    Examples
    --------
    >>> unit_of("bank_0.neurons.sleep.step"), unit_of("scheduler.tick"), unit_of("neuron")
    ('bank_0.neurons', 'scheduler', 'core')
    """
    return ".".join(name.split(".")[:-1][:2]) or "core"


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


class Judge:
    """Strikes a core while it runs a sample, and says what came of it.

    Parameters
    ----------
    subject : Subject
    simulator : CxxrtlSimulator
        Loaded with the subject's parameters.
    """

    def __init__(self, subject: Subject, simulator: CxxrtlSimulator):
        self._subject, self._simulator, self._cases = subject, simulator, {}
        self._emulator = Emulator(subject.parameters)

    def __call__(self, sample: int, moment: int, bits: Sequence[tuple[int, int]]
                 ) -> tuple[int, Outcome]:
        """Flip bits of registers in one cycle of a sample; the one that follows runs, too.

        Parameters
        ----------
        sample : int
        moment : int
            The cycle, in 2^32nds of the sample's time from its first word to its decision.
        bits : sequence of (int, int)
            Register and bit.

        Returns
        -------
        cycle : int
        outcome : Outcome

        Raises
        ------
        MismatchError
            If the core differs from the model without any strike.
        """
        case = self._case(sample)
        cycle = moment * case.cycles // WORD
        strikes = [(cycle, register, bit) for register, bit in bits]
        return cycle, self._outcome(strikes, case, self._case((sample + 1) % len(self._subject)))

    def _case(self, sample):
        if sample not in self._cases:
            events = self._subject.clean[sample]
            result = self._emulator.run(events)
            run, = self._simulator.run([events], expected=[result])
            self._cases[sample] = _Case(events, result, self._simulator.latency,
                                        run.counters["errors"])
        return self._cases[sample]

    def _outcome(self, strikes, case, following):
        whole = True
        try:
            run, after = self._simulator.run([case.events, following.events],
                                             strikes=[strikes, ()])
            lasts = not following.agrees(after)
        except (HangError, StreamError) as error:
            lasts = True
            if error.sample == 1:
                run, = self._simulator.run([case.events], strikes=[strikes])
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


def run_parts(file: Path, header: Sequence[str], subject: Subject, drawn: Sequence[NamedTuple],
              simulator_of: Callable, run: Callable, *, unit: str, progress: bool = False
              ) -> list[tuple]:
    """Run what is drawn part by part, and write its table.

    Parameters
    ----------
    file : path
        The table, CSV. Parts are kept in a folder of its name without the ending, in which a later
        call finds what is done with the same drawn, subject, model and compiled core.
    header : sequence of str
        Names of the columns; the first one counts the rows.
    subject : Subject
    drawn : sequence of named tuples
    simulator_of : callable
        Takes a part of them and returns the `CxxrtlSimulator` that runs it.
    run : callable
        Takes subject, simulator and part, and returns the part's rows without their number.
    unit : str
        Of the progress bar.

    Returns
    -------
    list of tuple
        The rows.
    """
    folder = file.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    rows, paths = [], set()
    with tqdm(total=len(drawn), unit=unit, disable=not progress) as bar:
        for start in range(0, len(drawn), AT_ONCE):
            part = drawn[start : start + AT_ONCE]
            simulator = simulator_of(part)
            path = folder / f"{_digest(subject, simulator, header, part)}.json"
            if path.is_file():
                found = json.loads(path.read_bytes())
            else:
                found = run(subject, simulator, part)
                write_atomically(path, json.dumps(found).encode())
            paths.add(path)
            rows += found
            bar.update(len(part))
    table = [(index, *row) for index, row in enumerate(rows)]
    write_table(file, table_text(header, table))
    for path in set(folder.glob("*.json")) - paths:
        path.unlink()
    return table


def _digest(subject, simulator, header, part):
    text = repr((subject.parameters.hash, subject.data_hash, subject.behaviour, simulator.name,
                 header, part))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def shares(header: Sequence[str], table: Iterable[Sequence], name: str, sizes: Counter) -> dict:
    """Return number, share and Wilson's interval of each outcome, of all and by unit.

    Parameters
    ----------
    header, table
        As of `run_parts`, with the columns ``unit`` and ``outcome``.
    name : str
        What the rows are: the key of their numbers.
    sizes : Counter
        How much of a unit there is to strike; ``bits`` of the result.
    """
    units, at = {}, [header.index(column) for column in ("unit", "outcome")]
    for row in table:
        unit, outcome = (row[place] for place in at)
        units.setdefault(unit, Counter())[outcome] += 1
    return {
        "count": sum(counts.total() for counts in units.values()), "bits": sizes.total(),
        **_outcomes(sum(units.values(), Counter()), name),
        "units": {unit: {"bits": size, **_outcomes(units[unit], name)}
                  for unit, size in sizes.most_common() if unit in units}}


def _outcomes(counts, name):
    total = counts.total()
    return {name: total, "outcomes": {
        outcome.value: {name: counts[outcome.value], "share": counts[outcome.value] / total,
                        "interval": list(wilson(counts[outcome.value] / total, total))}
        for outcome in Outcome}}
