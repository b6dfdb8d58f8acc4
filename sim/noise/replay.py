"""Rows of a plan replayed on the RTL, and compared with the model bit for bit."""

import logging
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from ...hw.images import synapse_places
from ...model.emulator import Emulator
from ...model.events import TickEvents
from ...model.parameters import Parameters
from ...model.protection import read_weights
from ..compare import MismatchError
from ..simulation import HangError, Run, Simulator, check_results
from .philox import stream_key, words
from .plan import Plan
from .subject import Subject

__all__ = ["Pick", "choose", "replay", "rtl_places", "silent"]

NUMBER = 0  # the stream that chooses; kinds have the numbers from 1
AT_ONCE = 50  # picks in one run of the simulator

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pick:
    """A row of a plan, by its index, and the sample to run it on."""

    row: int
    sample: int


def choose(plan: Plan, subject: Subject, count: int) -> list[Pick]:
    """Return ``count`` different picks, or all if there are fewer, spread over kinds and levels.

    The plan's seed decides which. They come in the order of the plan.
    """
    cells = [rows for _, _, rows in plan.cells()]
    samples = [len(plan.rows[rows[0]].samples(subject)) for rows in cells]
    quotas = _quotas(plan, samples, count)
    key = stream_key(plan.seed, NUMBER)
    picks = []
    for number, (rows, n, quota) in enumerate(zip(cells, samples, quotas, strict=True)):
        order = words(key, number, np.arange(len(rows) * n), 0, 0)[:, 0].argsort(kind="stable")
        for place in np.sort(order[:quota]).tolist():
            row = rows[place // n]
            picks.append(Pick(row, plan.rows[row].samples(subject)[place % n]))
    return picks


def replay(plan: Plan, subject: Subject, simulator: Simulator, picks: list[Pick],
           **options) -> dict:
    """Run picks on the RTL and on the model, and compare everything that both tell.

    Parameters
    ----------
    plan : Plan
    subject : Subject
        What the plan is for.
    simulator : Simulator
        Loaded with the subject's parameters.
    picks : list of Pick
    **options
        For ``simulator.run``: ``stall``, ``seed``, ``waves``.

    Returns
    -------
    dict
        ``rows``: picks replayed. ``records``: records of the model that were compared.
        ``mismatches``: picks that differ. ``difference``: text on the first of them, or None.
        ``sent``: events that were sent; ``silent``: those that were lost and not counted, see
        `silent`. ``picks``: for each, its row, kind, level, instance and sample, and what of the
        above is its own.

    Raises
    ------
    ValueError
        If a pick isn't of the plan, or the simulator is loaded with other parameters.
    """
    if simulator.parameters.hash != subject.parameters.hash:
        raise ValueError("Simulator must be loaded with the design that the plan is for, "
                         "and isn't")
    rows = [plan.row(pick.row) for pick in picks]
    for pick, row in zip(picks, rows, strict=True):
        samples = row.samples(subject)
        if pick.sample not in samples:
            wanted = samples[0] if len(samples) == 1 else f"from 0 to {samples[-1]}"
            raise ValueError(f"Sample of row {pick.row} ({row}) must be {wanted}, "
                             f"not {pick.sample}")
    results = []
    for start in range(0, len(picks), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        results += _replay(subject, simulator, picks[part], rows[part], options)
    differing = [result for result in results if result["difference"]]
    return {"rows": len(results), "records": sum(result["records"] for result in results),
            "mismatches": len(differing),
            **{name: sum(result[name] for result in results) for name in ("sent", "silent")},
            "difference": _headline(differing[0]) if differing else None, "picks": results}


def _replay(subject, simulator, picks, rows, options):
    """Return what became of each pick; their traces are in memory together."""
    cases = [_case(subject, pick, row) for pick, row in zip(picks, rows, strict=True)]
    results = []
    for (_, stall), part in groupby(cases, lambda case: (id(case.parameters), case.stall)):
        part = list(part)
        simulator.load(part[0].parameters)
        own = options if stall is None else options | {"stall": stall}
        outcomes = _run(simulator, part, own)
        results += [_compare(case, outcome) for case, outcome in zip(part, outcomes, strict=True)]
    simulator.load(subject.parameters)
    return [{"row": pick.row, "kind": row.kind.name, "level": row.level, "instance": row.instance,
             "sample": pick.sample, **result}
            for pick, row, result in zip(picks, rows, results, strict=True)]


@dataclass(frozen=True, eq=False)
class _Case:
    """What a pick runs with: `TickEvents` that the core takes, and those that are sent."""

    events: TickEvents
    sent: TickEvents
    parameters: Parameters
    weight: np.ndarray
    flips: list
    upsets: np.ndarray
    stall: float | None


def _case(subject, pick, row):
    kind, change = row.kind, row.change
    parameters = kind.parameters(change, subject)
    flips = kind.flips(change)
    return _Case(
        kind.events(change, subject, pick.sample), kind.sent(change, subject, pick.sample),
        parameters, read_weights(parameters.config, parameters.weight, flips).values,
        rtl_places(flips, parameters), kind.upsets(change), kind.stall(row.level))


def _compare(case, outcome):
    """Return how many records were compared, the text on the first difference, silent losses."""
    result = Emulator(case.parameters).run(case.events, weight=case.weight, upsets=case.upsets)
    difference = _difference(outcome, result)
    dropped = len(case.sent) - len(case.events)
    if difference is None and outcome.counters["dropped"] != dropped:
        difference = (f"the core must have dropped {dropped} words, "
                      f"not {outcome.counters['dropped']}")
    lost = 0 if isinstance(outcome, Exception) else silent(case.sent, outcome)
    return {"records": len(result.trace), "difference": difference, "sent": len(case.sent),
            "silent": lost}


def silent(sent: TickEvents, run: Run) -> int:
    """Return how many events of those that were sent neither of the core's counters knows.

    The core takes each word or drops it, and counts both; words of a tick and channel that merge do
    so before they're sent. Spikes that find no cursor count as dropped too, and may hide some.
    """
    return max(0, len(sent) - run.counters["input_events"] - run.counters["dropped"])


def _headline(result):
    place = f"{result['kind']} {result['level']}, instance {result['instance']}"
    return f"row {result['row']} ({place}), sample {result['sample']}: {result['difference']}"


def rtl_places(flips, parameters):
    """Return flipped bits where the core has them: (bank, address, bit)."""
    if not len(flips):
        return []
    bank, address = synapse_places(parameters)
    return list(zip(bank[flips[:, 0]].tolist(), address[flips[:, 0]].tolist(),
                    flips[:, 1].tolist(), strict=True))


def _run(simulator, cases, options):
    """Return for each case its `Run`, or the error that stands for it."""
    samples = [case.sent for case in cases]
    faults = [{"flips": [case.flips], "upsets": [case.upsets]} for case in cases]
    try:
        return simulator.run(samples, flips=[case.flips for case in cases],
                             upsets=[case.upsets for case in cases], **options)
    except (HangError, MismatchError):
        logger.debug("a sample broke off: each runs alone", exc_info=True)
    outcomes = []
    for sample, own in zip(samples, faults, strict=True):
        try:
            outcomes += simulator.run([sample], **own, **options)
        except (HangError, MismatchError) as error:
            outcomes.append(error)
    return outcomes


def _difference(outcome, result):
    """Return the text on the first difference between a run of the RTL and the model's result."""
    if isinstance(outcome, Exception):
        return getattr(outcome, "text", str(outcome))
    try:
        check_results([outcome], [result])
    except MismatchError as error:
        return error.text
    return None


def _quotas(plan, samples, count):
    """Return how many picks each level gives: kinds as evenly as possible, then levels."""
    sizes = {}
    for (kind, _, rows), n in zip(plan.cells(), samples, strict=True):
        sizes.setdefault(kind, []).append(len(rows) * n)
    shares = _spread([sum(levels) for levels in sizes.values()], count)
    return [quota for levels, share in zip(sizes.values(), shares, strict=True)
            for quota in _spread(levels, share)]


def _spread(sizes, count):
    """Return how many of ``count`` items come from each part, as evenly as the sizes allow."""
    quotas = [0] * len(sizes)
    left = min(count, sum(sizes))
    while left:
        open_ = [i for i, size in enumerate(sizes) if quotas[i] < size]
        share = min(left, len(open_))
        for k in range(share):  # at even distances where there are fewer items than parts
            quotas[open_[k * len(open_) // share]] += 1
        left -= share
    return quotas
