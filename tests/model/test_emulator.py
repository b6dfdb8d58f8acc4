import dataclasses

import numpy as np
import pytest

from ranvier.model.counters import COUNTERS, LOOKS, SATURATIONS, SPIKES, TOUCHES
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.model.tables import make_tables

from .. import naive
from ..designs import random_config, random_events, random_parameters


@pytest.mark.parametrize("seed", range(120))
def test_emulator_equals_the_polling_oracle(seed):
    rng = np.random.default_rng(seed)
    config = random_config(rng)
    parameters = random_parameters(rng, config, recurrent=bool(rng.integers(2)))
    events = random_events(rng, config)
    check_against_the_oracle(parameters, events)


def check_against_the_oracle(parameters, events):
    """Compare all that the emulator says of a sample, in each of its modes."""
    records, decision, counters = naive.count(parameters, events.ticks, events.channels)
    emulator = Emulator(parameters)
    result = emulator.run(events)
    assert [tuple(r) for r in result.trace.tolist()] == records
    assert result.decision == decision
    assert result.counters.tolist() == counters
    counted = emulator.run_batch([events, events], threads=1)
    plain = emulator.run_batch([events, events], threads=1, counters=False)
    for batch in (counted, plain):
        assert batch.decisions.tolist() == [decision] * 2
        assert batch.scores.tolist() == [result.scores.tolist()] * 2
    assert counted.counters.tolist() == [counters] * 2
    assert plain.counters is None
    return result


def drop(parameters, kept):
    """Return a design without the synapses that aren't in the mask ``kept``."""
    row_start = np.concatenate([[0], np.cumsum(kept)])[parameters.row_start]
    arrays = {name: getattr(parameters, name)[kept] for name in ("target", "weight", "delay")}
    return dataclasses.replace(parameters, row_start=row_start.astype(np.int64), **arrays)


@pytest.mark.parametrize("seed", range(18))
def test_several_blocks_equal_the_polling_oracle(seed):
    """Busy blocks with neurons that rest longer than the fine decay table reaches."""
    rng = np.random.default_rng([17, seed])
    readout, synapse = ("first-spike", "spike-count", "leaky")[seed % 3], ("exponential", "jump")
    config = random_config(
        rng, neurons=int(rng.integers(100, 280)), inputs=6, ticks=260, readout=readout,
        synapse=synapse[seed % 4 == 3], synapses=20_000, delay_max=int(rng.choice([3, 30, 300])))
    parameters = random_parameters(rng, config, recurrent=bool(seed % 2))
    source = np.repeat(np.arange(config.sources), np.diff(parameters.row_start))
    quiet = rng.random(config.neurons) < 0.3  # these listen to the first channel alone
    kept = (~quiet[parameters.target] | (source == 0)) & (
        (source < config.inputs) | (rng.random(source.size) < 0.1))
    parameters = drop(parameters, kept)
    rates = np.r_[0.008, rng.choice([0.02, 0.2, 0.5], config.inputs - 1)]
    ticks, channels = np.nonzero(rng.random((config.ticks, config.inputs)) < rates)
    events = TickEvents(ticks=ticks, channels=channels.astype(np.int32))
    check_against_the_oracle(parameters, events)


def test_random_designs_reach_every_rule():
    """The oracle comparison above would be empty if nothing fired, adapted or saturated."""
    total = np.zeros(COUNTERS, np.int64)
    between = adapted = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        config = random_config(rng)
        parameters = random_parameters(rng, config, recurrent=bool(rng.integers(2)))
        result = Emulator(parameters).run(random_events(rng, config))
        total += result.counters
        fired = result.trace[result.trace["fired"] == 1]
        between += np.count_nonzero(fired["q"] == fired["p"])
        adapted += np.count_nonzero(fired["a"] > 0)
    assert total[SATURATIONS] > 100
    assert total[SPIKES] > 2000
    assert between > 500
    assert adapted > 500


@pytest.mark.parametrize("weight", [0, 2047, -2048])
def test_wide_sums_equal_the_oracle(weight):
    """Sixteen arrivals at once, above sums of 28 bits: a number that 32 bits lose."""
    rng = np.random.default_rng(23)
    config = random_config(rng, neurons=2, outputs=1, inputs=16, fan_in=1 << 16, weight_bits=12,
                           trace_bits=24)
    assert 16 << config.sum_bits == 1 << 32
    parameters = random_parameters(rng, config, recurrent=False)
    parameters = dataclasses.replace(
        parameters, weight=np.full(16, weight, np.int32), delay=np.ones(16, np.int32),
        target=np.zeros(16, np.int32), row_start=np.r_[np.arange(17), 16, 16])
    check_against_the_oracle(parameters, TickEvents(ticks=np.full(16, 3),
                                                    channels=np.arange(16, dtype=np.int32)))


