"""Augmented samples are what the settings say, and follow from the seed alone."""

from itertools import pairwise

import numpy as np
import pytest

from ranvier.train import augment as augment_module
from ranvier.train.augment import Augmenter
from ranvier.train.engine import Inputs
from ranvier.train.samples import Dataset
from ranvier.train.settings import TrainConfig


def settings(**changes):
    return TrainConfig(epochs=1, **changes)


def rng(seed=0):
    return np.random.default_rng(seed)


def augment(data, changed, source):
    """Change all samples."""
    return Augmenter(data, changed).draw(np.arange(len(data)), source)


@pytest.fixture(scope="module")
def data():
    """200 samples of 0 to 39 events, in 4 classes on 50 channels."""
    source = rng(1)
    counts = source.integers(0, 40, 200)
    counts[7] = 0
    times = [np.sort(source.integers(0, 80_000, n)) for n in counts]
    return Dataset(
        times=np.concatenate(times), channels=source.integers(0, 50, counts.sum()),
        offsets=np.concatenate([[0], np.cumsum(counts)]), labels=source.integers(0, 4, 200),
        n_channels=50, n_classes=4,
    )  # fmt: skip


def lists(inputs, sample):
    """Return a sample's events as (time, channel), in the order of channels."""
    start = inputs.start[sample]
    return [
        (time, channel)
        for channel, (a, b) in enumerate(pairwise(start))
        for time in inputs.time[a:b]
    ]


CHANGES = {
    "blend": 0.5, "stretch": 0.1, "shift": 3, "spread": 1.0, "tempo": 0.1, "dropout": 0.2,
    "fading": 0.5, "jitter": 2.0,
}  # fmt: skip


def test_nothing_is_drawn_where_nothing_is_set(data):
    source = rng()
    inputs = augment(data, settings(), source)
    np.testing.assert_array_equal(inputs.time, Inputs.of(data).time)
    assert source.random() == rng().random()
    assert not Augmenter(data, settings()).active


