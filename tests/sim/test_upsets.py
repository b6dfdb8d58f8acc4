import numpy as np
import pytest

from ranvier.hw.images import weight_flips
from ranvier.model.emulator import Emulator
from ranvier.model.upsets import NO_UPSETS, UPSET, Site, dead_weights, site_bits
from ranvier.sim import toolchain
from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator

from ..strategies import core_configs, random_pairs
from ..upsets import random_upsets

CONFIGS = core_configs()
SMALL = 4  # exponential, adaptive, two banks
SIMULATORS = ("verilator", pytest.param("icarus", marks=pytest.mark.skipif(
    toolchain.find("iverilog").path is None, reason="Icarus isn't installed")))


def upset_runs(simulator, pair, upsets, **options):
    """Run a pair's stimulus once for each array of upsets, and compare; return the results."""
    emulator = Emulator(pair.parameters)
    results = [emulator.run(pair.events, upsets=each) for each in upsets]
    simulator.load(pair.parameters)
    runs = simulator.run([pair.events] * len(upsets), expected=results, upsets=upsets, **options)
    assert all(run.counters["overflows"] == run.counters["errors"] == 0 for run in runs)
    return results


@pytest.mark.parametrize("index", range(len(CONFIGS)))
def test_rtl_and_model_agree_under_random_upsets(builds, index):
    config, changed = CONFIGS[index], 0
    pairs = random_pairs(config, 6, seed=index)
    simulator = CxxrtlSimulator(pairs[0].parameters, builds)
    for n, pair in enumerate(pairs):
        rng = np.random.default_rng([index, n])
        upsets = [random_upsets(rng, config, pair.result) for _ in range(20)]
        results = upset_runs(simulator, pair, upsets, stall=(0.0, 0.3)[n % 2], seed=n)
        changed += sum(not np.array_equal(result.trace, pair.result.trace) for result in results)
    assert changed > 60


def test_an_upset_of_any_word_at_any_tick_is_seen(builds):
    """Whatever the memories have just been read or written for, and before and after any touch."""
    config = CONFIGS[SMALL]
    pair = random_pairs(config, 2, seed=3)[1]
    rng = np.random.default_rng(4)
    upsets = [np.array([(tick, site, rng.integers(config.neurons), 1 << int(rng.integers(bits)))],
                       UPSET)
              for tick in range(config.ticks) for site, bits in site_bits(config).items()]
    results = upset_runs(CxxrtlSimulator(pair.parameters, builds), pair, upsets)
    for site in Site:
        changed = [not np.array_equal(result.trace, pair.result.trace)
                   for result, upset in zip(results, upsets, strict=True)
                   if upset["site"][0] == site]
        assert sum(changed) > 30


def test_upsets_of_a_sample_leave_the_next_one_alone(builds):
    pair = random_pairs(CONFIGS[SMALL], 2)[1]
    last = np.array([(CONFIGS[SMALL].ticks - 1, site, 0, 1) for site in Site], UPSET)
    first = np.array([(0, Site.P, 0, 1 << 12)], UPSET)
    upset_runs(CxxrtlSimulator(pair.parameters, builds), pair,
               [last, NO_UPSETS, first, last, first, NO_UPSETS])


def test_upsets_that_are_no_upsets_are_refused(builds):
    pair = random_pairs(CONFIGS[SMALL], 1)[0]
    simulator = CxxrtlSimulator(pair.parameters, builds)
    with pytest.raises(ValueError, match=r"^Upsets must be given for 1 samples, not for 2$"):
        simulator.run([pair.events], upsets=[NO_UPSETS] * 2)
    with pytest.raises(ValueError, match=r"^Upset 0 must have a mask from 1 to "):
        simulator.run([pair.events], upsets=[np.array([(0, 0, 0, 0)], UPSET)])


@pytest.mark.parametrize("name", SIMULATORS)
@pytest.mark.parametrize("index", [SMALL, 13])
def test_deposits_under_cocotb_replay_as_in_the_model(builds, name, index):
    config = CONFIGS[index]
    pair = random_pairs(config, 2, seed=index)[1]
    rng = np.random.default_rng(index)
    upsets = [random_upsets(rng, config, pair.result, count=20) for _ in range(3)]
    upsets.insert(2, NO_UPSETS)
    simulator = CocotbSimulator(pair.parameters, builds, simulator=name)
    results = upset_runs(simulator, pair, upsets, stall=0.2)
    assert not np.array_equal(results[0].trace, pair.result.trace)


@pytest.mark.parametrize("index", [SMALL, 15, 16])  # the last two with dense rows
def test_dead_neurons_replay_as_in_the_model(builds, index):
    pair = random_pairs(CONFIGS[index], 2, seed=index)[1]
    dead = [0, CONFIGS[index].neurons - 1]
    weight = dead_weights(pair.parameters, dead)
    result = Emulator(pair.parameters).run(pair.events, weight=weight)
    touches = result.trace[np.isin(result.trace["neuron"], dead)]
    assert not np.any(touches["fired"])
    assert not np.any(touches["p"])
    CxxrtlSimulator(pair.parameters, builds).run(
        [pair.events] * 2, expected=[result, pair.result],
        flips=[weight_flips(pair.parameters, weight), ()])
    assert not np.array_equal(result.trace, pair.result.trace)
