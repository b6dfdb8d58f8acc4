"""Samples start at their onset, and neighbouring channels become one."""

import numpy as np
import pytest

from ranvier.train.datasets import DataConfig, load_dataset
from ranvier.train.npz import save_npz
from ranvier.train.onset import from_onset, pooled
from ranvier.train.samples import DataError, Dataset


def recordings(*samples, n_channels=6):
    """Make a dataset of lists of (time in us, channel)."""
    events = [event for sample in samples for event in sample]
    return Dataset(
        times=np.array([t for t, _ in events], int), channels=np.array([c for _, c in events], int),
        offsets=np.cumsum([0, *map(len, samples)]), labels=np.zeros(len(samples), int),
        n_channels=n_channels, n_classes=2,
    )  # fmt: skip


def lists(dataset):
    return [
        list(zip(*(array.tolist() for array in dataset.sample(i)), strict=True))
        for i in range(len(dataset))
    ]


def naive(sample, events, window):
    """Go through the events as they come."""
    for k, (time, _) in enumerate(sample):
        if k + 1 >= events and time - sample[k + 1 - events][0] <= 1000 * window:
            return [(t - time, c) for t, c in sample[k:]]
    return sample


def test_a_sample_starts_with_the_event_that_makes_its_onset():
    early = [(1000, 0), (9000, 1), (9500, 2), (9900, 3), (20000, 4)]
    data = recordings(early, [], [(0, 5), (400, 1), (800, 1)])
    found = lists(from_onset(data, 3, 1.0))
    assert found == [[(0, 3), (10100, 4)], [], [(0, 1)]]


def test_a_sample_without_an_onset_stays_as_it_is():
    data = recordings([(0, 0), (5000, 1), (9000, 1)], [(0, 0)])
    assert lists(from_onset(data, 2, 3.9)) == lists(data)


@pytest.mark.parametrize(("events", "window"), [(1, 0.0), (2, 0.5), (4, 2.0), (30, 5.0)])
def test_onsets_are_those_of_a_counter_that_sees_one_event_after_the_other(events, window):
    source = np.random.default_rng(3)
    samples = [
        [(int(t), int(source.integers(6))) for t in np.cumsum(source.integers(0, 2000, n))]
        for n in source.integers(0, 20, 100)
    ]
    data = recordings(*samples)
    want = recordings(*(naive(sample, events, window) for sample in lists(data)))
    assert lists(from_onset(data, events, window)) == lists(want)


def test_pooled_channels_are_those_of_their_neighbours():
    data = pooled(recordings([(0, 0), (1, 2), (2, 3), (3, 5)]), 3)
    assert data.n_channels == 2
    assert lists(data) == [[(0, 0), (1, 0), (2, 1), (3, 1)]]


def test_channels_that_do_not_divide_are_refused():
    with pytest.raises(DataError, match=r"^pool must be a whole part of 6 channels, not 4$"):
        pooled(recordings([(0, 0)]), 4)


def test_a_loaded_file_is_prepared_alike_in_all_sets(tmp_path):
    whole = recordings(*([(0, 5), (5000, 1), (5100, 4), (7000, 2)] for _ in range(3)))
    save_npz(tmp_path / "a.npz", whole, np.array([0, 1, 2]))
    sets = load_dataset(
        DataConfig(
            source="npz", path=str(tmp_path / "a.npz"), onset_events=2, onset_window=1.0, pool=2
        )
    )
    for name in ("train", "test", "validation"):
        assert lists(sets[name]) == [[(0, 2), (1900, 1)]]
        assert sets[name].n_channels == 3


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"onset_events": -1}, "onset_events must be 0 or more, not -1"),
        ({"onset_window": -1.0}, r"onset_window must be from 0 to 1e\+06 ms, not -1.0"),
        ({"pool": 0}, "pool must be at least 1, not 0"),
    ],
)
def test_settings_out_of_range_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        DataConfig(source="npz", path="a.npz", **changed)


def test_generated_data_have_no_onset():
    with pytest.raises(ValueError, match="yinyang must not have pool"):
        DataConfig(source="yinyang", pool=2)
