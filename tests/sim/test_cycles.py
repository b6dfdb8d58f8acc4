"""The cycle model against the RTL, and its constants against those of the units."""

import numpy as np
import pytest
from amaranth.hdl import Fragment

from ranvier.hw import payloads, scheduler
from ranvier.hw.integrator import Integrator
from ranvier.hw.neuron import NeuronUnit
from ranvier.hw.readout import Readout
from ranvier.hw.registers import RegisterFile
from ranvier.model import bank, schedule
from ranvier.model.cycles import CycleModel
from ranvier.sim.cxxrtl import CxxrtlSimulator

from ..designs import random_config, random_events, random_parameters
from ..strategies import core_configs

SMALL = core_configs()
LARGE = random_config(  # several chunks of marks, outputs beside neurons, looks
    np.random.default_rng(7), banks=1, neurons=40, outputs=5, readout="leaky", fan_in=64,
    synapse="exponential", synapses=2000, delay_max=150, ticks=200)
DENSE = random_config(
    np.random.default_rng(8), banks=1, neurons=24, outputs=3, readout="spike-count",
    synapse="exponential", rows="dense", delays="axonal", segments=2, synapses=4000, fan_in=64)
SUMS = random_config(
    np.random.default_rng(9), banks=1, neurons=20, outputs=3, readout="first-spike",
    synapse="exponential", delays="axonal+dendritic", segments=2, synapses=4000, fan_in=64)


def cursors(seed, count, **fixed):
    """Return a config of one bank with ``count`` cursors."""
    return random_config(np.random.default_rng(seed), banks=1, buffer="cursor", cursors=count,
                         synapses=4000, fan_in=64, **fixed)


CURSORS = {
    "stretches": cursors(10, 512, neurons=20, outputs=3, readout="leaky", synapse="exponential",
                         delay_max=70, ticks=200),
    "laps": cursors(11, 16384, neurons=8, outputs=2, readout="first-spike", synapse="jump",
                    delay_max=2500, ticks=4000),
    "lost": cursors(12, 8, neurons=10, outputs=2, readout="spike-count", synapse="exponential",
                    delay_max=90),
    "rows, lost": cursors(13, 64, neurons=20, outputs=3, readout="first-spike",
                          synapse="exponential", rows="dense", delays="axonal", segments=2,
                          delay_max=90),
    "rows, laps": cursors(15, 16384, neurons=8, outputs=3, readout="leaky", synapse="jump",
                          delays="axonal+dendritic", segments=4, delay_max=1900,
                          dendritic_max=20, ticks=2500),
}
STALL = 0.1
TOLERANCE = 0.02


def made(unit):
    """Return a unit that is elaborated: Amaranth warns of those that aren't."""
    Fragment.get(unit, None)
    return unit


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
def test_constants_are_those_of_the_units(synapse):
    config = random_config(np.random.default_rng(0), synapse=synapse, readout="leaky", neurons=9)
    unit = made(NeuronUnit(config=config))
    assert bank.IGNORED_CYCLES == unit.ignored_cycles
    assert unit.cycles() == bank.VISIT_CYCLES[synapse]
    if synapse == "exponential":
        assert unit.cycles(forever=False) == (
            bank.VISIT_CYCLES[synapse] + bank.SEARCH_CYCLES + config.wake_bits)
    assert bank.INTEGRATION_CYCLES == Integrator.cycles
    assert bank.GROUP == payloads.GROUP
    assert schedule.LOOK_CYCLES == scheduler.LOOK_CYCLES
    readout = made(Readout(config=config))
    registers = made(RegisterFile(config=config, value_shape=readout.value_shape))
    assert config.counting_cycles == registers.latency + 1  # that of banks
    assert schedule.RANKING_CYCLES + config.outputs == readout.finish_cycles


def compare(config, folder, seed, stall=0.0):
    """Return cycles, latency and lost spikes of the model and of the RTL, (samples, 3) each."""
    predicted, measured, simulator = [], [], None
    for n in range(6):
        rng = np.random.default_rng([seed, n])
        parameters = random_parameters(rng, config, recurrent=bool(n % 2))
        samples = [random_events(rng, config) for _ in range(2)]
        found = CycleModel(parameters).run(samples, stall=stall, seed=n)
        predicted += zip(found.cycles, found.latency, found.counts["lost"], strict=True)
        simulator = simulator or CxxrtlSimulator(parameters, folder)
        simulator.load(parameters)
        for sample in samples:
            run, = simulator.run([sample], stall=stall, seed=n)
            measured.append((run.counters["cycles"], simulator.latency, run.counters["dropped"]))
    return np.array(predicted), np.array(measured)


@pytest.mark.parametrize("index", range(8))
def test_one_bank_takes_the_predicted_cycles_exactly(builds, index):
    config = [*SMALL[:4], LARGE, DENSE, SUMS, SMALL[16]][index]
    assert config.banks == 1
    predicted, measured = compare(config, builds, index)
    assert predicted.tolist() == measured.tolist()
    assert np.ptp(measured[:, 0]) > 1000


@pytest.mark.parametrize("name", CURSORS)
def test_cursors_take_the_predicted_cycles_exactly(builds, name):
    predicted, measured = compare(CURSORS[name], builds, len(name))
    assert predicted.tolist() == measured.tolist()
    assert np.ptp(measured[:, 0]) > 1000
    assert measured[:, 2].any() == ("lost" in name)


@pytest.mark.parametrize("index", [4, 8, 10, 13, 17, 18])
def test_several_banks_take_the_predicted_cycles_and_with_stalls_about_as_many(builds, index):
    config = SMALL[index]
    assert config.banks > 1
    predicted, measured = compare(config, builds, index)
    assert predicted.tolist() == measured.tolist()
    predicted, measured = compare(config, builds, index, STALL)
    assert predicted.sum(axis=0) == pytest.approx(measured.sum(axis=0), rel=TOLERANCE)
