"""Spikes and gradients don't depend on how time is cut into windows, whatever the network.

Windows, sorted arrivals (one window) and neurons side by side are three ways to the same numbers,
and each finds and bounds crossings over other intervals.
"""

import numpy as np
import pytest

from ranvier.train.engine import Engine
from ranvier.train.exact.grid import grid_of, through

from .nets import TANGLE, forward, random_data, random_net
from .test_forward import SHAPES as PLAIN

SHAPES = (
    {"hidden": (47,)}, {"hidden": (6, 5)}, {"hidden": (9,), "recurrent": True},
    {"hidden": (4, 5), "connections": TANGLE},
)  # fmt: skip


def draw(seed):
    """Return a network and data of any kind: one time constant or far apart, calm or bursting."""
    rng = np.random.default_rng(seed)
    tau_s = float(rng.choice([1.0, 3.0, 7.3]))
    tau_m = tau_s * float(rng.choice([1.06, 1.5, 2.0, 3.0, 4.0, 6.5]))
    shape = SHAPES[seed % len(SHAPES)]
    network = random_net(
        seed, tau_s=tau_s, tau_m=tau_m, tau_a=tau_m * float(rng.choice([1.0, 1.3, 3.0, 20.0])),
        synapse=str(rng.choice(["exponential", "jump"], p=[0.8, 0.2])),
        readout=str(rng.choice(["first-spike", "leaky", "spike-count"])),
        delay_min=float(rng.choice([0.1, 0.5, 2.0])),
        delay_max=float(rng.choice([3.0, 15.0, 200.0])),
        duration=float(rng.choice([20.0, 80.0, 150.0])), **shape,
    )  # fmt: skip
    factor = rng.choice([0.3, 1.0, 3.0]) if seed % 4 < 2 else 0.4  # what feeds itself may explode
    for weights in network.weights.values():
        weights *= factor
    for beta in network.beta.values():
        beta[:] = rng.choice([0.0, 0.1, 1.0, 5.0, 20.0])
    bounds = network.bounds(network.config)["delays"]
    for (delays,) in network.delays.values():
        delays[:] = rng.uniform(*bounds, delays.shape)
    return network, random_data(seed, samples=4, events=int(rng.choice([5, 30, 150])))


def cuts(net, grid):
    """Return other widths: thirds of windows; and one, where nothing feeds itself."""
    small = np.minimum(grid.width, 1 / net.rates[:, 1])
    yield small / 3
    if (net.pairs[:, 3] < 0).all() and net.duration < 90 * small[1:].min():
        yield np.full_like(grid.width, 1.001 * net.duration)


@pytest.mark.parametrize("first", [*range(0, 240, 40), 840])
def test_other_windows_give_the_same(first, monkeypatch):
    spikes = 0
    for seed in range(first, first + 40):
        network, data = draw(seed)
        engine = Engine(network.config, 1)
        monkeypatch.setattr("ranvier.train.engine.grid_of", grid_of)
        net, found = forward(engine, network, data)
        used = found.tape.start[:, -1]
        slopes = [row[:n].min(initial=1.0) for row, n in zip(found.tape.slope, used, strict=True)]
        sure = min(1.0, *slopes)  # near a grazing spike all is less certain
        pull = np.random.default_rng(seed).normal(size=found.score.shape)
        pull *= np.isfinite(found.score)
        wanted, _ = engine.backward(net, found, pull, 1e-3)
        for width in cuts(net, found.grid):
            grid = through(net, width)
            monkeypatch.setattr("ranvier.train.engine.grid_of", lambda *_, grid=grid: grid)
            other = forward(engine, network, data)[1]
            np.testing.assert_array_equal(other.tape.start, found.tape.start, f"seed {seed}")
            for row, exact, n in zip(other.tape.time, found.tape.time, used, strict=True):
                np.testing.assert_allclose(row[:n], exact[:n], rtol=0, atol=1e-11 / sure)
            gradients, _ = engine.backward(net, other, pull, 1e-3)
            for name, exact in wanted.items():
                size = np.abs(exact).max(initial=0.0)
                np.testing.assert_allclose(
                    gradients[name], exact, rtol=0, atol=1e-8 / sure**2 * size + 1e-12
                )
        spikes += used.sum()
    assert spikes > 1000


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("shape", PLAIN)
def test_spikes_of_plain_networks_agree_to_the_last_places(shape, synapse, monkeypatch):
    network, data = random_net(1, synapse=synapse, **shape), random_data(2, samples=10, events=40)
    engine = Engine(network.config, 1)
    net, found = forward(engine, network, data)
    for width in cuts(net, found.grid):
        grid = through(net, width)
        assert (grid.width != found.grid.width).any()
        monkeypatch.setattr("ranvier.train.engine.grid_of", lambda *_, grid=grid: grid)
        other = forward(engine, network, data)[1]
        np.testing.assert_array_equal(other.tape.start, found.tape.start)
        for row, wanted, used in zip(
            other.tape.time, found.tape.time, found.tape.start[:, -1], strict=True
        ):
            np.testing.assert_allclose(row[:used], wanted[:used], rtol=0, atol=1e-11)
