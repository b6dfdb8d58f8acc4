"""The forward kernels find every spike, at the right time."""

import numpy as np
import pytest

from ranvier.train.engine import READOUTS, Engine
from ranvier.train.exact import crossing, lanes, structures
from ranvier.train.exact import forward as kernels

from . import oracle
from .nets import TANGLE, forward, random_data, random_net

SHAPES = [
    pytest.param({"hidden": (6, 5)}, id="feedforward"),
    pytest.param({"hidden": (8,), "recurrent": True}, id="recurrent"),
    pytest.param({"hidden": (5, 6), "recurrent": True}, id="two-layers-recurrent"),
    pytest.param({"adaptive": False}, id="fixed-threshold"),
    pytest.param({"hidden": (4, 5), "connections": TANGLE}, id="skips-and-loops"),
    pytest.param({"delays": "axonal+dendritic"}, id="axonal-and-dendritic"),
    pytest.param({"delays": "axonal"}, id="axonal"),
]


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("readout", ["first-spike", "leaky"])
@pytest.mark.parametrize("shape", SHAPES)
def test_spikes_are_the_oracles(shape, readout, synapse):
    network = random_net(1, readout=readout, synapse=synapse, **shape)
    data = random_data(2, samples=2, events=20)
    total = 0
    for sample in range(2):
        events = slice(data.offsets[sample], data.offsets[sample + 1])
        wanted = oracle.run(network, data.times[events] * 1e-3, data.channels[events])
        spikes = network.spikes(data, sample)
        for name in network.config.spiking:
            times, neurons = spikes[name]
            for neuron, expected in enumerate(wanted[name]):
                np.testing.assert_allclose(times[neurons == neuron], expected, rtol=0, atol=1e-9)
                total += len(expected)
    assert total > 50


@pytest.mark.parametrize("beta", [0.0, 0.1, 0.3, 3.0])
@pytest.mark.parametrize("tau_m", [10.0, 15.0, 20.0])
def test_spikes_side_by_side_are_the_oracles(tau_m, beta):
    """Two blocks of lanes, the second not full, at every ratio of time constants that they take."""
    network = random_net(1, hidden=(lanes.LANES + 3,), tau_m=tau_m, tau_s=5.0)
    network.beta["hidden0"][:] = beta
    data = random_data(2, samples=3, events=14)
    net, result = forward(Engine(network.config, 1), network, data)
    assert lanes.is_whole(net.rates[1, 1] / net.rates[1, 0])
    assert result.grid.count[1] == 1
    twice = 0
    for sample in range(3):
        events = slice(data.offsets[sample], data.offsets[sample + 1])
        wanted = oracle.run(network, data.times[events] * 1e-3, data.channels[events])
        times, neurons = network.spikes(data, sample)["hidden0"]
        for neuron, expected in enumerate(wanted["hidden0"]):
            np.testing.assert_allclose(times[neurons == neuron], expected, rtol=0, atol=1e-9)
            twice += len(expected) > 1
    assert twice > 0 or beta == 3.0


def test_crossing_is_the_first_of_all():
    """Against a grid far denser than the traces change, over every sign of every trace."""
    network = random_net(0)
    rates = Engine(network.config, 1).pack(network).rates[1]
    rng = np.random.default_rng(3)
    found = falling = 0
    for _ in range(3000):
        q = rng.choice([rng.normal(1.0, 3.0), rng.normal(0.0, 0.3)])
        a = rng.choice([0.0, rng.exponential(4)])
        theta = rng.uniform(0.1, 1.0)
        p = q + a + theta - rng.exponential(1.0)
        span = rng.choice([0.5, 5.0, 60.0])
        wanted = oracle.crossing(network.config, (p, q, a), theta, span, 4000)
        got = crossing.first_crossing(rates, p, q, a, theta, span)
        if wanted is None:
            # What the grid can't see must be a peak that only just passes the threshold.
            assert got < 0 or oracle.height(network.config, (p, q, a), theta, got + 1e-3) < 1e-5
            continue
        assert got == pytest.approx(wanted, abs=1e-10)
        found += 1
        v = [oracle.height(network.config, (p, q, 0.0), 0.0, got + step) for step in (0, 1e-6)]
        falling += v[1] < v[0]
    assert found > 300
    assert falling > 0  # V falls, but the threshold falls faster


def test_grazing_spike_is_found():
    """A peak that passes the threshold by 1e-12 for a few microseconds."""
    network = random_net(0, adaptive=False)
    rates = Engine(network.config, 1).pack(network).rates[1]
    u = np.log(rates[1] / rates[0]) / (rates[1] - rates[0])
    peak = np.exp(-u * rates[0]) - np.exp(-u * rates[1])
    assert crossing.first_crossing(rates, 1.0, 1.0, 0.0, peak * (1 - 1e-12), 50.0) > 0
    assert crossing.first_crossing(rates, 1.0, 1.0, 0.0, peak * (1 + 1e-12), 50.0) < 0


@pytest.mark.parametrize("recurrent", [False, True])
def test_parallel_kernel_is_the_serial_build(recurrent):
    network = random_net(4, recurrent=recurrent)
    data = random_data(5, samples=20)
    engine = Engine(network.config, 2)
    net, result = forward(engine, network, data)
    tape = structures.Tape(*(np.empty_like(part) for part in result.tape))
    used, score = np.empty(20, np.int64), np.empty_like(result.score)
    counts = np.empty_like(result.counts)
    _, serial = kernels.forward.builds
    serial(
        net, result.grid, READOUTS[network.config.readout], result.inputs.arrays, np.arange(20), 3,
        30, tape, used, score, counts,
    )  # fmt: skip
    np.testing.assert_array_equal(score, result.score)
    np.testing.assert_array_equal(counts, result.counts)
    np.testing.assert_array_equal(tape.start, result.tape.start)
    for part, wanted in zip(tape[:3], result.tape[:3], strict=True):
        for row, other, n in zip(part, wanted, used, strict=True):
            np.testing.assert_array_equal(row[:n], other[:n])


@pytest.mark.parametrize("recurrent", [False, True])
def test_buffers_grow_and_lose_nothing(recurrent):
    network = random_net(4, recurrent=recurrent)
    data = random_data(5)
    tight, roomy = Engine(network.config, 1), Engine(network.config, 1)
    tight._room, roomy._room = 1, 4096
    results = [forward(engine, network, data)[1] for engine in (tight, roomy)]
    np.testing.assert_array_equal(results[0].counts, results[1].counts)
    np.testing.assert_array_equal(results[0].score, results[1].score)


def test_simultaneous_arrivals_of_jumps_add_up_before_the_comparison():
    network = random_net(0, synapse="jump", hidden=(1,), inputs=3, readout="leaky")
    network.weights["input", "hidden0"][:, 0] = (0.7, 0.7, -0.6)
    network.delays["input", "hidden0"][0][:] = 2.0
    network.theta0["hidden0"][:] = 1.0
    data = random_data(0, samples=1, events=3, channels=3)
    data.times[:] = 1000
    data.channels[:] = (0, 1, 2)
    assert network.spikes(data, 0)["hidden0"][0].size == 0
    network.weights["input", "hidden0"][2, 0] = -0.1
    assert network.spikes(data, 0)["hidden0"][0].tolist() == [3.0]
