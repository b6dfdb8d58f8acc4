"""Streams: the RTL against the model, whose ticks never wrap."""
import numpy as np
import pytest

from ranvier.hw.state import StateMemory
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.parameters import Parameters
from ranvier.model.tables import make_tables
from ranvier.sim.compare import MismatchError
from ranvier.sim.cosim import CocotbSimulator
from ranvier.sim.cxxrtl import CxxrtlSimulator
from ranvier.sim.simulation import check_results

from ..designs import random_parameters, random_windows, stream_config

NARROW = {"guard_bits": 8, "trace_bits": 18}  # traces that saturate
CASES = {
    "first spike": {"readout": "first-spike", "synapse": "exponential", "banks": 1},
    "spike count": {"readout": "spike-count", "synapse": "exponential", "banks": 3, **NARROW},
    "leaky": {"readout": "leaky", "synapse": "exponential", "banks": 2, "neurons": 7},
    "leaky alone": {"readout": "leaky", "neurons": 2, "outputs": 2},
    "jump": {"readout": "spike-count", "synapse": "jump", "banks": 2},
    "cursors": {"readout": "first-spike", "synapse": "exponential", "banks": 2, "buffer": "cursor",
                "cursors": 1024, "delay_max": 120},
    "dense, axonal": {"readout": "first-spike", "rows": "dense", "delays": "axonal", "segments": 2},
}


def draw(name, index):
    """Return the config of a case, and parameters, windows and what the model says of them."""
    rng = np.random.default_rng(sorted(CASES).index(name))
    config = stream_config(rng, **({"neurons": 8, "outputs": 3} | CASES[name]))
    rng = np.random.default_rng([index, 7])
    parameters = random_parameters(rng, config, recurrent=bool(index % 2))
    windows = random_windows(rng, config, 60)
    return parameters, *zip(*windows, strict=True), emulate(parameters, windows)


def emulate(parameters, windows):
    stream = Emulator(parameters).stream()
    return [stream.run(events, ticks) for events, ticks in windows]


@pytest.mark.parametrize("name", CASES)
def test_rtl_and_model_agree_on_random_streams(builds, name):
    simulator = None
    for index, stall in enumerate((0.0, 0.2, 0.7, 0.0)):
        parameters, windows, lengths, results = draw(name, index)
        simulator = simulator or CxxrtlSimulator(parameters, builds)
        simulator.load(parameters)
        runs = simulator.run(windows, expected=results, lengths=lengths, stall=stall, seed=index)
        assert sum(lengths) > 3 << parameters.config.tick_bits
        assert all(run.counters["errors"] == 0 for run in runs)


@pytest.mark.parametrize("name", ["leaky", "cursors"])
def test_verilator_and_model_agree_on_random_streams(builds, name):
    parameters, windows, lengths, results = draw(name, 1)
    simulator = CocotbSimulator(parameters, builds)
    runs = simulator.run(windows[:20], expected=results[:20], lengths=lengths[:20], stall=0.3)
    check_results(runs, results[:20])


def listener(**fixed):
    """Return parameters of one neuron that listens to one channel and never fires."""
    config = stream_config(np.random.default_rng(1), inputs=1, neurons=1, outputs=1, banks=1,
                           readout="first-spike", trace_bits=24, guard_bits=13, delay_max=1,
                           tau_s=2.0, tau_m=10.0, tau_a=20.0, **fixed)
    return Parameters(
        config=config, row_start=np.array([0, 1, 1]), target=np.zeros(1, np.int32),
        weight=np.full(1, 127, np.int32), delay=np.ones(1, np.int32),
        theta0=np.full(1, config.trace_top), beta=np.zeros(1, np.int64),
        tables=make_tables(config))


def cut(ticks, length):
    """Return one channel's events at ``ticks`` in windows of ``length``."""
    ticks = np.asarray(ticks)
    windows = []
    for start in range(0, ticks[-1] + 1, length):
        inside = ticks[(ticks >= start) & (ticks < start + length)] - start
        windows.append((TickEvents(ticks=inside, channels=np.zeros(inside.size, np.int32)), length))
    return windows


def gaps_around(config):
    """Return gaps between touches around the ends of tables, ageing, and rounds of ticks."""
    turn, word = 1 << config.tick_bits, config.forgets_after
    middles = [word - 128, word - 64, word, word + config.ticks, turn - word, turn, 2 * turn,
               turn + word, 3 * turn]
    return [middle + more for middle in middles for more in (-2, -1, 0, 1, 2)]


def run_gaps(parameters, folder):
    """Touch a neuron after each of these gaps, from each tick of a window."""
    config = parameters.config
    gaps = gaps_around(config)
    simulator = CxxrtlSimulator(parameters, folder)
    for offset in range(0, config.ticks, 3):
        windows = cut(np.cumsum([offset, *gaps]), config.ticks)
        results = emulate(parameters, windows)
        assert sum(len(result.trace) for result in results) == len(gaps) + 1
        simulator.run([events for events, _ in windows], expected=results)


@pytest.mark.parametrize("kind", [{"synapse": "exponential", "adaptive": True},
                                  {"synapse": "jump", "adaptive": False}])
def test_a_neuron_that_rested_for_any_number_of_rounds_is_at_rest(builds, kind):
    run_gaps(listener(**kind), builds)


@pytest.mark.parametrize("fault", ["never", "too early"])
def test_ageing_never_or_too_early_is_seen(builds, monkeypatch, fault):
    if fault == "never":
        monkeypatch.setattr(StateMemory, "_age", lambda self, *others: None)
    parameters = listener(synapse="exponential", adaptive=False)
    if fault != "never":
        right = StateMemory._age

        def early(self, *others):
            kind = type(parameters.config)
            stated = kind.forgets_after
            with monkeypatch.context() as patch:
                patch.setattr(kind, "forgets_after",
                              property(lambda config: stated.fget(config) // 2))
                right(self, *others)

        monkeypatch.setattr(StateMemory, "_age", early)
    with pytest.raises(MismatchError):
        run_gaps(parameters, builds)


def test_a_run_begins_at_rest(builds):
    parameters, windows, lengths, results = draw("first spike", 1)
    simulator = CxxrtlSimulator(parameters, builds)
    for _ in range(2):
        simulator.run(windows[:5], expected=results[:5], lengths=lengths[:5])
