"""The HDF5 layout of SHD and SSC: what it takes, and what it refuses."""

import gzip
import resource

import h5py
import numpy as np
import pytest

from ranvier.train.samples import DataError
from ranvier.train.shd import load_shd

SECONDS = ([0.25, 0.5, 0.5], [], [0.0007, 1.25])
UNITS = ([699, 3, 2], [], [0, 0])


def write(
    path,
    seconds=SECONDS,
    units=UNITS,
    labels=(4, 0, 2),
    times_dtype="f2",
    units_dtype="u2",
    labels_dtype="u2",
    chunks=None,
):
    """Write the layout, as lists of any length."""
    with h5py.File(path, "w") as h5:
        for name, rows, dtype in (
            ("times", seconds, times_dtype),
            ("units", units, units_dtype),
        ):
            array = h5.create_dataset(
                f"spikes/{name}", len(rows), h5py.vlen_dtype(dtype), chunks=chunks,
                maxshape=chunks and (None,))
            for i, row in enumerate(rows):
                array[i] = np.array(row, dtype)
        h5["labels"] = np.array(labels, labels_dtype)
        h5["extra/speaker"] = np.zeros(len(labels), "u2")
    return path


def refusal(path):
    """Return the message with which a file is refused, without the path."""
    with pytest.raises(DataError) as caught:
        load_shd({"train": path}, 700)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_times_become_microseconds_and_ties_are_ordered(tmp_path):
    train = load_shd({"train": write(tmp_path / "train.h5")}, 700)["train"]
    # float16 holds 0.0007 s as 0.0006999969482421875.
    np.testing.assert_array_equal(train.times, [250000, 500000, 500000, 700, 1250000])
    np.testing.assert_array_equal(train.channels, [699, 2, 3, 0, 0])
    np.testing.assert_array_equal(train.offsets, [0, 3, 3, 5])
    np.testing.assert_array_equal(train.labels, [4, 0, 2])
    assert (train.n_channels, train.n_classes) == (700, 5)


def test_sets_share_their_classes(tmp_path):
    sets = load_shd(
        {
            "train": write(tmp_path / "train.h5"),
            "test": write(tmp_path / "test.h5", labels=(19, 0, 0)),
        },
        700,
    )
    assert [part.n_classes for part in sets.values()] == [20, 20]


@pytest.mark.parametrize("times_dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("units_dtype", ["i2", "u4", "i8"])
@pytest.mark.parametrize("labels_dtype", ["u1", ">i8"])
def test_other_widths_are_taken(tmp_path, times_dtype, units_dtype, labels_dtype):
    path = write(
        tmp_path / "train.h5",
        times_dtype=times_dtype,
        units_dtype=units_dtype,
        labels_dtype=labels_dtype,
    )
    train = load_shd({"train": path}, 700)["train"]
    np.testing.assert_array_equal(train.times, [250000, 500000, 500000, 700, 1250000])
    np.testing.assert_array_equal(train.channels, [699, 2, 3, 0, 0])
    np.testing.assert_array_equal(train.labels, [4, 0, 2])


def test_lists_in_foreign_byte_order_are_refused(tmp_path):
    path = write(tmp_path / "train.h5", units_dtype=">u2")
    assert refusal(path) == "spikes/units must be in this machine's byte order, not >u2"


@pytest.mark.parametrize("name", ["times", "units"])
@pytest.mark.parametrize("chunks", [None, (2,), (5,)])
@pytest.mark.parametrize("packed", [False, True])
def test_no_room_is_made_for_items_that_the_file_cannot_have(tmp_path, name, chunks, packed):
    path = write(tmp_path / "train.h5", chunks=chunks)
    assert len(load_shd({"train": path}, 700)["train"]) == 3
    with h5py.File(path) as h5:
        array, place = h5[f"spikes/{name}"], 32  # of the third list
        if chunks == (2,):
            place = 0
        offset = (array.id.get_chunk_info(1 if chunks == (2,) else 0).byte_offset if chunks
                  else array.id.get_offset())
    content = bytearray(path.read_bytes())
    assert content[offset + place : offset + place + 4] == bytes([2, 0, 0, 0])
    content[offset + place : offset + place + 4] = bytes([0, 0, 0, 64])
    path.write_bytes(gzip.compress(content) if packed else content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = refusal(path)
    items = 3 + (2 << 29)
    taken = 2 * items + 2 * 5
    assert message == f"spikes must take at most the file's {len(content)} bytes, not {taken}"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_gzip_is_unpacked_whatever_the_name(tmp_path):
    plain = write(tmp_path / "train.h5")
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    sets = load_shd({"train": plain, "test": packed}, 700)
    np.testing.assert_array_equal(sets["train"].times, sets["test"].times)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"seconds": ([0.5, 0.25, 0.5], [], [0, 1])},
            "spikes/times[0][1] must be at least 0.5, as the one before, not 0.25",
        ),
        (
            {"seconds": ([0.5, 0.5, 0.5], [], [-1, 1])},
            "spikes/times[2][0] must be 0 to 9007199254.740992, not -1.0",
        ),
        (
            {"seconds": ([0.5, 0.5, float("nan")], [], [0, 1])},
            "spikes/times[0][2] must be 0 to 9007199254.740992, not nan",
        ),
        (
            {"seconds": ([0.5, 0.5, float("inf")], [], [0, 1])},
            "spikes/times[0][2] must be 0 to 9007199254.740992, not inf",
        ),
        ({"units": ([0, 0, 0], [], [0, 700])}, "spikes/units[2][1] must be 0 to 699, not 700"),
        (
            {"units": ([0, 0, 0], [], [-1, 0]), "units_dtype": "i2"},
            "spikes/units[2][0] must be 0 to 699, not -1",
        ),
        (
            {"units": ([0, 0, 0], [1], [0, 0])},
            "spikes/units[1] must have 0 items, as spikes/times[1], not 1",
        ),
        ({"units": ([0, 0, 0], [])}, "spikes/units must have 3 items, as labels, not 2"),
        ({"labels": (4, -1, 0), "labels_dtype": "i2"}, "labels[1] must be 0 to 65535, not -1"),
        ({"labels": (4, 0, 0), "labels_dtype": "f4"}, "labels must hold integers, not float32"),
        (
            {"labels": (), "seconds": (), "units": ()},
            "labels must hold at least one sample, not none",
        ),
        (
            {"seconds": ([], [], []), "units": ([], [], [])},
            "spikes/times must hold at least one event, not none",
        ),
        ({"times_dtype": "i4"}, "spikes/times must hold lists of real numbers, not int32"),
        ({"units_dtype": "f4"}, "spikes/units must hold lists of integers, not float32"),
    ],
)
def test_wrong_value_is_named(tmp_path, changes, message):
    assert refusal(write(tmp_path / "train.h5", **changes)) == message


