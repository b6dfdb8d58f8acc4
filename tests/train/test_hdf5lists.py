"""What lists of an HDF5 file claim is looked over before the library reads them."""

import io

import h5py
import numpy as np
import pytest

from ranvier.train.hdf5lists import stored_items
from ranvier.train.samples import DataError

LISTS = ([1, 2, 3], [], [4], list(range(2000)))


def write(path, *, chunks=None, userblock=0, **options):
    with h5py.File(path, "w", userblock_size=userblock) as h5:
        array = h5.create_dataset("a", len(LISTS), h5py.vlen_dtype("u2"), chunks=chunks,
                                  maxshape=chunks and (None,), **options)
        for i, items in enumerate(LISTS):
            array[i] = np.array(items, "u2")
    return path.read_bytes()


def look(path, content):
    """Return what `stored_items` says of a file of this content."""
    path.write_bytes(content)
    with h5py.File(path) as h5:
        return stored_items(h5, h5["a"], io.BytesIO(content), len(content))


@pytest.mark.parametrize("chunks", [None, (3,), (8,)])
@pytest.mark.parametrize("userblock", [0, 512])
def test_items_are_counted_wherever_they_are(tmp_path, chunks, userblock):
    content = write(tmp_path / "a.h5", chunks=chunks, userblock=userblock)
    assert look(tmp_path / "a.h5", content) == 2004


@pytest.mark.parametrize("chunks", [(2,), (3,), (8,)])
def test_items_are_counted_behind_gzip(tmp_path, chunks):
    content = write(tmp_path / "a.h5", chunks=chunks, compression="gzip")
    assert look(tmp_path / "a.h5", content) == 2004


def test_what_another_filter_hides_is_not_counted(tmp_path):
    content = write(tmp_path / "a.h5", chunks=(2,), compression="lzf")
    assert look(tmp_path / "a.h5", content) == 0


def test_an_array_without_items_has_none(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as h5:
        h5.create_dataset("a", 3, h5py.vlen_dtype("u2"))
    assert look(tmp_path / "a.h5", (tmp_path / "a.h5").read_bytes()) == 0


@pytest.mark.parametrize(("offset", "value", "sentence"), [
    (0, b"GCOX", "file must have a heap at byte {heap}, and hasn't"),
    (8, b"\xff" * 8, "file must have a heap at byte {heap}, and hasn't"),
    (8, b"\x01" + bytes(7), "file must have a heap at byte {heap}, and hasn't"),
    # An object without a number and of no size: the library would look at it for ever.
    (16, bytes(2) + b"\x01" + bytes(13), "heap at byte {heap} must hold its objects, and doesn't"),
    (24, b"\xff" * 8, "heap at byte {heap} must hold its objects, and doesn't"),
])
def test_heaps_that_are_not_sound_are_refused(tmp_path, offset, value, sentence):
    content = bytearray(write(tmp_path / "a.h5"))
    heap = content.index(b"GCOL")
    content[heap + offset : heap + offset + len(value)] = value
    with pytest.raises(DataError, match=f"^{sentence.format(heap=heap)}$"):
        look(tmp_path / "a.h5", bytes(content))
