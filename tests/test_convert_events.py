"""The script that converts event files with time differences."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from ranvier.train.npz import load_npz

SCRIPT = Path(__file__).parents[1] / "examples" / "convert_events.py"


@pytest.fixture(scope="module")
def convert():
    spec = importlib.util.spec_from_file_location("convert_events", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Four samples of two speakers; the second has no events.
SAMPLES = [
    ([3, 5, 5], [0, 299, 7]),
    ([], []),
    ([300, 301], [256, 1]),
    ([2], [4]),
]


@pytest.fixture
def source(tmp_path):
    def write(**changes):
        channels = np.concatenate([channel for _, channel in SAMPLES]).astype(int)
        arrays = dict(
            dt=np.concatenate([np.diff(time, prepend=0) for time, _ in SAMPLES]).astype(np.uint16),
            ch_lo=(channels % 256).astype(np.uint8),
            ch_hi=(channels // 256).astype(np.uint8),
            offsets=np.cumsum([0] + [len(time) for time, _ in SAMPLES]),
            label=np.array([1, 0, 1, 0], np.uint8),
            split=np.array([0, 1, 0, 0], np.uint8),
            official=np.array([1, 0, 0, 0], np.uint8),
            speaker=np.array([0, 0, 1, 2], np.uint8),
            speaker_names=np.array(["ann", "bob", "cid"]),
            tick_us=np.int64(250),
            channels=np.int64(300),
        )
        path = tmp_path / "events.npz"
        np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})
        return str(path)

    return write


def run(convert, source, *options):
    target = Path(source).parent / "out" / "converted.npz"
    convert.main([source, str(target), *options])
    return load_npz(target)


def labels(sets):
    return {name: part.labels.tolist() for name, part in sets.items()}


def test_events_are_those_of_the_file(convert, source, capsys):
    sets = run(convert, source())
    assert capsys.readouterr().out.endswith("3 train, 1 test, 300 channels, 6 events\n")
    assert labels(sets) == {"train": [1, 1, 0], "test": [0]}
    # In the order of channels at equal times.
    for index, (want_times, want_channels) in enumerate(
        [([750, 1250, 1250], [0, 7, 299]), ([75_000, 75_250], [256, 1]), ([500], [4])]
    ):
        times, channels = sets["train"].sample(index)
        np.testing.assert_array_equal(times, want_times)
        np.testing.assert_array_equal(channels, want_channels)
    assert len(sets["test"].sample(0)[0]) == 0
    assert (sets["train"].n_channels, sets["train"].n_classes) == (300, 2)


def test_one_byte_is_enough_for_few_channels(convert, source):
    sets = run(convert, source(ch_hi=None, channels=np.int64(256)))
    np.testing.assert_array_equal(sets["train"].sample(1)[1], [0, 1])


def test_another_array_may_be_the_split(convert, source):
    assert labels(run(convert, source(), "--split", "official"))["test"] == [1]


def test_speakers_are_set_apart(convert, source):
    assert labels(run(convert, source(), "--test", "ann")) == {"train": [1, 0], "test": [1, 0]}
    sets = run(convert, source(), "--test", "bob", "--validation", "cid")
    assert labels(sets) == {"train": [1, 0], "test": [1], "validation": [0]}


def test_speakers_without_names_go_by_their_numbers(convert, source):
    assert labels(run(convert, source(speaker_names=None), "--test", "1", "2"))["test"] == [1, 0]


def test_neighbours_are_pooled(convert, source):
    sets = run(convert, source(), "--pool", "100")
    assert sets["train"].n_channels == 3
    np.testing.assert_array_equal(sets["train"].sample(0)[1], [0, 0, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pool", "7"], "--pool must be a whole part of 300 channels, not 7"),
        (["--test", "dan"], "Speakers must be of ann, bob, cid, not 'dan'"),
        (["--split", "fold"], "must have the array 'fold', not miss it"),
        (["--validation", "ann"], "2"),
    ],
)
def test_what_cannot_be_done_is_said(convert, source, options, message):
    with pytest.raises(SystemExit, match=message):
        run(convert, source(), *options)
