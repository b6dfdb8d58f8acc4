import numpy as np
import pytest

from ranvier.train import grid
from ranvier.train.engine import Engine, Inputs
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


@pytest.mark.parametrize("readout", ["first-spike", "spike-count"])
def test_later_inputs_make_everything_later(readout):
    """Of a shift of all inputs, each output spike gets the same: the sums of gradients agree."""
    network, data = random_net(8, readout=readout), random_data(9)
    engine, net, result = run(network, data)
    pull = np.random.default_rng(1).standard_normal(result.score.shape)
    gradients, _ = engine.backward(net, result, pull)
    found = gradients["delays/input/hidden0"].sum()
    counts = engine.counts(result)["output"]
    wanted = (-pull * counts).sum() / network.config.duration
    if readout == "first-spike":
        wanted = (pull * (counts > 0)).sum()
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def distance(found, wanted):
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


@pytest.mark.parametrize("readout", ["spike-count", "leaky"])
def test_a_fine_grid_has_the_exact_gradients(readout):
    network, data = random_net(3, readout=readout, connections=WEB), random_data(4, samples=10)
    inputs, distances = Inputs.of(data), []
    engines = [Engine(network.config, 1)]
    ticks = (1.0, 0.05, 0.001)
    engines += [TickEngine(network.config, tick, 1, dtype=np.float64) for tick in ticks]
    for k in range(10):
        pull = np.random.default_rng(k).standard_normal((1, 3))
        found = []
        for engine in engines:
            net = engine.pack(network)
            result = engine.forward(net, inputs, np.array([k]))
            found.append(engine.backward(net, result, pull)[0])
        distances.append([
            [distance(grid[name], found[0][name]) for grid in found[1:]]
            for name in ("weights/input/hidden0", "delays/input/hidden0", "theta0/hidden0")
        ])  # fmt: skip
    print(np.median(distances, axis=0))
    coarse, middle, fine = np.median(distances, axis=0).T
    assert np.all(fine < 0.02)
    assert np.all(fine < middle)
    assert np.all(middle < coarse)


def test_single_precision_is_close():
    network, data = random_net(5, recurrent=True), random_data(6)
    gradients = []
    for dtype in (np.float32, np.float64):
        engine, net, result = run(network, data, dtype=dtype)
        gradients.append(engine.backward(net, result, np.ones(result.score.shape))[0])
    for name, wanted in gradients[1].items():
        largest = np.abs(wanted).max()
        np.testing.assert_allclose(gradients[0][name], wanted, rtol=0, atol=1e-4 * largest + 1e-9)


def test_threads_change_no_bit():
    network, data = web(5), random_data(6, samples=9)
    found = []
    for threads in (1, 2):
        engine, net, result = run(network, data, dtype=np.float32, threads=threads)
        gradients, _ = engine.backward(net, result, np.ones(result.score.shape))
        found.append([result.score, result.counts, *gradients.values()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_tape_grows(monkeypatch):
    network, data = web(3), random_data(4)
    wanted = run(network, data)[2]
    monkeypatch.setattr(grid, "ROOM", 4)
    np.testing.assert_array_equal(run(network, data)[2].counts, wanted.counts)


def test_limits_are_counted_and_bound_a_spikes_share():
    network, data = random_net(5), random_data(6)
    engine, net, result = run(network, data)
    pull = np.ones(result.score.shape)
    gradients, limited = engine.backward(net, result, pull, spike_cap=1e-9)
    assert limited > 0
    bounds = 1e-9 * (1 + engine.counts(result)["hidden0"].sum(axis=0))
    assert np.all(np.abs(gradients["theta0/hidden0"]) <= bounds)
    assert engine.backward(net, result, pull, slope_floor=1e3)[1] > 0
    assert engine.backward(net, result, pull)[1] == 0


def test_decisions_go_to_the_lower_class():
    for readout in READOUTS:
        network = random_net(3, readout=readout)
        for weight in network.weights.values():
            weight[:] = 0
        engine, _, result = run(network, random_data(4))
        np.testing.assert_array_equal(engine.decide(result), 0)


def test_what_does_not_fit_is_refused():
    config = random_net(3).config
    with pytest.raises(ValueError, match=r"Readout on a grid must be one of .*, not 'max'"):
        TickEngine(random_net(3, readout="max").config, 1.0)
    with pytest.raises(ValueError, match=r"tick must be a whole number of microseconds"):
        TickEngine(config, 0.0005)
    with pytest.raises(ValueError, match=r"Threads must be within 1 and \d+, not 0"):
        TickEngine(config, 1.0, 0)
