"""The choice of a source."""

import re
from dataclasses import replace

import h5py
import numpy as np
import pytest

from ranvier.train.datasets import DataConfig, DataError, load_dataset


def test_npz_is_loaded(tmp_path):
    np.savez(
        tmp_path / "events.npz",
        times=[3, 4],
        channels=[0, 1],
        offsets=[0, 1, 2],
        labels=[0, 1],
        split=[0, 1],
        n_channels=2,
        n_classes=2,
    )
    sets = load_dataset(DataConfig(source="npz", path="events.npz").resolved(tmp_path))
    assert {name: part.times.tolist() for name, part in sets.items()} == {"train": [3], "test": [4]}


def write_npz(path, split):
    """Ten samples of one event each, at their index, in two classes in turn."""
    np.savez(
        path, times=range(10), channels=[0] * 10, offsets=range(11), labels=[0, 1] * 5,
        split=split, n_channels=1, n_classes=2,
    )  # fmt: skip


def test_a_part_of_the_training_samples_becomes_the_validation_set(tmp_path):
    write_npz(tmp_path / "events.npz", [0] * 8 + [1] * 2)
    config = DataConfig(source="npz", path="events.npz", validation_part=0.25).resolved(tmp_path)
    sets = load_dataset(config)
    assert {name: len(part) for name, part in sets.items()} == {
        "train": 6, "validation": 2, "test": 2,
    }  # fmt: skip
    assert sorted(sets["validation"].labels) == [0, 1]
    assert sorted([*sets["train"].times, *sets["validation"].times]) == list(range(8))


def test_data_with_a_validation_set_are_not_split(tmp_path):
    write_npz(tmp_path / "events.npz", [0] * 6 + [1] * 2 + [2] * 2)
    config = DataConfig(source="npz", path="events.npz", validation_part=0.25).resolved(tmp_path)
    with pytest.raises(DataError, match="validation_part must be 0 for data that have a valida"):
        load_dataset(config)


def test_yinyang_has_the_sizes_asked():
    config = DataConfig(source="yinyang", train_size=6, validation_size=5, test_size=4)
    sets = load_dataset(config)
    assert {name: len(part) for name, part in sets.items()} == {
        "train": 6,
        "validation": 5,
        "test": 4,
    }
    assert max(part.duration for part in sets.values()) <= 30.0


def test_sequences_have_the_sizes_and_classes_asked():
    config = DataConfig(source="sequence", inputs=3, train_size=6, validation_size=5, test_size=4)
    sets = load_dataset(config)
    assert {name: len(part) for name, part in sets.items()} == {
        "train": 6,
        "validation": 5,
        "test": 4,
    }
    assert {part.n_classes for part in sets.values()} == {6}


def test_each_file_of_shd_is_a_set(tmp_path):
    paths = {}
    for label, name in enumerate(("train", "validation", "test")):
        paths[f"{name}_path"] = f"{name}.h5"
        with h5py.File(tmp_path / f"{name}.h5", "w") as h5:
            h5["labels"] = [label]
            for array, dtype in (("times", "f2"), ("units", "u2")):
                h5.create_dataset(f"spikes/{array}", 1, h5py.vlen_dtype(dtype))[0] = [3]
    config = DataConfig(source="shd", n_channels=4, **paths)
    sets = load_dataset(config.resolved(tmp_path))
    assert {name: part.labels.tolist() for name, part in sets.items()} == {
        "train": [0],
        "validation": [1],
        "test": [2],
    }
    assert sets["train"].n_channels == 4
    sets = load_dataset(replace(config, validation_path=None).resolved(tmp_path))
    assert list(sets) == ["train", "test"]


def test_missing_file_is_named_where_the_experiment_is(tmp_path):
    config = DataConfig(source="npz", path="events.npz").resolved(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(config)
    assert str(caught.value) == f"{tmp_path / 'events.npz'}: file must be there, not missing"


def test_absolute_path_stays(tmp_path):
    path = str(tmp_path / "events.npz")
    assert DataConfig(source="npz", path=path).resolved("/elsewhere").path == path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"source": "mnist"},
            "Data source must be one of npz, shd, yinyang, sequence, not 'mnist'",
        ),
        ({"source": "npz"}, "Data source npz must have path, not none"),
        (
            {"source": "shd", "test_path": "a.h5"},
            "Data source shd must have train_path, not none",
        ),
        (
            {"source": "npz", "path": "a.npz", "t_late": 20.0},
            "Data source npz must not have t_late, not t_late = 20.0",
        ),
        (
            {"source": "yinyang", "path": "a.npz"},
            "Data source yinyang must not have path, not path = 'a.npz'",
        ),
        (
            {"source": "yinyang", "validation_part": 0.5},
            "Data source yinyang must not have validation_part, not validation_part = 0.5",
        ),
        (
            {"source": "npz", "path": "a.npz", "validation_part": 1.0},
            "validation_part must be 0 or more and below 1, not 1.0",
        ),
        (
            {"source": "yinyang", "gap": 5.0},
            "Data source yinyang must not have gap, not gap = 5.0",
        ),
        ({"source": "sequence", "inputs": 9}, "inputs must be 2 to 8, not 9"),
        (
            {"source": "sequence", "gap": 0.0, "noise": 1.0},
            "gap must be above 0, noise 0 or more, and both at most 1e+06, not 0.0 and 1.0",
        ),
        (
            {"source": "sequence", "noise": float("nan")},
            "gap must be above 0, noise 0 or more, and both at most 1e+06, not 10.0 and nan",
        ),
        ({"source": "yinyang", "test_size": 0}, "test_size must be at least 1, not 0"),
        (
            {"source": "yinyang", "t_early": 30.0},
            "t_early and t_late must be 0 or more, and rise, not 30.0 and 30.0",
        ),
        (
            {"source": "yinyang", "t_late": float("nan")},
            "t_early and t_late must be 0 or more, and rise, not 0.0 and nan",
        ),
    ],
)
def test_wrong_setting_is_named(settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        DataConfig(**settings)
