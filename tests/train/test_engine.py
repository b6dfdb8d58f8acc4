"""Layouts between datasets, networks and kernels."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ranvier.model.readout import readout_kernel
from ranvier.train.engine import Engine, Inputs
from ranvier.train.exact.readout import readout_value

from .nets import forward, random_data, random_net


def test_inputs_are_sorted_by_sample_channel_and_time():
    data = random_data(1)
    inputs = Inputs.of(data)
    assert inputs.start.shape == (3, 6)
    assert inputs.start[0, 0] == 0
    assert inputs.start[2, 5] == len(inputs.time) == 90
    for sample in range(3):
        events = slice(data.offsets[sample], data.offsets[sample + 1])
        for channel in range(5):
            mine = data.times[events][data.channels[events] == channel] * 1e-3
            start = inputs.start[sample]
            np.testing.assert_array_equal(inputs.time[start[channel] : start[channel + 1]], mine)


def test_samples_do_not_depend_on_their_batch():
    network, data = random_net(1, recurrent=True), random_data(2, samples=7)
    engine = Engine(network.config, 2)
    net, whole = forward(engine, network, data)
    for row in range(7):
        single = engine.forward(net, Inputs.of(data), np.array([row]))
        np.testing.assert_array_equal(single.score[0], whole.score[row])
        np.testing.assert_array_equal(single.counts[0], whole.counts[row])


def test_a_sample_without_events_is_silent():
    network = random_net(1)
    engine = Engine(network.config, 1)
    empty = Inputs.arrange(np.empty(0), np.empty(0, int), np.empty(0, int), 2, 5)
    net = engine.pack(network)
    result = engine.forward(net, empty, np.arange(2))
    assert not result.counts.any()
    gradients, _ = engine.backward(net, result, np.ones((2, 3)))
    assert not any(array.any() for array in gradients.values())


def test_a_network_that_excites_itself_without_bound_ends_with_an_error():
    network, data = random_net(1, recurrent=True, duration=1000.0, adaptive=False), random_data(2)
    network.weights["hidden1", "hidden1"][...] = 8.0
    network.delays["hidden1", "hidden1"][0][...] = np.linspace(0.5, 15.0, 25).reshape(5, 5)
    with pytest.raises(OverflowError, match=r"at most 1048576 spikes, not more: .*recurrent_sd"):
        forward(Engine(network.config, 1), network, data)


@pytest.mark.parametrize("synapse", ["exponential", "jump"])
@pytest.mark.parametrize("duration", [60.0, 3000.0])
def test_readout_is_that_of_the_model(duration, synapse):
    network = random_net(0, synapse=synapse, duration=duration)
    net = Engine(network.config, 1).pack(network)
    times = np.linspace(0.0, duration, 301)
    config = network.config
    wanted = readout_kernel(
        times, duration=duration, tau_m=config.tau_m, tau_s=config.tau_s, synapse=synapse
    )
    got = [readout_value(net, 3, time)[0] for time in times]
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-15)


def test_events_after_the_duration_do_not_count():
    network, data = random_net(1, readout="spike-count"), random_data(2)
    late = random_net(1, readout="spike-count", duration=30.0)
    for name, (times, _) in late.spikes(data, 0).items():
        kept = network.spikes(data, 0)[name][0]
        if name != "input":
            np.testing.assert_allclose(times, kept[kept <= 30.0], rtol=1e-12)
            assert times.size < kept.size


def test_callers_in_several_threads_wait_for_each_other():
    network, data = random_net(1), random_data(2, samples=40)
    wanted = network.predict(data).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: network.predict(data).tolist(), range(12)))
    assert found == [wanted] * 12


@pytest.mark.parametrize("threads", [0, 10_000])
def test_threads_are_checked(threads):
    with pytest.raises(ValueError, match="Threads must be within 1 and"):
        Engine(random_net(0).config, threads)