@pytest.mark.parametrize("name", CHANGES)
def test_equal_seeds_give_equal_samples_and_others_do_not(data, name):
    changed = settings(**{name: CHANGES[name]})
    assert Augmenter(data, changed).active
    one, again, other = (augment(data, changed, rng(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.time, again.time)
    np.testing.assert_array_equal(one.start, again.start)
    assert not (
        np.array_equal(one.time, other.time) and np.array_equal(one.start, other.start)
    )


def test_a_shift_moves_a_sample_as_a_whole_and_drops_what_leaves(data):
    inputs = augment(data, settings(shift=3), rng())
    plain = Inputs.of(data)
    moves = set()
    for sample in range(len(data)):
        found = lists(inputs, sample)
        fits = [
            move for move in range(-3, 4)
            if found == [(t, c + move) for t, c in lists(plain, sample) if 0 <= c + move < 50]
        ]  # fmt: skip
        assert fits
        moves |= set(fits[:1])
    assert moves == set(range(-3, 4))


@pytest.fixture
def dense():
    """2000 samples of an event on each of 101 channels, 10 ms apart."""
    return Dataset(
        times=np.tile(np.arange(101) * 10_000, 2000), channels=np.tile(np.arange(101), 2000),
        offsets=np.arange(2001) * 101, labels=np.zeros(2000, int), n_channels=101, n_classes=1,
    )  # fmt: skip


def test_every_change_is_in_a_list():
    for name in CHANGES:
        assert settings(**{name: CHANGES[name]})
    assert set(CHANGES) == set(augment_module.CHANGES)


def test_a_stretch_keeps_the_middle_and_multiplies_distances_from_it(dense):
    inputs = augment(dense, settings(stretch=0.1), rng())
    factors = []
    for sample in range(len(dense)):
        pairs = np.array(lists(inputs, sample))
        source, moved = pairs[:, 0] / 10 - 50, pairs[:, 1] - 50
        factor = (moved @ source) / (source @ source)
        assert np.abs(moved - factor * source).max() < 1.5  # rounding, and that of the fit
        factors.append(np.log(factor))
    assert np.mean(factors) == pytest.approx(0, abs=0.01)
    assert np.std(factors) == pytest.approx(0.1, rel=0.1)


def test_a_stretch_leaves_no_channel_empty(dense):
    augmenter, channel = Augmenter(dense, settings(stretch=0.2)), np.tile(np.arange(101), 2000)
    moved = augmenter.moved(channel, np.zeros(len(channel), int), 1, rng(3))
    counts = np.bincount(moved - moved.min())[5:-5]
    assert counts.max() / counts.min() < 1.2


def test_a_spread_moves_each_event_by_itself(dense):
    channel = np.full(20_000, 50)
    moved = Augmenter(dense, settings(spread=3.0)).moved(channel, channel, 51, rng())
    assert moved.mean() == pytest.approx(50, abs=0.1)
    assert moved.std() == pytest.approx(np.hypot(3, np.sqrt(1 / 12)), rel=0.03)


def test_a_tempo_multiplies_all_times_of_a_sample(dense):
    inputs, factors = augment(dense, settings(tempo=0.2), rng()), []
    for sample in range(len(dense)):
        time, channel = np.array(lists(inputs, sample)).T
        factors.append(time[1] / 10)
        np.testing.assert_allclose(time, factors[-1] * 10 * channel)
    assert np.log(factors).mean() == pytest.approx(0, abs=0.02)
    assert np.log(factors).std() == pytest.approx(0.2, rel=0.05)


def test_fading_leaves_out_another_share_of_each_sample(dense):
    inputs = augment(dense, settings(fading=0.6, dropout=0.2), rng())
    kept = (inputs.start[:, -1] - inputs.start[:, 0]) / 101
    assert kept.mean() == pytest.approx(0.5, abs=0.01)
    assert np.quantile(kept, [0.1, 0.9]) == pytest.approx([0.26, 0.74], abs=0.03)


def test_dropout_leaves_out_the_share_asked_for(data):
    inputs = augment(data, settings(dropout=0.25), rng())
    assert len(inputs.time) / len(data.times) == pytest.approx(0.75, abs=0.03)
    assert set(inputs.time) <= set(data.times * 1e-3)


def test_without_fading_each_event_draws_one_number(data):
    inputs = augment(data, settings(dropout=0.25), rng())
    assert len(inputs.time) == (rng().random(len(data.times)) >= 0.25).sum()


def test_jitter_has_the_spread_asked_for(data):
    alone = data.subset(np.flatnonzero(np.diff(data.offsets) > 0))
    single = Dataset(
        times=np.full(5000, 50_000), channels=np.zeros(5000, int), offsets=np.arange(5001),
        labels=np.zeros(5000, int), n_channels=1, n_classes=1,
    )  # fmt: skip
    inputs = augment(single, settings(jitter=4.0), rng())
    assert inputs.time.std() == pytest.approx(4.0, rel=0.05)
    assert inputs.time.mean() == pytest.approx(50.0, abs=0.2)
    assert (augment(alone, settings(jitter=40.0), rng()).time >= 0).all()


def test_partners_are_others_of_the_class_all_equally_often():
    labels = np.array([2, 0, 2, 1, 2, 0])
    data = Dataset(
        times=np.zeros(0, int), channels=np.zeros(0, int), offsets=np.zeros(7, int), labels=labels,
        n_channels=1, n_classes=3,
    )  # fmt: skip
    rows, source = np.array([4, 0, 1, 2, 3, 5]), rng()
    augmenter = Augmenter(data, settings())
    drawn = np.array([augmenter.partners(rows, source) for _ in range(2000)])
    assert (labels[drawn] == labels[rows]).all()
    assert (drawn[:, 4] == 3).all()  # alone in its class
    assert (np.delete(drawn, 4, axis=1) != np.delete(rows, 4)).all()
    assert np.mean(drawn[:, 1] == 2) == pytest.approx(0.5, abs=0.05)


def test_a_batch_has_the_samples_asked_for_in_their_order(data):
    rows = np.array([9, 3, 120, 7, 3])
    inputs, plain = Augmenter(data, settings()).draw(rows, rng()), Inputs.of(data)
    for turn, row in enumerate(rows):
        assert lists(inputs, turn) == lists(plain, row)


def test_a_blended_sample_is_half_of_either_at_the_same_mean_time(data):
    augmenter, rows = Augmenter(data, settings(blend=1.0)), rng(5).permutation(len(data))
    time, channel, turn = augmenter.blended(rows, rng())
    sample = rows[turn]
    other = np.empty(len(data), int)
    other[rows] = augmenter.partners(rows, rng())  # the first that blending draws
    share = []
    for i in range(len(data)):
        own = list(zip(*data.sample(i), strict=True))
        guest = list(zip(*data.sample(other[i]), strict=True))
        events = list(zip(time[sample == i], channel[sample == i], strict=True))
        if not own or not guest:
            assert len(events) == len(own)
            continue
        ahead = np.mean([t for t, _ in own]) - np.mean([t for t, _ in guest])
        allowed = {(round(t), c) for t, c in own}
        allowed |= {(round(t + ahead), c) for t, c in guest if t + ahead >= 0}
        assert {(round(1000 * t), c) for t, c in events} <= allowed
        share.append(len(events) / len(allowed))
    assert np.mean(share) == pytest.approx(0.5, abs=0.03)
    assert (time >= 0).all()


def test_the_probability_is_that_of_a_sample(data):
    rows = np.arange(len(data))
    time, _, sample = Augmenter(data, settings(blend=0.3)).blended(rows, rng())
    same = [
        np.array_equal(time[sample == i], data.sample(i)[0] * 1e-3) for i in range(len(data))
    ]
    assert np.mean(same) == pytest.approx(0.7, abs=0.1)
