from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ranvier.hw.core import NeuronCore
from ranvier.hw.images import synapse_places
from ranvier.model.arithmetic import MARGIN
from ranvier.model.counters import COUNTERS
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.model.tables import make_tables
from ranvier.sim import cxxrtl
from ranvier.sim.compare import MismatchError
from ranvier.sim.cxxrtl import CxxrtlSimulator, build, source
from ranvier.sim.simulation import COMPARED, HangError, check_results

from ..designs import random_config
from ..strategies import core_configs, random_pairs

CONFIGS = core_configs()
PAIRS = 25  # for each of the 18 configs
STALLS = (0.0, 0.2, 0.7)


@pytest.fixture(scope="module")
def folder(builds):
    """A folder with every core compiled, two at a time."""
    texts = [source(NeuronCore(config)) for config in CONFIGS]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda text: build(text, builds), texts))
    return builds


@pytest.mark.parametrize("index", range(len(CONFIGS)))
def test_rtl_model_and_oracle_agree_on_random_networks(folder, index):
    pairs = random_pairs(CONFIGS[index], PAIRS, seed=index)
    simulator = CxxrtlSimulator(pairs[0].parameters, folder)
    for n, pair in enumerate(pairs):
        simulator.load(pair.parameters)
        run, = simulator.run([pair.events], expected=[pair.result], stall=STALLS[n % 3], seed=n)
        assert run.counters["errors"] == run.counters["overflows"] == 0


def test_random_networks_reach_every_rule():
    """The comparison above would be empty if nothing fired, slept or saturated."""
    total = np.zeros(COUNTERS, np.int64)
    decisions = set()
    for index, config in enumerate(CONFIGS):
        for pair in random_pairs(config, 5, seed=index):
            total += pair.result.counters
            decisions.add((config.readout, pair.result.decision))
    for name, least in {"saturations": 100, "touches": 10_000, "spikes": 2000, "looks": 300,
                        "input_events": 2000, "synaptic_events": 50_000}.items():
        assert total[COMPARED[name]] >= least, name
    assert len(decisions) >= 7


def test_stalls_change_nothing_but_the_cycles(folder):
    pair = random_pairs(CONFIGS[5], 2)[1]
    simulator = CxxrtlSimulator(pair.parameters, folder)
    free, held, again, *others = (
        simulator.run([pair.events], stall=stall, seed=seed)[0]
        for stall, seed in ((0.0, 0), (0.5, 1), (0.5, 1), *((0.5, seed) for seed in range(2, 10))))
    check_results([free, held, again, *others], [pair.result] * (3 + len(others)))
    assert held.counters["cycles"] > free.counters["cycles"]
    assert held.counters["cycles"] == again.counters["cycles"]
    # Two seeds may well take as many cycles as one another; not all of them.
    assert any(held.counters["cycles"] != other.counters["cycles"] for other in others)


def test_flipped_weights_replay_as_in_the_model(folder):
    pair = random_pairs(CONFIGS[4], 2)[1]
    parameters = pair.parameters
    synapse, bit = 11, parameters.config.weight_bits - 1
    bank, address = (int(place[synapse]) for place in synapse_places(parameters))
    weight = parameters.weight.copy()
    weight[synapse] ^= -1 << bit
    flipped = Emulator(parameters).run(pair.events, weight=weight)
    simulator = CxxrtlSimulator(parameters, folder)
    runs = simulator.run([pair.events] * 3, expected=[pair.result, flipped, pair.result],
                         flips=[[], [(bank, address, bit)], []])
    assert not np.array_equal(runs[0].trace, runs[1].trace)


def test_the_first_difference_stops_a_run(folder):
    pairs = random_pairs(CONFIGS[0], 2)
    simulator = CxxrtlSimulator(pairs[1].parameters, folder)
    trace = pairs[1].result.trace
    tick, neuron = trace[["tick", "neuron"]][30]
    trace["p"][30] += 1
    with pytest.raises(MismatchError, match=rf"^sample 0: record 30, tick {tick}, neuron {neuron}: "
                                            rf"p is {trace['p'][30] - 1}, the model says "
                                            rf"{trace['p'][30]}\nthe 10 records before it"):
        simulator.run([pairs[1].events] * 2, expected=[pairs[1].result] * 2)


@pytest.mark.parametrize(("limit", "text"), [
    ("quiet_limit", "sample 0: the core moved no word for 200 cycles"),
    ("word_limit", "sample 0: the core sent more than 200 words"),
])
def test_a_core_that_hangs_is_told_and_replaced(folder, monkeypatch, limit, text):
    pair = random_pairs(CONFIGS[1], 5)[4]
    silent = TickEvents(ticks=np.zeros(0, np.int64), channels=np.zeros(0, np.int32))
    monkeypatch.setattr(cxxrtl, limit, lambda config: 200)
    simulator = CxxrtlSimulator(pair.parameters, folder)
    stalled = silent if limit == "quiet_limit" else pair.events
    with pytest.raises(HangError) as error:
        simulator.run([stalled], stall=0.999 if limit == "quiet_limit" else 0.0)
    assert str(error.value) == text
    simulator.run([silent])


def test_neurons_that_never_sleep_are_no_hang(builds):
    """Thresholds below the sleep rule's margin: all neurons look in every tick, and no word."""
    config = random_config(
        np.random.default_rng(0), neurons=3, outputs=3, inputs=1, readout="first-spike", banks=1,
        synapse="exponential", ticks=3000, tick=0.5, weight_bits=4, trace_bits=24, guard_bits=6,
        delay_max=1, fan_in=1, synapses=3)  # fmt: skip
    parameters = Parameters(
        config=config, row_start=np.array([0, 3, 3, 3, 3]), target=np.arange(3, dtype=np.int32),
        weight=np.full(3, -1, np.int32), delay=np.ones(3, np.int32), theta0=np.full(3, MARGIN - 1),
        beta=np.zeros(3, np.int64), tables=make_tables(config))  # fmt: skip
    once = TickEvents(ticks=np.zeros(1, np.int64), channels=np.zeros(1, np.int32))
    result = Emulator(parameters).run(once)
    assert result.counters[COMPARED["looks"]] > 8000
    run, = CxxrtlSimulator(parameters, builds).run([once], expected=[result])
    assert run.counters["cycles"] > 10_000 + 16 * config.ticks


def test_parameters_of_another_shape_are_refused(folder):
    pairs = [random_pairs(CONFIGS[index], 1)[0] for index in (0, 1)]
    simulator = CxxrtlSimulator(pairs[0].parameters, folder)
    with pytest.raises(ValueError, match=r"^Parameters must have the core's config"):
        simulator.load(pairs[1].parameters)


def test_errors_of_the_tools_are_told(tmp_path):
    with pytest.raises(RuntimeError, match=r"^Yosys must read the core, and failed: .*ERROR"):
        build("this is no RTLIL", tmp_path)
    with pytest.raises(RuntimeError, match=r"^g\+\+ must compile the core, and failed: .*error"):
        build("module \\other\nend\n", tmp_path)
    assert not list(tmp_path.iterdir())
