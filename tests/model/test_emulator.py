import numpy as np
import pytest

from ranvier.model import _kernels as kernels
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents

from .. import naive
from ..designs import random_config, random_events, random_parameters


@pytest.mark.parametrize("seed", range(120))
def test_emulator_equals_the_polling_oracle(seed):
    rng = np.random.default_rng(seed)
    config = random_config(rng)
    parameters = random_parameters(rng, config, recurrent=bool(rng.integers(2)))
    events = random_events(rng, config)
    result = Emulator(parameters).run(events)
    records, decision, saturations = naive.run(parameters, events.ticks, events.channels)
    assert [tuple(r) for r in result.trace.tolist()] == records
    assert result.decision == decision
    assert result.counters[kernels.SATURATIONS] == saturations


def test_random_designs_reach_every_rule():
    """The oracle comparison above would be empty if nothing fired, adapted or saturated."""
    total = np.zeros(kernels.COUNTERS, np.int64)
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
    assert total[kernels.SATURATIONS] > 100
    assert total[kernels.SPIKES] > 2000
    assert between > 500
    assert adapted > 500


def test_sleeping_looks_rarely():
    rng = np.random.default_rng(7)
    config = random_config(rng, neurons=10, outputs=2, readout="first-spike", tick=0.1, ticks=4000,
                           synapse="exponential", inputs=8, guard_bits=8, trace_bits=24)
    parameters = random_parameters(rng, config, recurrent=False)
    result = Emulator(parameters).run(random_events(rng, config, rate=0.003))
    touches, looks = result.counters[kernels.TOUCHES], result.counters[kernels.LOOKS]
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
