import numpy as np
import pytest

from ranvier.hw.images import synapse_places
from ranvier.model.emulator import Emulator
from ranvier.sim import cosim, toolchain
from ranvier.sim.compare import MismatchError
from ranvier.sim.cosim import CocotbSimulator, build
from ranvier.sim.simulation import HangError

from ..strategies import core_configs, random_pairs

CONFIGS = core_configs()
# 1 to 4 banks, both synapses, all readouts, with and without adaptation; delays that are sums
CHOSEN = (2, 4, 9, 10, 14, 17)
SIMULATORS = ("verilator", pytest.param("icarus", marks=pytest.mark.skipif(
    toolchain.find("iverilog").path is None, reason="Icarus isn't installed")))


def run_pairs(simulator, pairs, **options):
    """Run pairs of one network each, and of the same core."""
    for pair in pairs:
        simulator.load(pair.parameters)
        run, = simulator.run([pair.events], expected=[pair.result], **options)
        assert run.counters["errors"] == run.counters["overflows"] == 0


@pytest.mark.parametrize("index", CHOSEN)
def test_verilator_model_and_oracle_agree_on_random_networks(builds, index):
    pairs = random_pairs(CONFIGS[index], 5, seed=50 + index)
    simulator = CocotbSimulator(pairs[0].parameters, builds)
    run_pairs(simulator, pairs[:3])
    run_pairs(simulator, pairs[3:], stall=0.4, seed=index)


@pytest.mark.skipif(toolchain.find("iverilog").path is None, reason="Icarus isn't installed")
def test_icarus_model_and_oracle_agree_on_random_networks(builds):
    pairs = random_pairs(CONFIGS[4], 3, seed=70)
    simulator = CocotbSimulator(pairs[0].parameters, builds, simulator="icarus")
    run_pairs(simulator, pairs[:2])
    run_pairs(simulator, pairs[2:], stall=0.4)


@pytest.mark.parametrize("name", SIMULATORS)
def test_deposits_in_the_weight_memory_replay_as_in_the_model(builds, name):
    pair = random_pairs(CONFIGS[4], 2)[1]
    parameters = pair.parameters
    synapse, bit = 11, parameters.config.weight_bits - 1
    bank, address = (int(place[synapse]) for place in synapse_places(parameters))
    weight = parameters.weight.copy()
    weight[synapse] ^= -1 << bit
    flipped = Emulator(parameters).run(pair.events, weight=weight)
    simulator = CocotbSimulator(parameters, builds, simulator=name)
    runs = simulator.run([pair.events] * 3, expected=[pair.result, flipped, pair.result],
                         flips=[[], [(bank, address, bit)], []])
    assert not np.array_equal(runs[0].trace, runs[1].trace)


@pytest.mark.parametrize("name", SIMULATORS)
def test_the_scoreboard_stops_at_a_changed_golden_word(builds, name):
    pairs = random_pairs(CONFIGS[4], 2)
    simulator = CocotbSimulator(pairs[1].parameters, builds, simulator=name)
    trace = pairs[1].result.trace
    tick, neuron = trace[["tick", "neuron"]][30]
    trace["p"][30] += 1
    results = [Emulator(pairs[1].parameters).run(pairs[1].events), pairs[1].result]
    with pytest.raises(MismatchError, match=rf"^sample 1: record 30, tick {tick}, neuron {neuron}: "
                                            rf"p is {trace['p'][30] - 1}, the model says "
                                            rf"{trace['p'][30]}\nthe 10 records before it"):
        simulator.run([pairs[1].events] * 2, expected=results)


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_core_that_hangs_is_told(builds, monkeypatch, name):
    pair = random_pairs(CONFIGS[4], 1)[0]
    monkeypatch.setattr(cosim, "quiet_limit", lambda config: 5)
    simulator = CocotbSimulator(pair.parameters, builds, simulator=name)
    with pytest.raises(HangError, match=r"^sample 0: the core moved no word for 5 cycles$"):
        simulator.run([pair.events])


@pytest.mark.parametrize("name", SIMULATORS)
def test_a_waveform_is_written_where_told(builds, tmp_path, name):
    pair = random_pairs(CONFIGS[2], 2)[1]
    simulator = CocotbSimulator(pair.parameters, builds, simulator=name)
    path = tmp_path / "there" / "core.wave"
    simulator.run([pair.events], expected=[pair.result], waves=path)
    assert path.stat().st_size > 10_000


def test_an_error_of_the_simulator_is_told(tmp_path):
    message = r"^verilator must build the core, and failed: see .*log$"
    with pytest.raises(RuntimeError, match=message):
        build("this is no Verilog", tmp_path, "verilator")
    assert [path.suffix for path in tmp_path.iterdir()] == [".log"]


def test_an_unknown_simulator_is_refused(builds):
    pair, = random_pairs(CONFIGS[4], 1)
    with pytest.raises(ValueError, match=r"^Simulator must be one of verilator, icarus, "
                                         r"not 'vcs'$"):
        CocotbSimulator(pair.parameters, builds, simulator="vcs")
