import dataclasses

import numpy as np
import pytest

from ranvier.model.events import TRACE
from ranvier.sim.compare import (
    MismatchError,
    Scoreboard,
    check_run,
    first_difference,
    spikes_of,
)
from ranvier.sim.simulation import Run


def trace_of(records, seed=0):
    """Return a model trace: three neurons touched at every tick."""
    rng = np.random.default_rng(seed)
    trace = np.zeros(records, TRACE)
    trace["tick"], trace["neuron"] = np.divmod(np.arange(records), 3)
    trace["fired"] = rng.integers(2, size=records)
    for name in ("p", "q", "a"):
        trace[name] = rng.integers(-400, 400, records)
    return trace


def run_of(trace, **changes):
    run = Run(trace=trace, spikes=spikes_of(trace), decision=1, scores=np.array([5, 3]),
              counters={"cycles": 99, "touches": len(trace)})
    return dataclasses.replace(run, **changes)


def expected_of(trace):
    return {"trace": trace, "scores": np.array([5, 3]), "decision": 1,
            "counters": {"touches": len(trace)}}


def test_the_message_names_the_first_difference_and_ten_records_before():
    model = trace_of(1000)
    model["p"][812] = 310
    rtl = model.copy()
    rtl["p"][812] = 311
    rtl["q"][900] += 1
    text = first_difference(rtl, model).splitlines()
    assert text[0] == "record 812, tick 270, neuron 2: p is 311, the model says 310"
    assert text[1] == "the 10 records before it, equal in both:"
    assert [line.split(",")[0] for line in text[2:]] == [f"  record {n}" for n in range(802, 812)]


def test_equal_traces_have_no_difference():
    assert first_difference(trace_of(50), trace_of(50)) is None
    assert first_difference(trace_of(0), trace_of(0)) is None


@pytest.mark.parametrize("field", ["fired", "p", "q", "a"])
@pytest.mark.parametrize("index", [0, 77, 199])
def test_a_single_changed_word_is_found(field, index):
    model = trace_of(200)
    rtl = model.copy()
    rtl[field][index] ^= 1
    text = first_difference(rtl, model)
    assert text.startswith(f"record {index}, tick {index // 3}, neuron {index % 3}: {field} is ")


@pytest.mark.parametrize(("keep_rtl", "keep_model", "text"), [
    (range(1, 9), range(9), "record 0, tick 0, neuron 0: is missing; the RTL's next record is at "
                            "tick 0, neuron 1"),
    (range(8), range(9), "record 8, tick 2, neuron 2: is missing; the RTL has no more records"),
    (range(9), [0, 1, 3, 4], "record 2, tick 0, neuron 2: is not in the model; the model's next "
                             "record is at tick 1, neuron 0"),
    (range(9), range(5), "record 5, tick 1, neuron 2: is not in the model; the model has no more "
                         "records"),
])
def test_missing_and_extra_records_are_named(keep_rtl, keep_model, text):
    trace = trace_of(9)
    assert first_difference(trace[list(keep_rtl)],
                            trace[list(keep_model)]).splitlines()[0] == text


@pytest.mark.parametrize(("changes", "text"), [
    ({"decision": 0}, "sample 4: decision is 0, the model says 1"),
    ({"scores": np.array([5, 4])}, "sample 4: readout values are [5, 4], the model says [5, 3]"),
    ({"counters": {"touches": 8}}, "sample 4: counter touches is 8, the model says 9"),
    ({"spikes": np.zeros((0, 2), np.int64)}, "sample 4: output spike 0 is no spike, the model "
                                             "says tick 0, neuron 0"),
])
def test_all_that_a_run_gives_is_compared(changes, text):
    trace = trace_of(9)
    check_run(run_of(trace), **expected_of(trace))
    with pytest.raises(MismatchError) as error:
        check_run(run_of(trace, **changes), **expected_of(trace), sample=4)
    assert str(error.value) == text


def deliver(scoreboard, records):
    for record in records:
        scoreboard.take(tuple(record))
    scoreboard.flush(np.inf)


def test_the_scoreboard_takes_any_order_inside_a_tick():
    model = trace_of(30)
    swapped = model.tolist()
    swapped[3], swapped[5] = swapped[5], swapped[3]
    scoreboard = Scoreboard(model)
    deliver(scoreboard, swapped)
    assert scoreboard.records == model.tolist()


def test_the_scoreboard_stops_when_the_tick_is_over():
    model = trace_of(30)
    records = model.tolist()
    records[4] = (*records[4][:3], records[4][3] + 1, *records[4][4:])
    scoreboard = Scoreboard(model, sample=2)
    with pytest.raises(MismatchError, match=r"^sample 2: record 4, tick 1, neuron 1: p is "):
        deliver(scoreboard, records)
    assert len(scoreboard.records) == 6  # ticks 0 and 1


@pytest.mark.parametrize("missing", [2, 29])
def test_the_scoreboard_misses_records(missing):
    model = trace_of(30)
    with pytest.raises(MismatchError, match=rf"record {missing}, .*: is missing"):
        deliver(Scoreboard(model), np.delete(model, missing).tolist())


def test_the_scoreboard_refuses_a_tick_that_goes_back():
    with pytest.raises(MismatchError, match="record 1 goes back from tick 5 to tick 4"):
        deliver(Scoreboard(None), [(5, 0, 0, 0, 0, 0), (4, 0, 0, 0, 0, 0)])
