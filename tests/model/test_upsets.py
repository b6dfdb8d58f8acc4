import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.upsets import NO_UPSETS, UPSET, Site, check_upsets, site_bits

from .. import naive
from ..designs import random_config, random_events, random_parameters
from ..upsets import as_tuples, random_upsets


def upsets_of(*rows):
    return np.array(list(rows), UPSET)


def draw(seed, **fixed):
    """Return parameters, events and what the emulator makes of them, all random."""
    rng = np.random.default_rng(seed)
    parameters = random_parameters(rng, random_config(rng, **fixed))
    events = random_events(rng, parameters.config)
    return rng, parameters, events, Emulator(parameters).run(events)


@pytest.mark.parametrize("seed", range(60))
def test_emulator_and_oracle_agree_under_random_upsets(seed):
    rng, parameters, events, clean = draw(seed)
    upsets = random_upsets(rng, parameters.config, clean)
    result = Emulator(parameters).run(events, upsets=upsets)
    records, decision, counters = naive.count(
        parameters, events.ticks, events.channels, as_tuples(upsets))
    assert result.trace.tolist() == records
    assert result.decision == decision
    assert result.counters.tolist() == counters


def test_random_upsets_change_something():
    """The comparison above would be empty if they were all masked."""
    changed, sites, negative = 0, set(), 0
    for seed in range(60):
        rng, parameters, events, clean = draw(seed)
        upsets = random_upsets(rng, parameters.config, clean)
        trace = Emulator(parameters).run(events, upsets=upsets).trace
        changed += not np.array_equal(trace, clean.trace)
        sites |= set(upsets["site"].tolist())
        negative += np.any(trace["a"] < 0)
    assert changed > 30
    assert sites == set(Site)
    assert negative > 3


def test_a_batch_is_its_samples_upset_one_by_one():
    rng, parameters, _, _ = draw(3, neurons=9, synapse="exponential", readout="spike-count")
    emulator = Emulator(parameters)
    samples = [random_events(rng, parameters.config, rate=0.1) for _ in range(20)]
    upsets = [random_upsets(rng, parameters.config, emulator.run(events)) if n % 3 else NO_UPSETS
              for n, events in enumerate(samples)]
    single = [emulator.run(events, upsets=each)
              for events, each in zip(samples, upsets, strict=True)]
    for counters in (True, False):
        batch = emulator.run_batch(samples, upsets=upsets, counters=counters, threads=2)
        assert batch.scores.tolist() == [result.scores.tolist() for result in single]
        if counters:
            assert batch.counters.tolist() == [result.counters.tolist() for result in single]


def test_a_sum_without_arrivals_is_masked_and_one_that_becomes_0_still_arrives():
    _, parameters, events, clean = draw(8, readout="spike-count", neurons=5)
    config, emulator = parameters.config, Emulator(parameters)
    free = next(tick for tick in range(config.ticks)
                if not np.any((clean.trace["tick"] == tick) & (clean.trace["neuron"] == 0)))
    masked = emulator.run(events, upsets=upsets_of((free, Site.SUM, 0, 1)))
    assert np.array_equal(masked.trace, clean.trace)
    weight = np.full(parameters.weight.size, -1, np.int32)
    trace = emulator.run(events, weight=weight).trace
    ticks, sizes = trace["tick"][trace["neuron"] == 0], set()
    for tick in ticks.tolist():
        for size in (1, 2, 3):  # that many arrivals of -1 would become 0
            struck = upsets_of((tick, Site.SUM, 0, (1 << config.sum_bits) - size))
            after = emulator.run(events, weight=weight, upsets=struck).trace
            after = after[after["neuron"] == 0]
            assert after["tick"].tolist() == ticks.tolist()
            before = trace["p"][(trace["neuron"] == 0) & (trace["tick"] == tick)]
            gained = after["p"][after["tick"] == tick] - before
            sizes |= {size} if gained == size << config.guard_bits else set()
    assert 1 in sizes


def test_the_same_upset_twice_is_none():
    _, parameters, events, clean = draw(11)
    twice = upsets_of((20, Site.P, 0, 12), (20, Site.P, 0, 12))
    assert np.array_equal(Emulator(parameters).run(events, upsets=twice).trace, clean.trace)


