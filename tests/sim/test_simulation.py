import numpy as np
import pytest

from ranvier.model.events import TickEvents
from ranvier.sim.simulation import StreamError, core_fields, input_words, make_run

from ..designs import random_config


@pytest.fixture
def config():
    return random_config(np.random.default_rng(0), neurons=7, outputs=3, ticks=90, inputs=5)


def words_of(config, port, rows):
    """Return fields of words as arrays, from rows of some of them."""
    names = [field.name for field in core_fields(config)[port]]
    return {name: np.array([row.get(name, 0) for row in rows], np.int64) for name in names}


def run_of(config, spikes, records):
    return make_run(config, words_of(config, "o", spikes), words_of(config, "trace", records),
                    {}, np.zeros(3, np.int64), sample=6)


END = {"tick": 90, "neuron": 2, "last": 1}


def test_input_words_hold_the_events_and_then_the_end(config):
    events = TickEvents(ticks=np.array([3, 89]), channels=np.array([4, 0], np.int32))
    fields = core_fields(config)["i"]
    words = [{f.name: f.of(int(word)) for f in fields} for word in input_words(config, events)]
    assert words == [{"tick": 3, "channel": 4, "last": 0}, {"tick": 89, "channel": 0, "last": 0},
                     {"tick": 90, "channel": 0, "last": 1}]


def test_a_run_is_sorted_inside_a_tick(config):
    rows = [{"tick": 4, "neuron": 6, "p": 1, "fired": 1}, {"tick": 4, "neuron": 2, "p": -2}]
    run = run_of(config, [rows[0], END], [*rows, END])
    assert run.trace.tolist() == [(4, 2, 0, -2, 0, 0), (4, 6, 1, 1, 0, 0)]
    assert run.spikes.tolist() == [[4, 6]]
    assert run.decision == 2


@pytest.mark.parametrize(("spikes", "records", "text"), [
    ([END], [{"tick": 5}, {"tick": 4}, END], "record 1 goes back from tick 5 to tick 4"),
    ([{"tick": 5}, {"tick": 4}, END], [END], "output word 1 goes back from tick 5 to tick 4"),
    ([END, {"tick": 5}], [END], "the output word with last must be word 1, not [0]"),
    ([END], [{"tick": 5}], "the record with last must be word 0, not []"),
    ([{**END, "tick": 89}], [END], "the last output word must be at tick 90, not 89"),
])
def test_streams_that_break_their_contract_are_refused(config, spikes, records, text):
    with pytest.raises(StreamError) as error:
        run_of(config, spikes, records)
    assert str(error.value) == f"sample 6: {text}"
    assert (error.value.run is None) == ("[]" in text)


def test_a_broken_stream_is_read_up_to_its_first_last_word(config):
    with pytest.raises(StreamError) as error:
        run_of(config, [{"tick": 5, "neuron": 1}, {"tick": 4, "neuron": 3},
                        {**END, "tick": 7}, {"tick": 5}, {**END, "neuron": 1}],
               [{"tick": 5, "neuron": 1, "p": 3}, {"tick": 4}, END, {"tick": 6}])
    run = error.value.run
    assert error.value.text == "the output word with last must be word 4, not [2, 4]"
    assert run.decision == 2
    assert run.spikes.tolist() == [[4, 3], [5, 1]]
    assert run.trace.tolist() == [(4, 0, 0, 0, 0, 0), (5, 1, 0, 3, 0, 0)]
