import numpy as np
import pytest

from ranvier.sim import missed
from ranvier.sim.missed import spikes_against_tick
from ranvier.train.design import DesignConfig

from ..train.nets import mixed_net, random_data, random_net


@pytest.mark.parametrize("readout", ["first-spike", "leaky"])
def test_fine_ticks_lose_few_spikes_and_coarse_ones_many(readout):
    network, data = random_net(4, readout=readout), random_data(7, samples=40, events=12)
    design = DesignConfig(weight_bits=10)
    fine, coarse = spikes_against_tick(network, design, data, [0.05, 5.0])
    spikes = sum(len(times) for k in range(missed.WATCHED) for name, (times, _)
                 in network.spikes(data, k).items() if name != "input")
    assert fine["clean"] == coarse["clean"] == spikes > 300
    assert fine["missing"] + fine["extra"] < 0.02 * spikes
    assert coarse["missing"] + coarse["extra"] > 0.1 * spikes


@pytest.mark.parametrize(("weight_bits", "trace_bits"), [(8, 18), (12, 18), (12, 24)])
def test_traces_leave_room_for_many_arrivals(weight_bits, trace_bits):
    """Guard bits for what a trace loses in such a tick would leave room for few, or for none."""
    design = DesignConfig(weight_bits=weight_bits, trace_bits=trace_bits)
    [fine] = spikes_against_tick(random_net(4, readout="leaky"), design,
                                 random_data(7, samples=40, events=12), [0.05])
    assert fine["clean"] > 2000
    assert fine["missing"] + fine["extra"] < 0.01 * fine["clean"]


def test_neurons_are_those_of_the_core():
    network, data = mixed_net(4, readout="first-spike"), random_data(7, samples=2, events=12)
    times, neurons = missed._spikes(network, data, 1)
    found = network.spikes(data, 1)
    assert {*neurons.tolist()} > {0, 12}
    for name, first in (("hidden0", 0), ("hidden1", 12), ("output", 19)):
        size = network.config.populations[name]
        mine = (neurons >= first) & (neurons < first + size)
        np.testing.assert_array_equal(times[mine], found[name][0])
        np.testing.assert_array_equal(neurons[mine] - first, found[name][1])
