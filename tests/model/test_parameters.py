import dataclasses
import re

import numpy as np
import pytest

from ranvier.model.files import load_arrays, save_arrays
from ranvier.model.parameters import FORMAT, Parameters
from ranvier.model.tables import make_tables

from ..designs import random_config, random_parameters


@pytest.fixture
def parameters():
    rng = np.random.default_rng(11)
    return random_parameters(rng, random_config(rng, readout="leaky", adaptive=True))


def test_save_and_load(parameters, tmp_path):
    path = tmp_path / "design.safetensors"
    parameters.save(path, seed="3")
    again = Parameters.load(path)
    assert again.config == parameters.config
    assert again.hash == parameters.hash
    np.testing.assert_array_equal(again.weight, parameters.weight)
    assert load_arrays(path, FORMAT)[1]["seed"] == "3"


def test_same_parameters_give_the_same_bytes(parameters, tmp_path):
    parameters.save(tmp_path / "one", seed="1", note="x")
    parameters.save(tmp_path / "two", note="x", seed="1")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "two"]


def test_the_hash_sees_every_array(parameters):
    for name in ("weight", "delay", "theta0", "beta"):
        array = getattr(parameters, name).copy()
        array[0] = array[0] - 1 if array[0] > 1 else array[0] + 1
        changed = dataclasses.replace(parameters, **{name: array})
        assert changed.hash != parameters.hash


def set_item(array, value):
    array = array.copy()
    array[-1] = value
    return array


@pytest.mark.parametrize(("name", "value", "message"), [
    ("target", 99, r"Parameters target\[\d+\] must be from 0 to \d+, not 99"),
    ("weight", 128, r"Parameters weight\[\d+\] must be from -128 to 127, not 128"),
    ("delay", 0, r"Parameters delay\[\d+\] must be from 1 to \d+, not 0"),
    ("theta0", 0, r"Parameters theta0\[\d+\] must be from 1 to \d+, not 0"),
    ("beta", -1, r"Parameters beta\[\d+\] must be from 0 to \d+, not -1"),
    ("row_start", 0, r"Parameters row_start must rise from 0 to \d+"),
])
def test_values_out_of_range_are_named(parameters, name, value, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(parameters, **{name: set_item(getattr(parameters, name), value)})


def test_shapes_types_and_capacity_are_checked(parameters):
    with pytest.raises(ValueError, match=r"Parameters weight must be an array of int32, not int64"):
        dataclasses.replace(parameters, weight=parameters.weight.astype(np.int64))
    with pytest.raises(ValueError, match=r"Parameters theta0 must have shape \(\d+,\), not"):
        dataclasses.replace(parameters, theta0=parameters.theta0[:-1])
    small = dataclasses.replace(parameters.config, fan_in=1)
    with pytest.raises(ValueError, match=r"Neuron \d+ must have at most 1 synapses"):
        dataclasses.replace(parameters, config=small)
    small = dataclasses.replace(parameters.config, synapses=1)
    with pytest.raises(ValueError, match=r"Bank \d+ must have at most 1 synapses"):
        dataclasses.replace(parameters, config=small)
    tables = parameters.tables._replace(low_m=parameters.tables.low_m + 1)
    with pytest.raises(ValueError, match=re.escape("Parameters tables.low_m[0] must be from 0")):
        dataclasses.replace(parameters, tables=tables)


def test_damaged_files_are_refused_by_name(parameters, tmp_path):
    path = tmp_path / "design.safetensors"
    with pytest.raises(ValueError, match=r"design.safetensors must be a file, and there is none"):
        Parameters.load(path)
    parameters.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with pytest.raises(ValueError, match=r"design.safetensors must be a whole safetensors file"):
        Parameters.load(path)
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    path.write_bytes(bytes(flipped))
    with pytest.raises(ValueError, match=r"design.safetensors: Parameters"):
        Parameters.load(path)
    save_arrays(path, {"weight": np.zeros(3)}, {"format": "other"})
    with pytest.raises(ValueError, match=r"must have the format ranvier.design/2"):
        Parameters.load(path)
    arrays, metadata = {"weight": np.zeros(3)}, {"format": FORMAT}
    save_arrays(path, arrays, {**metadata, "config": parameters.config.to_json(), "hash": "0"})
    with pytest.raises(ValueError, match=r"Parameters must be the arrays \["):
        Parameters.load(path)


@pytest.mark.parametrize(("fixed", "changes", "message"), [
    ({"rows": "dense"}, {"weight": [1, 0, 2]},
     r"Parameters weight\[1\] must not be 0 with dense rows, where that is no synapse"),
    ({"rows": "dense"}, {"target": [3, 1, 3]},
     "Source 1 must have one synapse on neuron 3 with dense rows, not more: use sparse rows"),
    ({"rows": "dense", "synapses": 4}, {"target": [0, 1, 4]},
     r"Bank 0 must have at most 4 synapses \(config synapses\), not 5"),
    ({"delays": "axonal", "segments": 2}, {"delay": [1, 2, 3]},
     r"Source 1 must have at most 2 delays in a bank \(config segments\) where delays are axonal, "
     "not 3: use more segments, or synaptic delays"),
])
def test_rows_that_cannot_be_stored_are_refused(fixed, changes, message):
    config = random_config(np.random.default_rng(0), inputs=3, neurons=5, banks=1, delay_max=4,
                           **{"synapses": 9, "adaptive": False, "fan_in": 4} | fixed)
    arrays = {"target": [0, 1, 3], "weight": [1, -1, 2], "delay": [2, 2, 2]} | changes
    with pytest.raises(ValueError, match=f"^{message}$"):
        Parameters(config=config, row_start=np.array([0, 0, *[3] * 7], np.int64),
                   **{name: np.array(values, np.int32) for name, values in arrays.items()},
                   theta0=np.ones(5, np.int64), beta=np.zeros(5, np.int64),
                   tables=make_tables(config))


def test_a_split_of_delays_is_kept_and_checked(tmp_path):
    rng = np.random.default_rng(4)
    parameters = random_parameters(rng, random_config(rng, delays="axonal+dendritic"))
    path = tmp_path / "design.safetensors"
    parameters.save(path)
    found = Parameters.load(path)
    assert found.hash == parameters.hash
    assert found.dendritic.tolist() == parameters.dendritic.tolist()
    assert found.kind.tolist() == parameters.kind.tolist()
    fields = {name: value for name, value in vars(parameters).items() if name != "hash"}
    for change, message in (
            ({"dendritic": None}, "Parameters dendritic must be an array of int32, not NoneType"),
            ({"kind": parameters.kind + 2}, r"Parameters kind\[0\] must be from 0 to 1, not"),
            ({"delay": np.ones_like(parameters.delay)},
             r"Parameters delay\[\d+\] must be above its dendritic part, \d+, not 1")):
        with pytest.raises(ValueError, match=f"^{message}"):
            Parameters(**fields | change)
