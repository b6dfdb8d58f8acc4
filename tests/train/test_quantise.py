from dataclasses import replace

import numpy as np
import pytest

from ranvier.model.arithmetic import MARGIN, MARGIN_SHIFT
from ranvier.model.emulator import Emulator
from ranvier.model.events import delay_parts, delay_ticks, encode
from ranvier.train.design import DesignConfig
from ranvier.train.network import Network
from ranvier.train.quantise import encode_dataset, population_scale, quantise, rounded_network

from .nets import mixed_net, random_data


def test_weights_round_to_the_nearest_place_or_are_clipped():
    network = mixed_net(1)
    parameters, report = quantise(network, DesignConfig(tick=0.5))
    pair = ("input", "hidden0")
    scale = report["populations"]["hidden0"]["scale"]
    found = np.zeros((5, 12))
    delays = np.zeros((5, 12), int)
    for source in range(5):
        row = slice(*parameters.row_start[source : source + 2])
        found[source, parameters.target[row]] = parameters.weight[row]
        delays[source, parameters.target[row]] = parameters.delay[row]
    wanted = network.weights[pair]
    inside = np.abs(found) < 127
    assert np.abs(found * scale - wanted)[inside].max() <= scale / 2 * (1 + 1e-9)
    assert np.all(np.abs(wanted[~inside]) >= 126.5 * scale)
    nonzero = found != 0
    np.testing.assert_array_equal(
        delays[nonzero], delay_ticks(network.delay(*pair), 0.5, 24)[nonzero])


def test_protection_and_saboteurs_are_the_cores_and_change_no_integer():
    plain, _ = quantise(mixed_net(1), DesignConfig(tick=0.5))
    for own in ({"protection": "parity"}, {"protection": "secded"}, {"saboteurs": True}):
        parameters, _ = quantise(mixed_net(1), DesignConfig(tick=0.5, **own))
        assert parameters.config == replace(plain.config, **own)
        assert parameters.weight.tolist() == plain.weight.tolist()


def test_a_network_on_the_grid_comes_back_exactly():
    network = mixed_net(2)
    first, report = quantise(network, DesignConfig(tick=0.5))
    names = list(network.config.populations)
    first_index = dict(zip(names, np.cumsum([0, *network.config.populations.values()]),
                           strict=False))
    weights = {pair: np.zeros_like(array) for pair, array in network.weights.items()}
    delays = {pair: (np.full_like(array, 1.0),) for pair, array in network.weights.items()}
    source_index = {"input": 0} | {name: 5 + int(first_index[name]) for name in names}
    for (pre, post), array in weights.items():
        scale = report["populations"][post]["scale"]
        for i in range(array.shape[0]):
            source = source_index[pre] + i
            for s in range(first.row_start[source], first.row_start[source + 1]):
                j = first.target[s] - first_index[post]
                if 0 <= j < array.shape[1]:
                    array[i, j] = first.weight[s] * scale
                    delays[pre, post][0][i, j] = first.delay[s] * 0.5
    second, _ = quantise(Network(network.config, weights=weights, delays=delays,
                                 theta0=network.theta0, beta=network.beta), DesignConfig(tick=0.5))
    for name in ("row_start", "target", "weight", "delay"):
        np.testing.assert_array_equal(getattr(second, name), getattr(first, name))


def test_scale_clips_only_where_it_pays():
    assert population_scale(np.array([1.0, -0.5, 0.25]), 127) <= 1 / 127
    outlier = np.concatenate([np.random.default_rng(1).uniform(-1, 1, 100_000), [1.3]])
    assert population_scale(outlier, 127) < 1.3 / 127
    assert population_scale(np.zeros(3), 127) == 1.0


def test_a_rounded_network_stands_on_its_designs_numbers():
    network, design = mixed_net(3), DesignConfig(tick=0.5)
    parameters, report = quantise(network, design)
    again, _ = quantise(rounded_network(network, design), design)
    scale = report["populations"]["hidden0"]["scale"]
    places = rounded_network(network, design).weights["input", "hidden0"] / scale
    np.testing.assert_allclose(places, np.round(places), atol=1e-9)
    np.testing.assert_array_equal(again.row_start, parameters.row_start)
    np.testing.assert_array_equal(again.delay, parameters.delay)


def test_banks_leave_results_alone():
    network, data = mixed_net(9), random_data(10)
    results = []
    for banks in (1, 3):
        parameters, _ = quantise(network, DesignConfig(tick=0.5, banks=banks))
        events = encode_dataset(data, parameters.config)
        results.append(Emulator(parameters).run_batch(events).scores)
    np.testing.assert_array_equal(*results)