def test_the_largest_sums_fit_their_accumulator():
    """Every synapse of a neuron at one tick, at both ends of the weights, 32 bits just full."""
    rng = np.random.default_rng(29)
    for weight in (-128, 127):
        config = random_config(rng, neurons=1, outputs=1, inputs=2048, fan_in=2048, synapses=2048,
                               ticks=70, delay_max=1, readout="spike-count", synapse="exponential")
        assert config.sum_bits + config.fan_in.bit_length() + 1 == 32
        synapses = np.arange(2048)
        parameters = dataclasses.replace(
            random_parameters(rng, config, recurrent=False), target=np.zeros(2048, np.int32),
            row_start=np.r_[synapses, 2048, 2048], weight=np.full(2048, weight, np.int32),
            delay=np.ones(2048, np.int32))
        check_against_the_oracle(parameters, TickEvents(ticks=np.full(2048, 3),
                                                        channels=synapses.astype(np.int32)))


def test_weights_in_place_of_the_designs():
    rng = np.random.default_rng(31)
    config = random_config(rng)
    parameters, events = random_parameters(rng, config), random_events(rng, config)
    weight = rng.integers(-128, 128, parameters.weight.size).astype(np.int32)
    wanted = Emulator(dataclasses.replace(parameters, weight=weight)).run(events)
    emulator = Emulator(parameters)
    np.testing.assert_array_equal(emulator.run(events, weight=weight).trace, wanted.trace)
    batch = emulator.run_batch([events], weight=weight, counters=False)
    assert batch.scores.tolist() == [wanted.scores.tolist()]
    weight[0] = 128
    message = r"Emulator weight must be from -128 to 127, not -\d+ to 128"
    with pytest.raises(ValueError, match=message):
        emulator.run(events, weight=weight)


def test_more_accumulators_than_an_offset_reaches_are_refused():
    rng = np.random.default_rng(37)
    config = random_config(rng, inputs=1, neurons=1 << 16, delay_max=1 << 16)
    parameters = Parameters(
        config=config, row_start=np.r_[0, np.ones(config.sources, np.int64)],
        target=np.zeros(1, np.int32), weight=np.ones(1, np.int32),
        delay=np.full(1, 1 << 16, np.int32), theta0=np.ones(config.neurons, np.int64),
        beta=np.zeros(config.neurons, np.int64), tables=make_tables(config))
    message = r"Emulator must have at most 2\^32 accumulators, not 65537 ticks of"
    with pytest.raises(ValueError, match=message):
        Emulator(parameters)


def test_sleeping_looks_rarely():
    rng = np.random.default_rng(7)
    config = random_config(rng, neurons=10, outputs=2, readout="first-spike", tick=0.1, ticks=4000,
                           synapse="exponential", inputs=8, guard_bits=8, trace_bits=24)
    parameters = random_parameters(rng, config, recurrent=False)
    result = Emulator(parameters).run(random_events(rng, config, rate=0.003))
    touches, looks = result.counters[TOUCHES], result.counters[LOOKS]
    assert touches > 300
    assert looks < config.neurons * config.ticks / 8  # polling looks at each tick


def test_batch_equals_single_runs_on_any_number_of_threads():
    rng = np.random.default_rng(3)
    config = random_config(rng)
    emulator = Emulator(random_parameters(rng, config))
    samples = [random_events(rng, config) for _ in range(40)]
    one, two = (emulator.run_batch(samples, threads=n) for n in (1, 2))
    single = [emulator.run(events) for events in samples]
    for batch in (one, two):
        np.testing.assert_array_equal(batch.decisions, [r.decision for r in single])
        np.testing.assert_array_equal(batch.scores, [r.scores for r in single])
        np.testing.assert_array_equal(batch.counters, [r.counters for r in single])


def test_ties_and_silence_go_to_the_lower_class():
    rng = np.random.default_rng(5)
    for readout in ("first-spike", "spike-count", "leaky"):
        config = random_config(rng, neurons=6, outputs=3, readout=readout)
        silent = TickEvents(ticks=np.zeros(0, np.int64), channels=np.zeros(0, np.int32))
        assert Emulator(random_parameters(rng, config)).run(silent).decision == 0


@pytest.mark.parametrize(("ticks", "channels", "message"), [
    ([3, 2], [0, 0], r"Input event 1 must come after event 0 in \(tick, channel\), not at tick 2"),
    ([3, 3], [0, 0], r"Input event 1 must come after"),
    ([3], [99], r"Input events must lie in ticks 0 to \d+ and channels 0 to"),
])
def test_bad_events_are_refused(ticks, channels, message):
    rng = np.random.default_rng(1)
    emulator = Emulator(random_parameters(rng, random_config(rng)))
    with pytest.raises(ValueError, match=message):
        emulator.run(TickEvents(ticks=np.array(ticks), channels=np.array(channels)))


@pytest.mark.parametrize(("rows", "touched"), [("sparse", True), ("dense", False)])
def test_a_weight_that_a_fault_made_0_is_no_synapse_in_a_dense_row(rows, touched):
    rng = np.random.default_rng(6)
    config = random_config(rng, rows=rows, synapse="jump", delay_max=3)
    parameters, events = random_parameters(rng, config), random_events(rng, config, rate=0.3)
    trace = Emulator(parameters).run(events, weight=np.zeros_like(parameters.weight)).trace
    assert (trace.size > 0) == touched
