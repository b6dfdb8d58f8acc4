import numpy as np
import pytest

from ranvier.model.counters import COUNTERS, LOOKS, SATURATIONS, SPIKES, SYNAPTIC_EVENTS
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents

from .. import naive
from ..designs import random_events, random_parameters, random_windows, stream_config

NOTHING = TickEvents(ticks=np.zeros(0, np.int64), channels=np.zeros(0, np.int32))


def draw(seed, **fixed):
    rng = np.random.default_rng([3, seed])
    narrow = {"guard_bits": 8, "trace_bits": 18} if seed % 2 else {}  # traces that saturate
    config = stream_config(rng, **narrow, **fixed)
    return (random_parameters(rng, config, recurrent=seed % 4 < 2),
            random_windows(rng, config, 40))


def run(parameters, windows):
    stream = Emulator(parameters).stream()
    return [stream.run(events, ticks) for events, ticks in windows]


@pytest.mark.parametrize("seed", range(30))
def test_a_stream_equals_the_polling_oracle(seed):
    parameters, windows = draw(seed)
    wanted = naive.stream(parameters, [(e.ticks, e.channels, ticks) for e, ticks in windows])
    for result, (records, decision, counters) in zip(
            run(parameters, windows), wanted, strict=True):
        assert result.trace.tolist() == records
        assert result.decision == decision
        assert result.counters.tolist() == counters


def test_random_streams_reach_every_rule():
    total, gaps, lengths = np.zeros(COUNTERS, np.int64), [], set()
    for seed in range(30):
        parameters, windows = draw(seed)
        last, start = np.zeros(parameters.config.neurons, np.int64), 0
        for result, (_, ticks) in zip(run(parameters, windows), windows, strict=True):
            total += result.counters
            lengths.add(ticks)
            for record in result.trace:
                tick = start + record["tick"]
                gaps.append((tick - last[record["neuron"]]) / (1 << parameters.config.tick_bits))
                last[record["neuron"]] = tick
            start += ticks
    for column, least in ((SATURATIONS, 100), (SPIKES, 2000), (LOOKS, 200)):
        assert total[column] > least
    assert {0, 1} < lengths
    assert sum(gap > 1 for gap in gaps) > 100  # rounds of the tick numbers
    assert max(gaps) > 3


def test_with_cursors_each_synaptic_event_counts_in_the_window_in_which_it_is_sent():
    parameters, windows = draw(2, buffer="cursor", cursors=64, delay_max=50)
    windows += [(NOTHING, parameters.config.ticks)] * 10
    results = run(parameters, windows)
    sent = [int(result.counters[SYNAPTIC_EVENTS]) for result in results]
    pushed = [counters[SYNAPTIC_EVENTS] for _, _, counters in naive.stream(
        parameters, [(e.ticks, e.channels, ticks) for e, ticks in windows])]
    assert sum(sent) == sum(pushed)
    assert np.all(np.cumsum(sent) <= np.cumsum(pushed))
    assert sent != pushed


def test_a_window_of_a_fresh_stream_is_a_sample():
    rng = np.random.default_rng(4)
    config = stream_config(rng)
    parameters, events = random_parameters(rng, config), random_events(rng, config, rate=0.2)
    emulator = Emulator(parameters)
    stream, sample = emulator.stream(), emulator.run(events)
    result = stream.run(events)
    assert result.trace.tolist() == sample.trace.tolist()
    assert result.counters.tolist() == sample.counters.tolist()
    assert stream.tick == config.ticks


def test_a_window_with_more_touches_than_expected_is_run_once():
    rng = np.random.default_rng(5)
    config = stream_config(rng, neurons=60, inputs=1, synapses=4000, fan_in=200)
    parameters = random_parameters(rng, config)
    windows = [(random_events(rng, config, rate=0.1), config.ticks) for _ in range(4)]
    results = run(parameters, windows)
    assert any(len(result.trace) > 64 * (len(events) + 16)
               for result, (events, _) in zip(results, windows, strict=True))
    wanted = naive.stream(parameters, [(e.ticks, e.channels, ticks) for e, ticks in windows])
    assert [r.trace.tolist() for r in results] == [records for records, _, _ in wanted]


def test_what_is_no_window_is_refused():
    rng = np.random.default_rng(6)
    config = stream_config(rng, ticks=30)
    stream = Emulator(random_parameters(rng, config)).stream()
    with pytest.raises(ValueError, match=r"^Window must have 0 to 30 ticks, not 31$"):
        stream.run(NOTHING, 31)
    late = TickEvents(ticks=np.array([9]), channels=np.array([0], np.int32))
    with pytest.raises(ValueError, match=r"^Input events must lie in ticks 0 to 8 of their window, "
                                          r"not 9$"):
        stream.run(late, 9)
