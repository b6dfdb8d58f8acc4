"""The .npz layout: what it takes, and what it refuses."""

import io
import pickle
import zipfile

import numpy as np
import pytest

from ranvier.train.npz import load_npz, save_npz
from ranvier.train.samples import DataError, Dataset


def arrays(**changes):
    """Four samples, two of them of the training set, one of test and one of validation."""
    members = {
        "times": np.array([10, 20, 5, 7, 7, 300000], np.uint32),
        "channels": np.array([1, 0, 3, 2, 1, 0], np.uint8),
        "offsets": np.array([0, 2, 2, 5, 6]),
        "labels": np.array([1, 0, 2, 0], np.uint8),
        "split": np.array([0, 1, 0, 2], np.uint8),
        "n_channels": np.array(4),
        "n_classes": np.array(3),
    } | changes
    return {name: values for name, values in members.items() if values is not None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.npz"


def write_members(path, members, compression=zipfile.ZIP_STORED):
    """Write an archive of raw members, with right sums."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)


def raw(values):
    """Return one array as the bytes of its member."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def raw_members(**changes):
    return [(f"{name}.npy", raw(values)) for name, values in arrays(**changes).items()]


def refusal(path):
    """Return the message with which a file is refused, without the path."""
    with pytest.raises(DataError) as caught:
        load_npz(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def contents(sets):
    """Return all that sets hold, to compare."""
    return {
        name: [
            getattr(part, field).tolist() for field in ("times", "channels", "offsets", "labels")
        ]
        + [part.n_channels, part.n_classes]
        for name, part in sets.items()
    }


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_numpy_file_loads_by_sets(path, write):
    write(path, **arrays())
    assert contents(load_npz(path)) == {
        "train": [[10, 20, 5, 7, 7], [1, 0, 3, 1, 2], [0, 2, 5], [1, 2], 4, 3],
        "test": [[], [], [0, 0], [0], 4, 3],
        "validation": [[300000], [0], [0, 1], [0], 4, 3],
    }


def test_any_integer_type_and_byte_order_is_taken(path):
    np.savez(path, **arrays())
    want = contents(load_npz(path))
    for dtype in ("<i4", ">i4", ">u8", "<i8"):
        np.savez(path, **{name: values.astype(dtype) for name, values in arrays().items()})
        assert contents(load_npz(path)) == want


def test_written_file_loads_again_and_has_the_same_bytes(path):
    parts = arrays()
    split = parts.pop("split")
    whole = Dataset(**{k: v if v.ndim else int(v) for k, v in parts.items()})
    save_npz(path, whole, split)
    first = path.read_bytes()
    save_npz(path, whole, split)
    assert path.read_bytes() == first
    got = contents(load_npz(path))
    np.savez(path, **arrays())
    assert got == contents(load_npz(path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": None}, "split must be in the file once, not 0 times"),
        ({"split": np.array([0, 1, 0])}, "split must have 4 items, not 3"),
        ({"split": np.array([0, 1, 3, 0])}, "split[2] must be 0 to 2, not 3"),
        (
            {"split": np.array([0, 2, 0, 0])},
            "split must be 1 for at least one test sample, not for none",
        ),
        (
            {"split": np.array([1, 1, 1, 2])},
            "split must be 0 for at least one train sample, not for none",
        ),
        ({"times": np.zeros(6, "f4")}, "times must hold integers, not type '<f4'"),
        ({"labels": np.zeros(4, bool)}, "labels must hold integers, not type '|b1'"),
        ({"labels": np.zeros((4, 1), int)}, "labels must have 1 dimensions, not 2"),
        ({"n_classes": np.array([3])}, "n_classes must have 0 dimensions, not 1"),
        ({"n_channels": np.array(3)}, "channels[2] must be 0 to 2, not 3"),
        (
            {"times": np.array([10, 9, 5, 7, 7, 3])},
            "times[1] (sample 0) must be at least 10, as the one before, not 9",
        ),
        (
            {"times": np.zeros(0, int), "channels": np.zeros(0, int), "offsets": np.zeros(5, int)},
            "times must hold at least one event, not none",
        ),
        (
            {"speaker": np.zeros(4)},
            "arrays must be times, channels, offsets, labels, split, n_channels, n_classes, "
            "not 'speaker.npy'",
        ),
    ],
)
def test_wrong_array_is_named(path, changes, message):
    np.savez(path, **arrays(**changes))
    assert refusal(path) == message


def test_pickle_is_refused_and_never_run(path, tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    write_members(path, raw_members(times=np.array([Trap()] * 6)))
    assert refusal(path) == "times must hold integers, not pickled objects"
    path.write_bytes(pickle.dumps(Trap()))
    assert refusal(path).startswith("file must be a sound .npz, not broken: ")
    assert not (tmp_path / "sprung").exists()


def test_missing_file_is_named(path):
    assert refusal(path) == "file must be there, not missing"


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_duplicate_member_is_refused(path):
    write_members(path, [*raw_members(), ("times.npy", raw(np.zeros(6, int)))])
    assert refusal(path) == "times must be in the file once, not 2 times"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_without_a_limit_is_refused(path, method):
    write_members(path, raw_members(), method)
    assert refusal(path) == f"times must be stored or deflated, not compressed by method {method}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-4], "times must have 24 bytes of items, not 20"),
        (lambda data: data + b"\0", "times must have 24 bytes of items, not 25"),
        (lambda data: data[:6], r"times must start as an .npy array, not with b'\x93NUMPY'"),
        (
            lambda data: data.replace(b"(6,), }" + 10 * b" ", b"(99999999999,), }"),
            "times must have 399999999996 bytes of items, not 24",
        ),
        (
            lambda data: data.replace(b"(6,)", b"(-6)"),
            "times must have the header of a plain array, not ",
        ),
        (
            lambda data: data[:8] + b"\xff\xff" + data[10:],
            "times must have a header of at most 10000 bytes, not 65535",
        ),
    ],
)
def test_header_and_bytes_must_agree(path, change, message):
    (name, data), *others = raw_members()
    write_members(path, [(name, change(data)), *others])
    assert refusal(path).startswith(message)


def test_bomb_is_refused_before_it_inflates(path):
    others = raw_members()[1:]
    write_members(path, [("times.npy", bytes(2**26)), *others], zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**17
    assert refusal(path).startswith("arrays must inflate to at most 67108864 bytes, not ")


def patch(path, **fields):
    """Set fields of the first entry of an archive's directory, which is that of times."""
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    places = {"version": (6, 8), "flags": (8, 10), "packed": (20, 24), "size": (24, 28)}
    for name, value in fields.items():
        start, end = (entry + place for place in places[name])
        data[start:end] = value.to_bytes(end - start, "little")
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 2**25}, "times must have 2400 bytes of items, not 33554304"),
        ({"size": 128 + 2400}, "times must have 2400 bytes of items, not 24"),
        (
            {"size": 128 + 2400, "packed": 128 + 2400},
            "file must be a sound .npz, not broken: ",
        ),
        ({"flags": 1}, "file must be a sound .npz, not broken: File <ZipInfo filename='times.npy'"),
        ({"version": 99}, "file must be a sound .npz, not broken: zip file version 9.9"),
    ],
)
def test_directory_must_agree_with_the_members(path, fields, message):
    (name, data), *others = raw_members()
    claim = data.replace(b"(6,), }  ", b"(600,), }")
    write_members(path, [(name, claim), *others])
    patch(path, **fields)
    assert refusal(path).startswith(message)


