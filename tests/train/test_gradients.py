"""The adjoint's gradients are the true ones: central differences, for every parameter.

A difference says nothing where a spike comes or goes within its step, where an arrival passes a
spike (the slope of f jumps there, so the derivative has a kink), or where a spike barely touches
its threshold. Such derivatives are left out, counted, and must be few.
"""

import numpy as np
import pytest

from ranvier.train.engine import Engine, Inputs
from ranvier.train.losses import cross_entropy
from ranvier.train.regulariser import margin_penalty

from .nets import TANGLE, forward, random_data, random_net

STEP = 1e-6
LEAST_SLOPE = 1e-3  # 1/ms
SHAPES = [
    pytest.param({"hidden": (6, 5)}, id="two-layers"),
    pytest.param({"hidden": (8,), "recurrent": True}, id="recurrent"),
    pytest.param({"hidden": (7,), "adaptive": False}, id="fixed-threshold"),
    pytest.param({"hidden": (11,)}, id="side-by-side"),
    pytest.param({"hidden": (4, 5), "connections": TANGLE}, id="skips-and-loops"),
    pytest.param({"hidden": (7,), "delays": "axonal+dendritic"}, id="axonal-and-dendritic"),
    pytest.param({"hidden": (7,), "delays": "axonal"}, id="axonal"),
]


def slopes(result):
    """Slopes at threshold of all spikes, sample by sample."""
    used = result.tape.start[:, -1]
    return np.concatenate([row[:n] for row, n in zip(result.tape.slope, used, strict=True)])


def compare(network, data, loss):
    """Return (error, size) of each derivative by kind, how many were skipped, and their noise.

    ``loss`` turns scores into (a loss for each sample, its derivative).
    """
    engine = Engine(network.config, 1)
    net, result = forward(engine, network, data)
    gradients, _ = engine.backward(net, result, loss(result.score)[1], tau=True)
    compared, skipped = {}, 0
    for name, array in network.arrays().items():
        kind = name.split("/")[0]
        if kind == "beta" and not network.config.adaptive:
            continue
        for index in np.ndindex(array.shape):
            kept = array[index]
            sides = []
            for side in (STEP, -STEP):
                array[index] = kept + side
                sides.append(forward(engine, network, data)[1])
            array[index] = kept
            same = all(np.array_equal(side.counts, result.counts) for side in sides)
            if not same or np.abs(slopes(sides[0]) - slopes(sides[1])).max() > 1e-3:
                skipped += 1
                continue
            ahead, behind = (loss(side.score)[0].sum() for side in sides)
            difference = (ahead - behind) / (2 * STEP)
            error = abs(gradients[name][index] - difference)
            compared.setdefault(kind, []).append((error, abs(difference)))
    assert slopes(result).min() > LEAST_SLOPE
    noise = 8 * np.finfo(float).eps * np.abs(loss(result.score)[0]).sum() / STEP  # of rounding
    return compared, skipped, noise


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky", "max"])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_central_differences(shape, readout, synapse, record_property):
    network = random_net(6, readout=readout, synapse=synapse, **shape)
    data = random_data(7)
    scale = {"first-spike": 4.0, "spike-count": 0.2, "leaky": 1.0, "max": 0.2}[readout]

    def loss(score):
        return cross_entropy(score, data.labels, readout=readout, scale=scale, duration=80.0)

    compared, skipped, noise = compare(network, data, loss)
    total = skipped + sum(len(errors) for errors in compared.values())
    record_property("skipped", skipped)
    print(f"{skipped} of {total} derivatives skipped")
    assert skipped <= 0.05 * total
    for errors in compared.values():
        error, size = np.array(errors).T
        # Beside the relative 1e-6 the differences have an error of their own, of step and rounding.
        np.testing.assert_array_less(error, 1e-6 * size + 1e-7 * size.max() + 1e-9 + noise)
    assert max(size for _, size in compared["delays"]) > 1e-4


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
def test_maxima_that_stand_at_an_arrival_move_with_it(synapse):
    network = random_net(8, readout="max", hidden=(8,), recurrent=True, synapse=synapse)
    data = random_data(7)
    _, result = forward(Engine(network.config, 1), network, data)
    assert (result.peaks.synapse[:, -3:] >= 0).sum() >= 3
    pull = np.random.default_rng(8).normal(size=(3, 3))
    compared, _, noise = compare(network, data, lambda score: ((score * pull).sum(axis=1), pull))
    for errors in compared.values():
        error, size = np.array(errors).T
        np.testing.assert_array_less(error, 1e-6 * size + 1e-7 * size.max() + 1e-9 + noise)


