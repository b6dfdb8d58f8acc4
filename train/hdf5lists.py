"""Lists in HDF5 files, looked over before the library reads them.

It makes room for as many items as a list says it has, before it looks whether they are there; and
in a heap with an object that takes no room it goes on for ever. The layout of both is that of the
HDF5 File Format Specification, version 3.0.
"""

import zlib

import h5py
import numpy as np

from .samples import DataError

__all__ = ["stored_items"]

_LIST = np.dtype([("items", "<u4"), ("heap", "<u8"), ("object", "<u4")])
_OBJECT = 16  # bytes of the head of a heap, and of each of its objects


def stored_items(h5, array, raw, size):
    """Return how many items all lists of an array have, as the file says.

    0 if another filter than gzip's hides it: such files are read without a look.

    Parameters
    ----------
    h5 : h5py.File
    array : h5py.Dataset
        One-dimensional, of lists.
    raw : binary file
        The same file's bytes, ``size`` of them.

    Raises
    ------
    DataError
        If a heap that has items isn't sound.
    """
    if h5.id.get_create_plist().get_sizes() != (8, 8):
        raise DataError("addresses and lengths must have 8 bytes each, not others")
    lists = _lists(array, raw)
    lists = lists[lists["items"] > 0]
    for address in np.unique(lists["heap"]).tolist():
        _check_heap(raw, address + h5.userblock_size, size)
    return int(lists["items"].sum(dtype=np.int64))


def _lists(array, raw):
    """Return the lists of an array, as the file has them."""
    if not array.chunks:
        offset = array.id.get_offset()
        raw.seek(offset or 0)
        return np.frombuffer(raw.read(len(array) * _LIST.itemsize if offset else 0), _LIST)
    made = array.id.get_create_plist()
    filters = [made.get_filter(k)[0] for k in range(made.get_nfilters())]
    found, stored = [np.zeros(0, _LIST)], array.chunks[0]
    if filters not in ([], [h5py.h5z.FILTER_DEFLATE]):
        return found[0]
    for k in range(array.id.get_num_chunks()):
        chunk = array.id.get_chunk_info(k)
        raw.seek(chunk.byte_offset)
        content = raw.read(chunk.size)
        if filters and not chunk.filter_mask:
            content = zlib.decompressobj().decompress(content, stored * _LIST.itemsize)
        there = max(0, len(array) - chunk.chunk_offset[0])  # a chunk may go beyond the array
        found.append(np.frombuffer(content, _LIST)[:there])
    return np.concatenate(found)


def _check_heap(raw, address, size):
    """Raise DataError unless the objects of a heap follow one another up to its end."""
    raw.seek(min(address, size))
    head = raw.read(_OBJECT)
    length = int.from_bytes(head[8:], "little")
    if head[:4] != b"GCOL" or not _OBJECT <= length <= size - address:
        raise DataError(f"file must have a heap at byte {address}, and hasn't")
    content, at = raw.read(length - _OBJECT), 0
    while at + _OBJECT <= len(content):
        items = int.from_bytes(content[at + 8 : at + _OBJECT], "little")
        # Object 0 is room that's free, its head included.
        free = content[at : at + 2] == b"\0\0"
        step = items if free else _OBJECT + -(-items // 8) * 8
        if not _OBJECT <= step <= len(content) - at:
            raise DataError(f"heap at byte {address} must hold its objects, and doesn't")
        at += step