def test_thresholds_that_do_not_fit_are_named():
    network = mixed_net(11)
    network.weights["input", "hidden0"] *= 1e-6
    with pytest.raises(ValueError, match=r"Thresholds of population 'hidden0' must fit 24 trace "
                                         r"bits with 9 guard bits, not reach \d+ last places"):
        quantise(network, DesignConfig(tick=0.1))


@pytest.mark.parametrize("tick", [0.1, 5.0])
@pytest.mark.parametrize("weight_bits", [2, 4, 8])
def test_thresholds_are_above_the_sleep_margin(weight_bits, tick):
    """Or else all neurons would be looked at in every tick."""
    network = mixed_net(14)
    parameters, _ = quantise(network, DesignConfig(tick=tick, weight_bits=weight_bits))
    config = parameters.config
    hidden = parameters.theta0[: config.spiking]
    top = config.weight_top << config.guard_bits  # the most that an arrival leaves in a trace
    assert hidden.min() > 2 * (MARGIN + (top >> MARGIN_SHIFT))
    assert config.trace_top >> config.guard_bits >= 100 * config.weight_top


def test_more_banks_than_neurons_are_refused():
    with pytest.raises(ValueError, match="Design banks must be at most 22"):
        quantise(mixed_net(12), DesignConfig(banks=40))


def test_encode_merges_and_leaves_out():
    parameters, _ = quantise(mixed_net(13), DesignConfig(tick=1.0))
    found = encode([0, 1, 900, 1000, 10**9], [2, 1, 1, 1, 0], parameters.config)
    assert (found.ticks.tolist(), found.channels.tolist()) == ([0, 1], [2, 1])
    assert (found.merged, found.late) == (2, 1)


@pytest.mark.parametrize("tick", [0.1, 0.7, 5.0, 9.0])
def test_delays_that_are_sums_are_sums_of_whole_ticks(tick):
    network = mixed_net(15, delays="axonal+dendritic")
    longest = network.longest_delay(tick)
    for pair in network.config.connections:
        axonal, dendritic = network.delay_parts(*pair, tick)
        delay = network.delay_ticks(*pair, tick)
        assert (delay == axonal + dendritic).all()
        assert min(axonal.min() - 1, dendritic.min(), longest - delay.max()) >= 0
        part = network.delay_ticks(*pair, tick, slice(2, 5))
        np.testing.assert_array_equal(part, delay[2:5])


def test_an_axonal_part_is_the_best_for_its_sums():
    rng = np.random.default_rng(16)
    axonal, dendritic = rng.uniform(1, 6, (30, 1)), rng.integers(6, size=(1, 7)) + 0.4
    dendritic[0, 1:3] += 0.3
    first, late = delay_parts(axonal, dendritic, 1.0, 40)
    assert np.abs(late - dendritic).max() <= 0.5

    def cost(parts):
        return ((parts + late - axonal - dendritic) ** 2).sum(axis=1)

    assert (cost(first) <= np.minimum(cost(first - 1), cost(first + 1))).all()
    one, late = delay_parts(axonal, dendritic[:, :1], 1.0, 40)
    np.testing.assert_array_equal(one + late, delay_ticks(axonal + dendritic[:, :1], 1.0, 40))


def test_a_design_knows_how_its_delays_are_split():
    network = mixed_net(17, delays="axonal+dendritic")
    parameters, report = quantise(network, DesignConfig(tick=0.5))
    source = np.repeat(np.arange(parameters.config.sources), np.diff(parameters.row_start))
    rest = parameters.delay - parameters.dendritic[parameters.target, parameters.kind[source]]
    first = 5 + np.cumsum([0, 12, 7, 3])
    for k, start in enumerate([0, *first[:-2]]):  # the input feeds one population, as hidden0 does
        own = rest[source == start]
        assert own.min() >= 1
        assert len(set(own.tolist())) == (2 if k == 2 else 1)
    assert parameters.dendritic.min(axis=0).max() == 0
    assert report["delays"]["error_mean_abs"] < 0.5 * 0.5
    assert quantise(mixed_net(17), DesignConfig(tick=0.5))[0].dendritic is None


def test_delays_that_are_no_sums_cannot_be_stored_as_such():
    with pytest.raises(ValueError, match=r"^Design delays must be synaptic or axonal for a network "
                                         r"with synaptic delays, not axonal\+dendritic$"):
        quantise(mixed_net(18), DesignConfig(delays="axonal+dendritic"))
