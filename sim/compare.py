"""Finds the first difference between what the RTL did and what the model says."""

import numpy as np

from ..model.events import TRACE

__all__ = ["MismatchError", "Scoreboard", "check_run", "first_difference", "spikes_of"]

BEFORE = 10  # records that are shown before the first difference
KEY = ("tick", "neuron")
STATE = tuple(name for name in TRACE.names if name not in KEY)


class MismatchError(AssertionError):
    """The RTL and the model differ.

    Members
    -------
    sample : int
        Index of the sample in the run.
    text : str
        The first difference and the records before it.
    """

    def __init__(self, sample, text):
        super().__init__(f"sample {sample}: {text}")
        self.sample = sample
        self.text = text


def _place(record):
    return f"tick {record['tick']}, neuron {record['neuron']}"


def _line(index, record):
    state = ", ".join(f"{name} {record[name]}" for name in STATE)
    return f"  record {index}, {_place(record)}: {state}"


def _describe(rtl, model, index):
    """Return the sentence on the first difference, which is at ``index``."""
    got = rtl[index] if index < len(rtl) else None
    want = model[index] if index < len(model) else None
    if want is None or (got is not None and tuple(got[list(KEY)]) < tuple(want[list(KEY)])):
        rest = f"the model's next record is at {_place(want)}" if want is not None else (
            "the model has no more records")
        return f"record {index}, {_place(got)}: is not in the model; {rest}"
    if got is None or tuple(want[list(KEY)]) < tuple(got[list(KEY)]):
        rest = f"the RTL's next record is at {_place(got)}" if got is not None else (
            "the RTL has no more records")
        return f"record {index}, {_place(want)}: is missing; {rest}"
    parts = (f"{name} is {got[name]}, the model says {want[name]}"
             for name in STATE if got[name] != want[name])
    return f"record {index}, {_place(got)}: " + "; ".join(parts)


def first_difference(rtl, model):
    """Return the text on the first record that differs, None where all are equal.

    Parameters
    ----------
    rtl, model : arrays of `TRACE`, sorted by tick and neuron

    Examples
    --------
    >>> model = np.array([(40, 7, 0, 310, 5, 0)], TRACE)
    >>> rtl = np.array([(40, 7, 0, 311, 5, 0)], TRACE)
    >>> print(first_difference(rtl, model))
    record 0, tick 40, neuron 7: p is 311, the model says 310
    """
    shared = min(len(rtl), len(model))
    unequal = np.flatnonzero(rtl[:shared] != model[:shared])
    if not unequal.size and len(rtl) == len(model):
        return None
    index = int(unequal[0]) if unequal.size else shared
    before = [_line(i, model[i]) for i in range(max(0, index - BEFORE), index)]
    if before:
        before.insert(0, f"the {len(before)} records before it, equal in both:")
    return "\n".join([_describe(rtl, model, index), *before])


def spikes_of(trace):
    """Return (spikes, 2) ticks and neurons of the records that fired."""
    fired = np.flatnonzero(trace["fired"])  # copying whole records takes far longer
    return np.stack([trace["tick"][fired], trace["neuron"][fired]], axis=1)


def _check_spikes(spikes, trace):
    want = spikes_of(trace)
    shared = min(len(spikes), len(want))
    unequal = np.flatnonzero(np.any(spikes[:shared] != want[:shared], axis=1))
    if not unequal.size and len(spikes) == len(want):
        return None
    index = int(unequal[0]) if unequal.size else shared
    got, want = ("no spike" if index >= len(s) else f"tick {s[index][0]}, neuron {s[index][1]}"
                 for s in (spikes, want))
    return f"output spike {index} is {got}, the model says {want}"


def check_run(run, trace, scores, decision, counters, *, sample=0):
    """Check a run of the RTL against what the model says.

    Parameters
    ----------
    run : Run
    trace : array of `TRACE`
    scores : (outputs,) int64
    decision : int
    counters : mapping of str to int
        Counters that the RTL must agree on; the run may have more.
    sample : int
        Index that the error names.

    Raises
    ------
    MismatchError
        At the first difference: records, then output spikes, readout values, decision, counters.
    """
    text = first_difference(run.trace, trace) or _check_spikes(run.spikes, trace)
    if text is None and not np.array_equal(run.scores, scores):
        text = f"readout values are {run.scores.tolist()}, the model says {scores.tolist()}"
    if text is None and run.decision != decision:
        text = f"decision is {run.decision}, the model says {decision}"
    if text is None:
        text = "; ".join(f"counter {name} is {run.counters[name]}, the model says {value}"
                         for name, value in counters.items() if run.counters[name] != value)
    if text:
        raise MismatchError(sample, text)


class Scoreboard:
    """Compares one sample's records with the model's tick by tick, as they come.

    Parameters
    ----------
    expected : array of `TRACE` or None
        The model's records, sorted; None to take records without comparing.
    sample : int
        Index that errors name.

    Members
    -------
    records : list of tuples
        What was taken up to the last `flush`, in the fields' order of `TRACE`, sorted.
    """

    def __init__(self, expected, *, sample=0):
        self._expected = expected
        self._sample = sample
        self._tick = 0
        self._pending = []
        self.records = []

    def take(self, record):
        """Take one record; those of the ticks before its own are compared.

        Raises
        ------
        MismatchError
            If a tick that is over differs, or ``record`` belongs to one that is over.
        """
        if record[0] < self._tick:
            index = len(self.records) + len(self._pending)
            raise MismatchError(self._sample, f"record {index} goes back from tick {self._tick} "
                                f"to tick {record[0]}")
        if record[0] > self._tick:
            self.flush(record[0])
        self._pending.append(record)

    def flush(self, tick):
        """Compare the records of the ticks before ``tick``; none of them may follow."""
        start = len(self.records)
        self.records += sorted(self._pending)
        self._pending = []
        self._tick = tick
        if self._expected is None:
            return
        stop = int(np.searchsorted(self._expected["tick"], tick))
        if self._expected[start:stop].tolist() != self.records[start:]:
            text = first_difference(np.array(self.records, TRACE), self._expected[:stop])
            raise MismatchError(self._sample, text)
