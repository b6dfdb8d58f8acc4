"""The limit kernels compute what the engines do: else they'd bound nothing."""

from dataclasses import replace

import limits.exact
import limits.grid
import limits.integer
import limits.yinyang
import numpy as np
import ours
import pytest
import tasks

from ranvier.train.config import NetworkConfig
from ranvier.train.engine import Engine, Inputs
from ranvier.train.grid import TickEngine
from ranvier.train.losses import cross_entropy
from ranvier.train.network import Network

TOY = tasks.Shd(
    samples=2, inputs=20, hidden=6, outputs=3, events=150, duration=100.0, delay_max=20.0, rate=40.0
)


def network_of(config, weights, delays, beta=0.0):
    """Return a network of arrays in the order of the connections, its thresholds all 1."""
    arrays = {}
    for pair, weight, delay in zip(config.connections, weights, delays, strict=True):
        arrays["weights/" + "/".join(pair)] = np.ascontiguousarray(weight, float)
        arrays["delays/" + "/".join(pair)] = np.ascontiguousarray(delay, float)
    for name in config.spiking:
        arrays[f"theta0/{name}"] = np.ones(config.size(name))
        arrays[f"beta/{name}"] = np.full(config.size(name), beta)
    for name in config.populations:
        arrays[f"tau/{name}"] = np.array([config.tau_m, config.tau_s, config.tau_a])
    return Network.from_arrays(config, arrays)


def test_yinyang_gradients_are_the_engines():
    task = tasks.YinYang(samples=40, hidden=12)
    times, labels = task.points()
    drawn = task.parameters()
    config = NetworkConfig(
        inputs=5, hidden=(12,), outputs=3, readout="first-spike", tau_s=limits.yinyang.TAU_M / 2,
        tau_m=limits.yinyang.TAU_M, tau_a=1e6, delay_min=0.1, delay_max=10.0,
        duration=task.duration,
    )  # fmt: skip
    # The peak is lower than with 5 ms; and thresholds rise so far that no second spike comes.
    drawn["weights"] = tuple(2.0 * array for array in drawn["weights"])
    network = network_of(config, drawn["weights"], drawn["delays"], beta=1e6)
    engine = Engine(config, 1)
    channels = np.tile(np.arange(5), 40)
    inputs = Inputs.arrange(times.ravel(), channels, np.repeat(np.arange(40), 5), 40, 5)
    net = engine.pack(network)
    result = engine.forward(net, inputs, np.arange(40))
    _, pull = cross_entropy(
        result.score, labels, readout="first-spike", scale=1.0, duration=task.duration
    )
    wanted, _ = engine.backward(net, result, pull)

    weights = limits.yinyang.targets_first(drawn["weights"])
    delays = limits.yinyang.targets_first(drawn["delays"])
    by_weight, by_delay = (
        tuple(np.zeros_like(array) for array in pair) for pair in (weights, delays)
    )
    right = limits.yinyang.gradients(
        times, labels, np.arange(40), weights, delays, task.duration, 1 / limits.yinyang.TAU_M,
        by_weight, by_delay,
    )  # fmt: skip
    assert right == (engine.decide(result) == labels).sum()
    for pair, weight, delay in zip(config.connections, by_weight, by_delay, strict=True):
        name = "/".join(pair)
        np.testing.assert_allclose(weight.T, wanted[f"weights/{name}"], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(delay.T, wanted[f"delays/{name}"], rtol=1e-6, atol=1e-9)


def test_exact_gradients_are_the_engines():
    task = replace(TOY, samples=1, recurrent=False)
    limit = limits.exact.Exact(task)
    limit.by_weight[:] = 0
    limit.by_delay[:] = 0
    spikes = limit.run(0, -1.0 / task.duration)
    config = NetworkConfig(
        inputs=task.inputs, hidden=(), outputs=task.hidden, readout="spike-count", adaptive=False,
        tau_m=limits.exact.TAU_M, tau_s=limits.exact.TAU_M / 2, delay_min=1.0,
        delay_max=task.delay_max, duration=task.duration,
    )  # fmt: skip
    network = network_of(config, [limit.weights.T], [limit.delays.T])
    engine = Engine(config, 1)
    zeros = np.zeros(task.events, np.int64)
    inputs = Inputs.arrange(limit.times[0], limit.channels[0], zeros, 1, task.inputs)
    net = engine.pack(network)
    result = engine.forward(net, inputs, np.zeros(1, np.int64))
    wanted, _ = engine.backward(net, result, np.ones((1, task.hidden)))
    assert spikes == result.counts[0, task.inputs :].sum() > 10
    for found, name in ((limit.by_weight, "weights"), (limit.by_delay, "delays")):
        expected = wanted[f"{name}/input/output"]
        np.testing.assert_allclose(found.T, expected, rtol=1e-6, atol=1e-6 * abs(expected).max())


def test_grid_gradients_are_the_tick_engines():
    task = replace(TOY, samples=1, delay_max=60.0)
    grid = limits.grid.Grid(task)
    spikes = grid.forward(0)
    pull = np.array([1.0, -2.0, 0.5], np.float32)
    found = grid.gradients()
    grid.backward(0, pull, found)
    config = ours.shd_config(task)
    names = ["/".join(pair) for pair in config.connections]
    delays = [*grid.delays, np.ones(grid.weights[2].shape)]
    network = network_of(config, grid.weights, delays)
    engine = TickEngine(config, task.tick, 1, np.float64)
    # The engine puts an event into the next tick's beginning, the kernel into its own tick.
    ticks = np.repeat(np.arange(task.steps), np.diff(grid.start[0]))
    zeros = np.zeros(task.events, np.int64)
    inputs = Inputs.arrange(ticks * task.tick, grid.channels[0], zeros, 1, task.inputs)
    net = engine.pack(network)
    result = engine.forward(net, inputs, np.zeros(1, np.int64))
    assert spikes == pytest.approx(result.counts[0, task.inputs : task.inputs + 6].sum(), abs=2)
    assert spikes > 10
    wanted, _ = engine.backward(net, result, pull[None].astype(float), slope_floor=1e-3)
    for path, by_weight in zip(names, found[:3], strict=True):
        assert cosine(by_weight, wanted[f"weights/{path}"]) > 0.98
    for path, by_delay in zip(names[:2], found[3:], strict=True):
        assert cosine(by_delay, wanted[f"delays/{path}"]) > 0.98


def cosine(one, other):
    one, other = one.ravel().astype(float), other.ravel()
    return one @ other / np.sqrt((one @ one) * (other @ other))


def test_integers_fire_at_the_tasks_rate():
    found = limits.integer.inference(TOY, repeats=1)
    wanted = TOY.rate * TOY.hidden * TOY.duration * 1e-3
    assert found["hidden spikes"] == pytest.approx(wanted, rel=0.5)
