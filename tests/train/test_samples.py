"""The record of labelled events."""

import numpy as np
import pytest

from ranvier.train.samples import DataError, Dataset, inflation_limit


def arrays(**changes):
    """Three samples of two, none and three events; the last has a tie in falling channels."""
    return {
        "times": np.array([10, 20, 5, 7, 7], np.uint32),
        "channels": np.array([1, 0, 3, 2, 1], np.uint8),
        "offsets": np.array([0, 2, 2, 5], np.uint16),
        "labels": np.array([1, 0, 2], np.int8),
        "n_channels": 4,
        "n_classes": 3,
    } | changes


def test_arrays_are_widened_and_ties_ordered_by_channel():
    dataset = Dataset(**arrays())
    assert dataset.channels.dtype == np.int32
    for array in (dataset.times, dataset.offsets, dataset.labels):
        assert array.dtype == np.int64
    np.testing.assert_array_equal(dataset.times, [10, 20, 5, 7, 7])
    np.testing.assert_array_equal(dataset.channels, [1, 0, 3, 1, 2])


def test_samples_have_their_own_events():
    dataset = Dataset(**arrays())
    assert len(dataset) == 3
    assert dataset.duration == 0.02
    times, channels = dataset.sample(2)
    np.testing.assert_array_equal(times, [5, 7, 7])
    np.testing.assert_array_equal(channels, [3, 1, 2])
    assert len(dataset.sample(1)[0]) == 0
    with pytest.raises(IndexError, match=r"^Sample must be 0 to 2, not -1$"):
        dataset.sample(-1)


def test_subset_keeps_each_sample_whole_and_in_the_order_asked():
    rng = np.random.default_rng(5)
    counts = rng.integers(0, 6, 40)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    times = np.concatenate([np.sort(rng.integers(0, 9, count)) for count in counts])
    dataset = Dataset(
        times=times,
        channels=rng.integers(0, 4, len(times)),
        offsets=offsets,
        labels=rng.integers(0, 3, 40),
        n_channels=4,
        n_classes=3,
    )
    indices = rng.integers(0, 40, 25)
    part = dataset.subset(indices)
    np.testing.assert_array_equal(part.labels, dataset.labels[indices])
    for i, index in enumerate(indices):
        for got, want in zip(part.sample(i), dataset.sample(index), strict=True):
            np.testing.assert_array_equal(got, want)
    with pytest.raises(DataError, match=r"^indices\[1\] must be 0 to 39, not 40$"):
        dataset.subset([0, 40])


def test_samples_without_events_last_no_time():
    dataset = Dataset(**arrays()).subset([1])
    assert (len(dataset), len(dataset.times), dataset.duration) == (1, 0, 0.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"times": np.array([10, 20, 5, 7, 6])},
            "times[4] (sample 2) must be at least 7, as the one before, not 6",
        ),
        (
            {"times": np.array([-1, 20, 5, 7, 7])},
            "times[0] must be 0 to 9007199254740991, not -1",
        ),
        (
            {"times": np.array([10, 2**64 - 1, 5, 7, 7], np.uint64)},
            "times[1] must be 0 to 9007199254740991, not 18446744073709551615",
        ),
        (
            {"times": np.zeros(5)},
            "times must be one-dimensional and hold integers, not 1-dimensional float64",
        ),
        (
            {"labels": np.zeros((3, 1), int)},
            "labels must be one-dimensional and hold integers, not 2-dimensional int64",
        ),
        ({"channels": np.array([1, 0, 3, 2, 4])}, "channels[4] must be 0 to 3, not 4"),
        ({"channels": np.array([1, 0, -1, 2, 1], np.int8)}, "channels[2] must be 0 to 3, not -1"),
        ({"channels": np.array([1, 0, 3, 2])}, "channels must have 5 items, not 4"),
        ({"labels": np.array([1, 3, 2])}, "labels[1] must be 0 to 2, not 3"),
        ({"labels": np.array([1, 0])}, "offsets must have 3 items, not 4"),
        ({"offsets": np.array([1, 2, 2, 5])}, "offsets[0] must be 0, not 1"),
        ({"offsets": np.array([0, 2, 2, 4])}, "offsets[3] must be 5, not 4"),
        ({"offsets": np.array([0, 2, 2, 6])}, "offsets[3] must be 0 to 5, not 6"),
        (
            {"offsets": np.array([0, 3, 2, 5])},
            "offsets[2] must be at least 3, as the one before, not 2",
        ),
        (
            {"labels": np.zeros(0, int), "offsets": np.zeros(1, int)},
            "labels must hold at least one sample, not none",
        ),
        ({"n_channels": 0}, "n_channels must be 1 to 65536, not 0"),
        ({"n_classes": 65537}, "n_classes must be 1 to 65536, not 65537"),
    ],
)
def test_broken_rule_names_array_index_value_and_range(changes, message):
    with pytest.raises(DataError) as caught:
        Dataset(**arrays(**changes))
    assert str(caught.value) == message


def test_times_may_fall_between_samples():
    assert Dataset(**arrays(offsets=np.array([0, 2, 2, 5]))).times[2] == 5


def test_inflation_is_limited_by_the_size_of_the_file():
    assert inflation_limit(1000) == 2**26
    assert inflation_limit(10**6) == 10**8
    assert inflation_limit(10**9) == 2**33
