"""Networks check themselves, and survive their file."""

import json

import numpy as np
import pytest

from ranvier.model.files import load_arrays, save_arrays
from ranvier.train.config import NetworkConfig
from ranvier.train.network import Network

from .nets import loop, random_data, random_net

FIELDS = {"inputs": 4, "hidden": (3, 2), "outputs": 3, "delay_min": 1, "delay_max": 9.0,
          "duration": 50.0}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": 0}, "Inputs must be a whole number of at least 1, not 0"),
        ({"outputs": 1}, "Outputs must be a whole number of at least 2, not 1"),
        ({"hidden": (3, 2.5)}, "Each hidden population must be .* of at least 1, not 2.5"),
        ({"synapse": "alpha"}, "Synapse must be one of exponential, jump, not 'alpha'"),
        ({"readout": "mean"}, "Readout must be one of first-spike, .*, leaky, max, not 'mean'"),
        ({"taus": "own"}, "Taus must be one of shared, population, not 'own'"),
        ({"delays": "none"}, "Delays must be one of synaptic, axonal, .*, not 'none'"),
        ({"tau_s": 20.0}, "Time constants must obey tau_a >= tau_m > tau_s, not .*tau_s = 20.0"),
        ({"tau_a": 10.0}, "Time constants must obey .*tau_a = 10.0"),
        ({"duration": float("inf")}, "duration must be a positive time in ms, not inf"),
        ({"delay_min": 0.0}, "delay_min must be a positive time in ms, not 0.0"),
        ({"delay_max": 0.5}, "delay_min must be at most delay_max = 0.5, not 1.0"),
        ({"connections": [["input", "hidden2"]]}, r"A connection must be a source \(input, "),
        ({"connections": [["output", "hidden0"]]}, r"not \['output', 'hidden0'\]"),
        ({"connections": [["input", "output"]] * 2}, "A connection must be given once, not"),
        ({"connections": [["input", "output"]]}, "must reach every population, not miss 'hidden0'"),
    ],
)
def test_config_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        NetworkConfig(**{**FIELDS, **changes})


def test_config_refuses_a_number_for_a_truth():
    with pytest.raises(TypeError, match="adaptive must be true or false, not 1"):
        NetworkConfig(**FIELDS, adaptive=1)


def test_connections_are_in_the_order_of_their_targets():
    config = NetworkConfig(**FIELDS, connections=loop(3, 2)[::-1])
    assert list(config.populations.items()) == [("hidden0", 3), ("hidden1", 2), ("output", 3)]
    assert config.connections == (
        ("input", "hidden0"), ("hidden0", "hidden1"), ("hidden1", "hidden1"),
        ("hidden1", "output"),
    )  # fmt: skip
    assert config.spiking == ("hidden0", "hidden1")


def test_groups_come_after_what_feeds_them():
    graph = [("input", "hidden1"), ("hidden1", "hidden0"), ("hidden0", "hidden2"),
             ("hidden2", "hidden0"), ("input", "output"), ("hidden0", "output")]  # fmt: skip
    config = NetworkConfig(**{**FIELDS, "hidden": (3, 2, 4)}, connections=graph)
    assert config.groups == (("hidden1",), ("hidden0", "hidden2"), ("output",))
    assert config.recurrent
    assert not NetworkConfig(**FIELDS).recurrent
    assert NetworkConfig(**FIELDS, connections=loop(3, 2)).recurrent


@pytest.mark.parametrize(
    ("delays", "shapes"),
    [
        ("synaptic", {"delays/input/hidden0": (5, 6)}),
        ("axonal", {"delays/input/hidden0/axonal": (5, 1)}),
        ("axonal+dendritic", {"delays/input/hidden0/axonal": (5, 1),
                              "delays/input/hidden0/dendritic": (1, 6)}),
    ],
)  # fmt: skip
def test_delays_of_synapses_sources_and_targets(delays, shapes):
    network = random_net(0, delays=delays)
    found = {name: array.shape for name, array in network.arrays().items()}
    assert {name: found[name] for name in found if name.startswith("delays/input")} == shapes
    delay = network.delay("input", "hidden0")
    assert delay.shape == (5, 6)
    assert (delay >= network.config.delay_min).all()
    assert (delay <= network.config.delay_max).all()
    np.testing.assert_array_equal(
        delay, sum(network.arrays()[name] for name in shapes) + np.zeros((5, 6))
    )


