import dataclasses

import numpy as np
import pytest

from ranvier.model.counters import LOOKS, SPIKES, SYNAPTIC_EVENTS, TOUCHES
from ranvier.model.cycles import CycleModel
from ranvier.model.emulator import Emulator
from ranvier.model.events import TickEvents
from ranvier.model.flight import needed_cursors

from ..designs import random_config, random_events, random_parameters


def drawn(seed, **fixed):
    rng = np.random.default_rng(seed)
    config = random_config(rng, **fixed)
    return random_parameters(rng, config), [random_events(rng, config) for _ in range(6)]


@pytest.mark.parametrize("seed", range(8))
def test_it_does_what_the_emulator_does(seed):
    parameters, samples = drawn(seed)
    counts = CycleModel(parameters).run(samples).counts
    counters = Emulator(parameters).run_batch(samples).counters
    assert (counts["touches"] + counts["integrations"]).tolist() == counters[:, TOUCHES].tolist()
    for name, column in {"looks": LOOKS, "spikes": SPIKES,
                         "synaptic_events": SYNAPTIC_EVENTS}.items():
        assert counts[name].tolist() == counters[:, column].tolist(), name


@pytest.mark.parametrize("stored", [
    {"delay_max": 90}, {"delay_max": 1500, "ticks": 2000},
    {"delay_max": 90, "delays": "axonal", "segments": 2, "rows": "dense"},
    {"delay_max": 90, "delays": "axonal+dendritic"},
    {"delay_max": 1500, "ticks": 2000, "delays": "axonal+dendritic", "dendritic_max": 40},
], ids=str)
def test_it_does_what_the_emulator_does_with_cursors(stored):
    parameters, samples = drawn(9, banks=2, buffer="cursor", cursors=8192, **stored)
    counts = CycleModel(parameters).run(samples).counts
    counters = Emulator(parameters).run_batch(samples).counters
    assert counts["lost"].tolist() == [0] * 6
    assert counts["handed"].min() > 0
    assert (counts["touches"] + counts["integrations"]).tolist() == counters[:, TOUCHES].tolist()
    for name, column in {"looks": LOOKS, "spikes": SPIKES}.items():
        assert counts[name].tolist() == counters[:, column].tolist(), name


@pytest.mark.parametrize("delays", ["synaptic", "axonal", "axonal+dendritic"])
def test_as_many_cursors_as_needed_lose_nothing(delays):
    parameters, samples = drawn(4, banks=2, delay_max=120, delays=delays)
    needed = needed_cursors(parameters, samples)

    def lost(cursors):
        config = dataclasses.replace(parameters.config, buffer="cursor", cursors=cursors)
        design = dataclasses.replace(parameters, config=config)
        return CycleModel(design).run(samples).counts["lost"].sum()

    enough = 1 << (needed - 1).bit_length()
    assert lost(enough) == 0
    assert lost(enough // 8) > 0


@pytest.mark.parametrize("stored", [
    {}, {"buffer": "cursor", "cursors": 8, "delay_max": 90},
    {"buffer": "cursor", "cursors": 8, "delay_max": 90, "delays": "axonal"}], ids=str)
def test_threads_change_nothing(stored):
    parameters, samples = drawn(1, synapse="exponential", **stored)
    model = CycleModel(parameters)
    one, three = (model.run(samples, stall=0.1, threads=threads) for threads in (1, 3))
    assert one.cycles.tolist() == three.cycles.tolist()
    assert one.latency.tolist() == three.latency.tolist()
    assert {name: count.tolist() for name, count in one.counts.items()} == {
        name: count.tolist() for name, count in three.counts.items()}


def test_more_banks_take_fewer_cycles_and_long_stalls_more():
    parameters, samples = drawn(2, neurons=12, banks=1)
    four = dataclasses.replace(
        parameters, config=dataclasses.replace(parameters.config, banks=4))
    free, faster = (CycleModel(each).run(samples).cycles for each in (parameters, four))
    held = CycleModel(parameters).run(samples, stall=0.95).cycles
    assert (faster < free).all()
    assert (free < held).all()


def test_events_must_be_sorted():
    parameters, _ = drawn(3)
    events = TickEvents(ticks=np.array([5, 2]), channels=np.array([0, 0], np.int32))
    with pytest.raises(ValueError, match=r"^Input event 1 must come after event 0 in"):
        CycleModel(parameters).run([events])


def test_streams_are_refused():
    parameters, _ = drawn(3, streaming=True)
    with pytest.raises(ValueError, match=r"^Cycles can be predicted of a core that runs samples, "
                                         r"not streams$"):
        CycleModel(parameters)


def test_no_samples_cost_nothing():
    parameters, _ = drawn(3)
    assert CycleModel(parameters).run([]).cycles.shape == (0,)
