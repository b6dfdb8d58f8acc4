import numpy as np
import pytest

from ranvier.train.engine import Inputs
from ranvier.train.grid import TickEngine

from .grid_oracle import NaiveGrid
from .nets import random_data, random_net

READOUTS = ("first-spike", "spike-count", "leaky")
WEB = (
    ("input", "hidden0"), ("hidden1", "hidden0"), ("hidden0", "hidden1"), ("input", "hidden1"),
    ("hidden1", "hidden1"), ("hidden0", "output"), ("hidden1", "output"), ("input", "output"),
)  # fmt: skip


def web(seed, tick=0.5, **changes):
    """Return a network of loops and skips, whose populations have their own time constants."""
    network = random_net(seed, connections=WEB, **changes)
    rng = np.random.default_rng([seed, 11])
    for tau in network.tau.values():
        tau *= rng.uniform(0.8, 1.2)
    return network


def run(network, data, tick=0.5, dtype=np.float64, threads=1):
    engine = TickEngine(network.config, tick, threads, dtype=dtype)
    net = engine.pack(network)
    return engine, net, engine.forward(net, Inputs.of(data), np.arange(len(data.labels)))


def naive(network, data, tick=0.5):
    return [NaiveGrid(network, tick, *data.sample(k)) for k in range(len(data.labels))]


def spikes_of(engine, result, k):
    """Spikes of sample ``k`` by population, as the oracle's (tick, neuron)."""
    used, first = result.used[k], engine.config.inputs
    tick, neuron = result.tape.tick[k, :used], result.tape.neuron[k, :used] + first
    found = {}
    for name in engine.config.spiking:
        place = engine.population(name)
        own = (neuron >= place.start) & (neuron < place.stop)
        found[name] = list(zip(tick[own], neuron[own] - place.start, strict=True))
    return found


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("delays", ["synaptic", "axonal", "axonal+dendritic"])
def test_spikes_and_scores_are_the_contracts(readout, synapse, delays):
    network = web(3, readout=readout, synapse=synapse, delays=delays)
    data = random_data(4)
    engine, _, result = run(network, data)
    total = 0
    for k, wanted in enumerate(naive(network, data)):
        for name, found in spikes_of(engine, result, k).items():
            assert found == [spike[:2] for spike in wanted.spikes[name]]
            total += len(found)
            counts = engine.counts(result)[name][k]
            assert counts.sum() == len(found)
        assert engine.counts(result)["input"][k].sum() == len(wanted.spikes["input"])
        np.testing.assert_allclose(result.score[k], wanted.score, rtol=1e-12)
    assert total > 50


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("delays", ["synaptic", "axonal", "axonal+dendritic"])
def test_gradients_are_the_recursions(readout, synapse, delays):
    network = web(5, readout=readout, synapse=synapse, delays=delays)
    data = random_data(6)
    engine, net, result = run(network, data)
    pull = np.random.default_rng(7).standard_normal(result.score.shape)
    found, limited = engine.backward(net, result, pull)
    assert found.keys() == network.arrays().keys()
    assert limited == 0
    wanted = {}
    for sample, row in zip(naive(network, data), pull, strict=True):
        for name, gradient in sample.backward(row).items():
            wanted[name] = wanted.get(name, 0.0) + gradient
    for name, array in network.arrays().items():
        kind, *rest = name.split("/")
        if kind == "tau":
            continue
        expected = wanted[kind, *rest[:2]]
        if rest[-1] in ("axonal", "dendritic"):
            expected = expected.sum(axis=1 if rest[-1] == "axonal" else 0, keepdims=True)
        assert found[name].shape == array.shape
        largest = np.abs(expected).max()
        np.testing.assert_allclose(found[name], expected, rtol=1e-9, atol=1e-8 * largest)
        if name.startswith("delays/input"):
            assert largest > 0
