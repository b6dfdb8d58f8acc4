import numpy as np
import pytest

from ranvier.model.emulator import Emulator
from ranvier.train.design import DesignConfig
from ranvier.train.engine import Inputs
from ranvier.train.grid import TickEngine
from ranvier.train.integer import IntegerEngine
from ranvier.train.quantise import encode_dataset, quantise, rounded_network

from .nets import random_data, random_net

READOUTS = ("first-spike", "spike-count", "leaky")


def run(engine, network, data):
    net = engine.pack(network)
    return net, engine.forward(net, Inputs.of(data), np.arange(len(data.labels)))


@pytest.mark.parametrize("readout", READOUTS)
def test_forward_is_the_emulator(readout):
    network, data = random_net(3, recurrent=True, readout=readout), random_data(4, samples=6)
    design = DesignConfig(tick=0.5, weight_bits=5)
    engine = IntegerEngine(network.config, design, 1)
    _, result = run(engine, network, data)
    parameters, _ = quantise(network, design)
    wanted = Emulator(parameters).run_batch(encode_dataset(data, parameters.config))
    np.testing.assert_array_equal(engine.decide(result), wanted.decisions)
    hidden = [result.counts[:, engine.population(name)] for name in network.config.spiking]
    np.testing.assert_array_equal(np.concatenate(hidden, 1).sum(1), wanted.counters[:, 2])
    if readout == "first-spike":
        times = np.where(wanted.scores < engine.ticks, wanted.scores * 0.5, np.inf)
        np.testing.assert_array_equal(result.score, times)


@pytest.mark.parametrize(("readout", "delays"), [
    *((readout, "synaptic") for readout in READOUTS), ("leaky", "axonal+dendritic")])
def test_fine_integers_have_the_grids_scores_and_gradients(readout, delays):
    network, data = random_net(3, readout=readout, delays=delays), random_data(4, samples=8)
    design = DesignConfig(tick=0.5, weight_bits=8)
    engines = IntegerEngine(network.config, design, 1), TickEngine(network.config, 0.5, 1)
    (net, found), (grid, wanted) = (
        run(engine, parameters, data)
        for engine, parameters in zip(
            engines, (network, rounded_network(network, design)), strict=True
        )
    )
    spikes = [
        [list(zip(*row, strict=True)) for row in zip(*result.tape[2:4], strict=True)]
        for result in (found, wanted)
    ]
    same = np.array([
        k for k, n in enumerate(found.used) if spikes[0][k][:n] == spikes[1][k][: wanted.used[k]]
    ])  # fmt: skip
    assert same.size >= 4  # few spikes differ by what the traces round
    np.testing.assert_allclose(found.score[same], wanted.score[same], rtol=2e-3, atol=1e-3)
    pull = np.zeros(found.score.shape)
    pull[same] = np.random.default_rng(2).standard_normal((same.size, pull.shape[1]))
    ours, limited = engines[0].backward(net, found, pull)
    theirs, _ = engines[1].backward(grid, wanted, pull)
    assert limited == 0
    assert ours.keys() == network.arrays().keys()
    for name, gradient in theirs.items():
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(ours[name], gradient, rtol=0, atol=2e-2 * largest + 1e-9)


def test_the_first_networks_scales_stay():
    network, design = random_net(3), DesignConfig(tick=0.5, weight_bits=4)
    engine = IntegerEngine(network.config, design, 1)
    first = engine.pack(network)
    for weight in network.weights.values():
        weight *= 0.7
    second = engine.pack(network)
    np.testing.assert_array_equal(first.unit, second.unit)
    parameters, _ = quantise(network, design, engine.scales)
    np.testing.assert_array_equal(second.emulator.parameters.weight, parameters.weight)
    assert np.abs(parameters.weight).max() < np.abs(quantise(network, design)[0].weight).max()


def test_threads_change_no_bit():
    network, data = random_net(3), random_data(4, samples=6)
    design = DesignConfig(tick=0.5)
    one, two = (
        run(IntegerEngine(network.config, design, threads), network, data)[1] for threads in (1, 2)
    )
    for first, second in zip((*one.tape, one.score), (*two.tape, two.score), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_batch_may_be_silent():
    network, data = random_net(3), random_data(4)
    for weight in network.weights.values():
        weight[:] = -np.abs(weight)
    engine = IntegerEngine(network.config, DesignConfig(tick=0.5), 1)
    net, result = run(engine, network, data)
    assert result.used.sum() == 0
    gradients, _ = engine.backward(net, result, np.ones(result.score.shape))
    assert all(not np.any(gradient) for name, gradient in gradients.items() if "theta" in name)


def test_jump_synapses_are_refused():
    config = random_net(3, synapse="jump").config
    with pytest.raises(ValueError, match=r"must be 'exponential', not 'jump'"):
        IntegerEngine(config, DesignConfig(), 1)