def test_member_beyond_any_file_is_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in raw_members():
            archive.writestr(name, data)
        archive.infolist()[0].header_offset = 2**64 - 1
    assert refusal(path).startswith("file must be a sound .npz, not broken: ")


def mutate(data, rng):
    """Return ``data`` with one to three small changes: bytes set, cut out, put in or cut off."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(len(data)))
        kind = rng.integers(8)
        if kind == 0 and at:
            del data[at : at + int(rng.integers(1, 40))]
        elif kind == 1:
            data[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif kind == 2 and at:
            del data[at:]
        else:
            data[at] = rng.choice([rng.integers(256), 0, 255, data[at] ^ 1 << rng.integers(8)])
    return bytes(data)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_mutated_file_loads_the_same_or_is_refused(path, write):
    write(path, **arrays())
    valid, want = path.read_bytes(), contents(load_npz(path))
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(300):
        path.write_bytes(mutate(valid, rng))
        try:
            assert contents(load_npz(path)) == want
        except DataError:
            refused += 1
    assert refused > 200


def test_mutated_array_with_right_sums_loads_in_bounds_or_is_refused(path):
    rng = np.random.default_rng(8)
    loaded = refused = 0
    for _ in range(400):
        members = raw_members()
        i = int(rng.integers(len(members)))
        name, data = members[i]
        if rng.integers(2):
            data = mutate(data, rng)
        else:
            data = bytearray(data)
            data[int(rng.integers(120, len(data)))] = rng.integers(256)
        members[i] = (name, bytes(data))
        write_members(path, members)
        try:
            sets = load_npz(path)
        except DataError:
            refused += 1
            continue
        loaded += 1
        for part in sets.values():
            for index, label in enumerate(part.labels):
                events = list(zip(*part.sample(index), strict=True))
                assert events == sorted(events)
                assert 0 <= label < part.n_classes
                assert all(0 <= channel < part.n_channels for _, channel in events)
    assert refused > 200
    assert loaded > 10
