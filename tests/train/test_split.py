"""A validation set is split off the same way each time, by classes."""

import numpy as np
import pytest

from ranvier.train.samples import Dataset
from ranvier.train.split import split_off


def dataset(labels):
    """Sample i has one event at i microseconds."""
    count = len(labels)
    return Dataset(
        times=np.arange(count), channels=np.zeros(count, int), offsets=np.arange(count + 1),
        labels=np.asarray(labels), n_channels=1, n_classes=4,
    )  # fmt: skip


def test_each_class_gives_its_share():
    labels = np.repeat([0, 1, 2], [100, 40, 10])
    rest, split = split_off(dataset(labels), 0.2)
    np.testing.assert_array_equal(np.bincount(split.labels), [20, 8, 2])
    assert len(rest) + len(split) == 150
    np.testing.assert_array_equal(np.sort(np.concatenate([rest.times, split.times])), range(150))
    for part in (rest, split):
        assert (np.diff(part.times) > 0).all()
        np.testing.assert_array_equal(part.labels, labels[part.times])
    assert 0 < split.times[0]  # drawn, not the first ones
    again = split_off(dataset(labels), 0.2)
    np.testing.assert_array_equal(again[1].times, split.times)


def test_small_classes_keep_one_and_give_one():
    rest, split = split_off(dataset([0, 0, 1, 2, 2, 2]), 0.01)
    np.testing.assert_array_equal(np.bincount(split.labels, minlength=3), [1, 0, 1])
    rest, split = split_off(dataset([0, 0, 1, 2, 2, 2]), 0.99)
    np.testing.assert_array_equal(np.bincount(rest.labels, minlength=3), [1, 1, 1])


def test_classes_of_one_sample_each_cannot_be_split():
    with pytest.raises(ValueError, match="A class must have two samples to split one off"):
        split_off(dataset([0, 1, 2]), 0.5)