def margin(engine, network, data):
    """Return the margin penalty of a batch and its gradients."""
    net = engine.pack(network)
    result = engine.forward(net, Inputs.of(data), np.arange(3), silent=True)
    spikes = result.counts[:, 5:]
    place = slice(0, engine.layout.population("output").start)
    pull = np.zeros(spikes.shape)
    value, pull[:, place] = margin_penalty(
        result.peaks.value[:, place], spikes[:, place], net.theta0[place], margin=0.9, strength=2.0
    )
    gradients, _ = engine.backward(net, result, np.zeros((3, 3)), tau=True, peak_pull=pull)
    for name in network.config.spiking:
        gradients[f"theta0/{name}"] -= 0.9 * pull[:, engine.layout.population(name)].sum(axis=0)
    return value.sum(), gradients, spikes


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("shape", [{"hidden": (6, 9)}, {"hidden": (4, 5), "connections": TANGLE}])
def test_margin_penalty_pulls_silent_neurons_by_its_derivative(shape, synapse):
    network = random_net(6, synapse=synapse, **shape)
    for array in network.theta0.values():
        array[::2] *= 40.0
    data = random_data(7)
    engine = Engine(network.config, 1)
    value, gradients, spikes = margin(engine, network, data)
    assert value > 0
    compared = []
    for name, array in network.arrays().items():
        for index in np.ndindex(array.shape):
            kept = array[index]
            sides = []
            for side in (STEP, -STEP):
                array[index] = kept + side
                sides.append(margin(engine, network, data))
            array[index] = kept
            if all(np.array_equal(side[2], spikes) for side in sides):
                difference = (sides[0][0] - sides[1][0]) / (2 * STEP)
                compared.append((abs(gradients[name][index] - difference), abs(difference)))
    error, size = np.array(compared).T
    assert len(compared) > 50
    assert size.max() > 0.1
    wrong = error > 1e-6 * size + 1e-7 * size.max() + 1e-9
    assert wrong.mean() < 0.03, (error[wrong], size[wrong])  # an arrival passes a peak or a spike


def test_beta_has_a_gradient_when_neurons_fire_often():
    network = random_net(6, readout="spike-count")
    data = random_data(7)
    pull = np.random.default_rng(8).normal(size=(3, 3))
    compared, *_ = compare(network, data, lambda score: ((score * pull).sum(axis=1), pull))
    error, size = np.array(compared["beta"]).T
    assert size.max() > 1.0
    assert error.max() < 1e-6 * size.max()


def test_tied_arrivals_of_a_jump_share_their_spikes_derivative():
    """Moving all arrivals of one instant together moves the spike by as much."""
    network = random_net(0, synapse="jump", hidden=(1,), inputs=2, readout="leaky")
    network.weights["input", "hidden0"][:] = 0.7
    network.delays["input", "hidden0"][0][:] = 2.0
    network.theta0["hidden0"][:] = 1.0
    data = random_data(0, samples=1, events=2, channels=2)
    data.times[:] = 1000
    data.channels[:] = (0, 1)
    engine = Engine(network.config, 1)
    pull = np.array([[1.0, -2.0, 0.5]])
    net, result = forward(engine, network, data)
    gradient = engine.backward(net, result, pull)[0]["delays/input/hidden0"]
    values = []
    for delay in (2.0 + STEP, 2.0 - STEP):
        network.delays["input", "hidden0"][0][:] = delay
        values.append((forward(engine, network, data)[1].score * pull).sum())
    assert gradient[0] == gradient[1] != 0.0
    assert gradient.sum() == pytest.approx((values[0] - values[1]) / (2 * STEP), rel=1e-6)


def limited(network, **limits):
    """Return the result, the gradients under limits, and how many spikes they changed."""
    engine = Engine(network.config, 1)
    net, result = forward(engine, network, random_data(7))
    return result, *engine.backward(net, result, np.ones((3, 3)), **limits)


def hidden_slopes(result):
    rows = zip(result.tape.slope, result.tape.start, strict=True)
    return np.concatenate([row[: start[-1]] for row, start in rows])


def test_slope_floor_is_counted_and_off_by_default():
    network = random_net(6)
    result, exact, none = limited(network)
    floor = float(np.median(hidden_slopes(result)))
    _, changed, some = limited(network, slope_floor=floor)
    assert none == 0
    assert some == (hidden_slopes(result) < floor).sum() > 0
    assert not np.array_equal(exact["theta0/hidden1"], changed["theta0/hidden1"])


def test_spike_cap_bounds_each_spikes_share():
    network = random_net(6)
    result, exact, _ = limited(network)
    cap = 1e-3
    _, changed, some = limited(network, spike_cap=cap)
    spikes = result.counts[:, 5:].sum(axis=0)
    shares = np.concatenate([changed["theta0/hidden0"], changed["theta0/hidden1"]])
    assert 0 < some <= spikes.sum()
    assert (np.abs(shares) <= cap * spikes[:11] * (1 + 1e-12)).all()
    assert np.abs(exact["theta0/hidden1"]).max() > cap * spikes.max()
    _, free, none = limited(network, spike_cap=1e9)
    assert none == 0
    np.testing.assert_array_equal(free["theta0/hidden1"], exact["theta0/hidden1"])


@pytest.mark.parametrize("recurrent", [False, True])
def test_gradients_do_not_depend_on_threads_or_on_the_parallel_build(recurrent):
    network = random_net(4, recurrent=recurrent)
    data = random_data(5, samples=37)
    pull = np.random.default_rng(8).normal(size=(37, 3))
    sums = []
    for threads in (1, 2):
        engine = Engine(network.config, threads)
        net, result = forward(engine, network, data)
        gradients, _ = engine.backward(net, result, pull, 0.5)
        sums.append(np.concatenate([array.ravel() for array in gradients.values()]))
    np.testing.assert_array_equal(sums[0], sums[1])