def test_time_constants_are_checked_in_each_population():
    network = random_net(0)
    assert network.taus("hidden1") == (20.0, 5.0, 60.0)
    network.tau["hidden1"][1] = 20.0
    with pytest.raises(ValueError, match="tau/hidden1 must obey tau_a >= tau_m > tau_s"):
        network.check()


def test_config_survives_json_and_a_list():
    config = NetworkConfig(**{**FIELDS, "hidden": [3, 2]})
    assert NetworkConfig.from_json(config.to_json()) == config
    assert len(config.sha256) == 64


@pytest.mark.parametrize("changes", [{}, {"recurrent": True}, {"hidden": (), "adaptive": False},
                                     {"delays": "axonal+dendritic"}])
def test_save_and_load_give_the_same_bits(tmp_path, changes):
    network = random_net(0, **changes)
    network.save(tmp_path / "network.safetensors", seed=7)
    loaded = Network.load(tmp_path / "network.safetensors")
    assert loaded.config == network.config
    assert loaded.arrays().keys() == network.arrays().keys()
    for name, array in network.arrays().items():
        np.testing.assert_array_equal(loaded.arrays()[name], array)
    _, header = load_arrays(tmp_path / "network.safetensors", "ranvier.network/2")
    assert json.loads(header["metadata"]) == {"seed": 7}
    assert json.loads(header["versions"]).keys() == {"ranvier", "numpy", "numba"}
    assert [path.name for path in tmp_path.iterdir()] == ["network.safetensors"]


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("weights/input/hidden0", (2, 1), np.nan, r"weights/input/hidden0\[2, 1\] .*finite.*nan"),
        ("delays/hidden1/output", (0, 2), 16.0, r"delays/hidden1/output\[0, 2\] .*15\], not .*16"),
        ("delays/input/hidden0", (0, 0), 0.4, r"delays/input/hidden0\[0, 0\] .*\[0.5, 15\]"),
        ("theta0/hidden0", (3,), 0.0, r"theta0/hidden0\[3\] must be finite and within"),
        ("beta/hidden1", (4,), -0.1, r"beta/hidden1\[4\] .*\[0, inf\]"),
    ],
)
def test_load_refuses_values_out_of_range(tmp_path, name, index, value, message):
    path = write_changed(tmp_path, lambda arrays, header: arrays[name].__setitem__(index, value))
    with pytest.raises(ValueError, match=rf"{path.name}: {message}"):
        Network.load(path)


def test_load_refuses_beta_where_thresholds_are_fixed(tmp_path):
    network = random_net(0, adaptive=False)
    network.beta["hidden0"][1] = 0.5
    with pytest.raises(ValueError, match=r"beta/hidden0\[1\] must be finite and within \[0, 0\]"):
        network.save(tmp_path / "network.safetensors")
    assert list(tmp_path.iterdir()) == []


def shape_changed(arrays, header):
    arrays["beta/hidden0"] = np.zeros(5)


def type_changed(arrays, header):
    arrays["beta/hidden0"] = np.zeros(6, np.float32)


def array_lost(arrays, header):
    del arrays["theta0/hidden1"]


def array_added(arrays, header):
    arrays["theta0/hidden2"] = np.ones(3)


def hash_changed(arrays, header):
    header["config"] = header["config"].replace("80.0", "81.0")


def key_unknown(arrays, header):
    header["config"] = header["config"].replace("tau_m", "tau_x")