@pytest.mark.parametrize(("rows", "text"), [
    ([(5, 0, 0, 1), (4, 0, 0, 1)],
     r"Upset 1 must not be before upset 0, at tick 5, not at tick 4"),
    ([(90, 0, 0, 1)], r"Upset 0 must have a tick from 0 to 89, not 90"),
    ([(-1, 0, 0, 1)], r"Upset 0 must have a tick from 0 to 89, not -1"),
    ([(5, 2, 0, 1)], r"Upset 0 must have a site one of P, Q, SUM, not 2"),
    ([(5, -1, 0, 1)], r"Upset 0 must have a site one of P, Q, SUM, not -1"),
    ([(5, 9, 0, 1)], r"Upset 0 must have a site one of P, Q, SUM, not 9"),
    ([(5, 3, 4, 1), (5, 1, 4, 1)], r"Upset 1 must have a neuron from 0 to 3, not 4"),
    ([(5, 3, 6, 1)], r"Upset 0 must have a neuron from 0 to 5, not 6"),
    ([(5, 0, 0, 0)], r"Upset 0 must have a mask from 1 to 1048575, not 0"),
    ([(5, 3, 0, 1 << 13)], r"Upset 0 must have a mask from 1 to 8191, not 8192"),
])
def test_upsets_that_a_core_has_no_place_for_are_refused(rows, text):
    config = random_config(
        np.random.default_rng(0), ticks=90, neurons=6, outputs=2, readout="leaky", adaptive=False,
        synapse="exponential", trace_bits=20, guard_bits=6)
    with pytest.raises(ValueError, match=f"^{text}$"):
        check_upsets(upsets_of(*rows), config)


def test_upsets_of_another_form_or_of_streams_are_refused():
    rng = np.random.default_rng(1)
    config = random_config(rng)
    with pytest.raises(ValueError, match=r"^Upsets must be a vector of UPSET, not \[\(0, 0"):
        check_upsets([(0, 0, 0, 1)], config)
    streams = random_config(rng, streaming=True, tick=1.0)
    with pytest.raises(ValueError, match=r"^Upsets must be those of samples, not of the windows"):
        check_upsets(upsets_of((0, 0, 0, 1)), streams)
    emulator = Emulator(random_parameters(rng, config))
    with pytest.raises(ValueError, match=r"^Upsets must be given for 1 samples, not for 2$"):
        emulator.run_batch([random_events(rng, config)], upsets=[NO_UPSETS] * 2)


def test_the_words_of_a_core_have_the_widths_that_it_stores():
    config = random_config(np.random.default_rng(2), synapse="jump", adaptive=True)
    assert site_bits(config) == {
        Site.P: config.trace_bits, Site.A: config.trace_bits, Site.SUM: config.sum_bits}


def test_a_neuron_that_sleeps_does_not_see_an_upset():
    """Nobody looks before its next touch, whether looks are counted or not."""
    rng = np.random.default_rng(5)
    config = random_config(rng, synapse="exponential", readout="spike-count", trace_bits=24,
                           guard_bits=6, outputs=2, neurons=10, delay_max=1)
    emulator = Emulator(random_parameters(rng, config))
    once = TickEvents(np.zeros(config.inputs, np.int64), np.arange(config.inputs, dtype=np.int32))
    weight = np.full(emulator.parameters.weight.size, -1, np.int32)
    touched = emulator.run(once, weight=weight)
    assert np.count_nonzero(touched.trace["tick"] == 1) >= 8  # a block is advanced whole
    assert touched.trace["tick"].max() == 1
    # Above any threshold in the next tick, in which it would look unless the rule is followed.
    neuron = int(touched.trace["neuron"].max())
    assert neuron >= config.first_output
    upset = upsets_of((2, Site.P, neuron, 1 << 22))
    assert emulator.run(once, weight=weight, upsets=upset).scores.tolist() == [0, 0]
    for counters in (True, False):
        batch = emulator.run_batch([once], weight=weight, upsets=[upset], counters=counters)
        assert batch.scores.tolist() == [[0, 0]]