@pytest.mark.parametrize("name", ["labels", "spikes/times", "spikes/units"])
def test_missing_array_is_named(tmp_path, name):
    path = write(tmp_path / "train.h5")
    with h5py.File(path, "a") as h5:
        del h5[name]
    assert refusal(path) == f"{name} must be an array of the file, not None"


def test_array_of_another_kind_is_named(tmp_path):
    path = write(tmp_path / "train.h5")
    with h5py.File(path, "a") as h5:
        del h5["spikes/times"]
        h5["spikes/times"] = np.zeros(3)
    assert refusal(path) == "spikes/times must hold lists of real numbers, not float64"
    with h5py.File(path, "a") as h5:
        del h5["labels"]
        h5["labels"] = np.zeros((3, 1), int)
    assert refusal(path) == "labels must be one list, not of shape (3, 1)"


def test_declared_length_beyond_the_file_is_refused(tmp_path):
    path = write(tmp_path / "train.h5")
    with h5py.File(path, "a") as h5:
        del h5["labels"]
        h5.create_dataset("labels", 10**12, "u1", chunks=(1024,))
    assert refusal(path) == "labels must be one list, not of shape (1000000000000,)"


def test_file_that_is_no_hdf5_is_refused(tmp_path):
    path = tmp_path / "train.h5"
    assert refusal(path) == "file must be there, not missing"
    whole = write(path).read_bytes()
    for data in (b"", b"spikes", whole[: len(whole) // 2], gzip.compress(whole)[:-9]):
        path.write_bytes(data)
        assert refusal(path).startswith("file must be a sound HDF5 file, not broken: ")


def test_packed_bomb_is_refused(tmp_path):
    path = tmp_path / "train.h5.gz"
    path.write_bytes(gzip.compress(bytes(2**26 + 1), compresslevel=1))
    assert refusal(path) == "file must inflate to at most 67108864 bytes, not more"


def test_lists_that_share_their_items_are_refused(tmp_path):
    path = tmp_path / "train.h5"
    rows = [np.zeros(1000)] + 199 * [[]]
    size = len(write(path, seconds=rows, units=rows, labels=np.zeros(200)).read_bytes())
    data = path.read_bytes()
    # A list is stored as its length, and the address and number of its items elsewhere.
    start = data.index((1000).to_bytes(4, "little"))
    shared = data[start : start + 16]
    path.write_bytes(data[:start] + 200 * shared + data[start + 200 * 16 :])
    assert refusal(path).startswith(f"spikes must take at most the file's {size} bytes, not ")
