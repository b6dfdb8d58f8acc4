"""The spikes around the place where a campaign's first critical fault shows."""

from ...model.emulator import Emulator
from ..compare import spikes_of
from .faults import Fault, run_fault
from .outcomes import Outcome
from .subject import Subject

__all__ = ["MARGIN", "critical_spikes"]

MARGIN = 4
"""Time constants tau_s that are shown before the first divergence, and after the first spike that
differs."""


def critical_spikes(subject: Subject, records: list[dict]) -> dict | None:
    """Return the spikes of the first critical fault that moves any, without it and with it.

    Parameters
    ----------
    subject : Subject
    records : list of dict
        Lines of ``faults.csv``.

    Returns
    -------
    dict or None
        The fault's line, with ``before`` (decision without it), ``begin`` and ``end`` (ticks), and
        the spikes [tick, neuron] from the one tick to before the other: ``clean`` and ``faulty``.
        None if there's no such fault.
    """
    record = next((record for record in records if record["van_rossum"]
                   and record["outcome"] == Outcome.CRITICAL.value), None)
    if record is None:
        return None
    config = subject.parameters.config
    emulator = Emulator(subject.parameters)
    fault = Fault(*(record[name] for name in Fault._fields))
    clean, faulty = emulator.run(subject.clean[fault.sample]), run_fault(subject, fault, emulator)
    spikes, others = (spikes_of(result.trace).tolist() for result in (clean, faulty))
    moved = min({*map(tuple, spikes)} ^ {*map(tuple, others)})[0]
    margin = round(MARGIN * config.tau_s / config.tick)
    begin = max(0, record["divergence_tick"] - margin)
    end = min(config.ticks, moved + margin)
    return record | {
        "before": clean.decision, "begin": begin, "end": end,
        "clean": [spike for spike in spikes if begin <= spike[0] < end],
        "faulty": [spike for spike in others if begin <= spike[0] < end]}