def header_lost(arrays, header):
    del header["config_sha256"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (shape_changed, r"beta/hidden0 must be float64 of shape \(6,\), not float64 of shape"),
        (type_changed, r"beta/hidden0 must be float64 of shape \(6,\), not float32"),
        (array_lost, "exactly those of the config: 'theta0/hidden1', not missing"),
        (array_added, "exactly those of the config: 'theta0/hidden2', nothing more"),
        (hash_changed, "Hash of the config must be"),
        (key_unknown, "Network config must have exactly its fields"),
        (header_lost, "config_sha256"),
    ],
)
def test_load_refuses_files_that_do_not_fit(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        Network.load(write_changed(tmp_path, change))


def test_load_names_a_missing_a_damaged_and_a_foreign_file(tmp_path):
    with pytest.raises(ValueError, match=r"none\.safetensors must be a file"):
        Network.load(tmp_path / "none.safetensors")
    path = tmp_path / "network.safetensors"
    random_net(0).save(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"network.safetensors must be a whole safetensors file"):
        Network.load(path)
    save_arrays(path, {"a": np.ones(2)}, {"format": "other"})
    with pytest.raises(ValueError, match=r"must have the format ranvier\.network/2, not 'other'"):
        Network.load(path)


def write_changed(folder, change):
    """Write a network's file with something changed, past all checks."""
    path = folder / "network.safetensors"
    random_net(0).save(path)
    arrays, header = load_arrays(path, "ranvier.network/2")
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(arrays, header)
    save_arrays(path, arrays, header)
    return path


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "network.safetensors"
    random_net(0).save(path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        random_net(1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_random_networks_depend_on_the_seed_alone():
    one, same, other = random_net(1), random_net(1), random_net(2)
    for name, array in one.arrays().items():
        np.testing.assert_array_equal(array, same.arrays()[name])
    assert not np.array_equal(one.weights["input", "hidden0"], other.weights["input", "hidden0"])


def output_net(readout):
    """Return a net without hidden neurons in which input i drives output i alone."""
    network = random_net(0, inputs=3, hidden=(), readout=readout)
    network.weights["input", "output"][:] = 4 * np.eye(3)
    network.delays["input", "output"][0][:] = 2.0
    network.theta0.update({name: np.ones(3) for name in network.theta0})
    return network


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky"])
def test_of_equal_scores_the_lowest_class_wins(readout):
    data = random_data(0, samples=1, events=2, channels=3)
    data.times[:] = 1000
    data.channels[:] = (1, 2)
    network = output_net(readout)
    assert network.predict(data).tolist() == [1]
    network.delays["input", "output"][0][2, 2] = 1.9
    wanted = {"first-spike": 2, "spike-count": 1, "leaky": 2}
    assert network.predict(data).tolist() == [wanted[readout]]


@pytest.mark.parametrize("readout", ["first-spike", "spike-count", "leaky"])
def test_without_any_output_spike_it_is_class_0(readout):
    network = output_net(readout)
    network.weights["input", "output"][:] = 0.0
    assert network.predict(random_data(0, channels=3)).tolist() == [0, 0, 0]


def test_more_spikes_win_over_earlier_ones():
    data = random_data(0, samples=1, events=3, channels=3)
    data.times[:] = (1000, 20_000, 45_000)
    data.channels[:] = (0, 2, 2)
    assert output_net("spike-count").predict(data).tolist() == [2]
    assert output_net("first-spike").predict(data).tolist() == [0]


def test_spikes_are_sorted_and_agree_with_the_decision():
    network, data = random_net(3, readout="first-spike"), random_data(4)
    for sample, decision in enumerate(network.predict(data)):
        spikes = network.spikes(data, sample)
        assert spikes.keys() == {"input", "hidden0", "hidden1", "output"}
        for times, neurons in spikes.values():
            assert (np.diff(times) >= 0).all()
            assert times.shape == neurons.shape
            assert (times <= network.config.duration).all()
        np.testing.assert_array_equal(
            np.sort(spikes["input"][0]), data.times[30 * sample : 30 * sample + 30] * 1e-3
        )
        assert spikes["output"][1][0] == decision
