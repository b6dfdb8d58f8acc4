"""Neurons that stop at their first spike: the sort, and the spikes against those of windows."""

import numba as nb
import numpy as np
import pytest

from ranvier.train.engine import Engine
from ranvier.train.exact import first, grid

from .nets import forward, random_data, random_net


@nb.njit
def ordered(times, duration):
    total = len(times)
    room = (
        np.empty(total, np.int64), np.empty(first.BUCKETS * total + first.ROOM, np.int64),
        np.empty(total, np.int64),
    )  # fmt: skip
    there = first.order_places(times, total, duration, room)
    return room[0][:there]


@pytest.mark.parametrize("seed", range(20))
def test_order_sorts_what_is_not_late(seed):
    rng = np.random.default_rng(seed)
    times = rng.choice([rng.exponential(20.0, 50), rng.integers(0, 9, 50) * 10.0])
    times[rng.integers(0, 50, 3)] = (0.0, 60.0, np.nextafter(60.0, 99.0))
    places = ordered(times, 60.0)
    np.testing.assert_array_equal(times[places], np.sort(times[times <= 60.0]))
    assert len(set(places)) == len(places)


def test_order_takes_nothing():
    assert len(ordered(np.empty(0), 60.0)) == 0


@pytest.mark.parametrize("tau_m", [10.0, 15.0, 20.0, 13.0])
def test_first_spikes_are_those_of_windows(tau_m, monkeypatch):
    """At whole ratios of time constants and at another one."""
    network = random_net(3, hidden=(60,), outputs=4, readout="first-spike", tau_m=tau_m, tau_s=5.0)
    data = random_data(4, samples=50)
    engine = Engine(network.config, 1)
    net, found = forward(engine, network, data)
    assert found.grid.count[net.final] == 1
    monkeypatch.setattr(
        "ranvier.train.engine.grid_of", lambda net, events: windowed(grid.grid_of(net, events), net)
    )
    wanted = forward(engine, network, data)[1]
    assert wanted.grid.count[net.final] > 1
    assert np.isfinite(wanted.score).mean() > 0.3
    np.testing.assert_array_equal(found.counts, wanted.counts)
    np.testing.assert_allclose(found.score, wanted.score, rtol=1e-12)


def windowed(found, net):
    """Return a grid whose output population has windows of 2 ms."""
    width = found.width.copy()
    width[net.final] = 2.0
    return grid.through(net, width)
