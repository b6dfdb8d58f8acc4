"""Events in the HDF5 layout of SHD and SSC: ``/spikes/times``, ``/spikes/units``, ``/labels``."""

import gzip
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from .hdf5lists import stored_items
from .samples import LATEST, MOST, DataError, Dataset, ascending, inflation_limit, within

_ROWS = 16  # Read at once. All of them may point at one array as large as the file.


def load_shd(paths: dict[str, str | Path], n_channels: int) -> dict[str, Dataset]:
    """Load one set from each file. Times are rounded to microseconds.

    Parameters
    ----------
    paths : dict
        Name of the set to its HDF5 file, which may be compressed by gzip.
    n_channels : int
        Channels of the recordings.

    Returns
    -------
    dict
        The sets. They have one more class than the largest label of them all.

    Raises
    ------
    DataError
        If a file isn't there, isn't sound, lacks an array, or a value is out of range or order.
        Names file, array and index.
    """
    arrays = {name: _checked(path, n_channels) for name, path in paths.items()}
    n_classes = 1 + max(int(part["labels"].max()) for part in arrays.values())
    return {
        name: Dataset(**part, n_channels=n_channels, n_classes=n_classes)
        for name, part in arrays.items()
    }


def _checked(path, n_channels):
    try:
        if not Path(path).is_file():
            raise DataError("file must be there, not missing")
        with _plain(path) as (file, raw, size), h5py.File(file, "r") as h5:
            return _read(h5, raw, size, n_channels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    except (OSError, EOFError, zlib.error, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise DataError(f"{path}: file must be a sound HDF5 file, not broken: {error}") from error


@contextmanager
def _plain(path):
    """Give the HDF5 file without gzip's wrapping, its bytes as an open file, and its size."""
    with open(path, "rb") as packed:
        if packed.read(2) != b"\x1f\x8b":
            yield path, packed, Path(path).stat().st_size
            return
        packed.seek(0)
        most = inflation_limit(Path(path).stat().st_size)
        with gzip.open(packed) as file, tempfile.TemporaryFile() as plain:
            while chunk := file.read(2**20):
                plain.write(chunk)
                if plain.tell() > most:
                    raise DataError(f"file must inflate to at most {most} bytes, not more")
            yield plain, plain, plain.tell()


def _read(h5, raw, size, n_channels):
    labels = _array(h5, "labels", size)
    if labels.dtype.kind not in "iu":
        raise DataError(f"labels must hold integers, not {labels.dtype}")
    labels = labels[:]
    within("labels", labels, 0, MOST - 1)
    if len(labels) == 0:
        raise DataError("labels must hold at least one sample, not none")
    times, channels = [], []
    for i, (seconds, units) in enumerate(_rows(h5, raw, len(labels), size)):
        # The files hold float16 seconds, and float16 ends at 65504: no unit for microseconds.
        seconds = seconds.astype(np.float64)
        within(f"spikes/times[{i}]", seconds, 0, LATEST / 1e6)
        ascending(f"spikes/times[{i}]", seconds)
        within(f"spikes/units[{i}]", units, 0, n_channels - 1)
        if len(seconds) != len(units):
            raise DataError(
                f"spikes/units[{i}] must have {len(seconds)} items, as spikes/times[{i}], "
                f"not {len(units)}"
            )
        times.append(np.rint(seconds * 1e6).astype(np.int64))
        channels.append(units.astype(np.int32))
    offsets = np.cumsum([0] + [len(part) for part in times])
    if offsets[-1] == 0:
        raise DataError("spikes/times must hold at least one event, not none")
    return {
        "times": np.concatenate(times),
        "channels": np.concatenate(channels),
        "offsets": offsets,
        "labels": labels,
    }


def _rows(h5, raw, samples, size):
    """Give (times, units) of each sample, as the file has them."""
    pair, declared = [], 0
    for name, kinds, what in (
        ("spikes/times", "f", "real numbers"),
        ("spikes/units", "iu", "integers"),
    ):
        array = _array(h5, name, size)
        base = h5py.check_vlen_dtype(array.dtype)
        if getattr(base, "kind", None) not in tuple(kinds):
            raise DataError(f"{name} must hold lists of {what}, not {base or array.dtype}")
        if not base.isnative:
            # h5py gives the items of such lists with their bytes unswapped.
            raise DataError(f"{name} must be in this machine's byte order, not {base.str}")
        if len(array) != samples:
            raise DataError(f"{name} must have {samples} items, as labels, not {len(array)}")
        pair.append(array)
        declared += stored_items(h5, array, raw, size) * base.itemsize
    _check_size(declared, size)
    read = 0
    for start in range(0, samples, _ROWS):
        rows = [array[start : start + _ROWS] for array in pair]
        # Lists that overlap in the file could make it grow without end.
        read += sum(row.nbytes for part in rows for row in part)
        _check_size(read, size)
        yield from zip(*rows, strict=True)


def _check_size(taken, size):
    if taken > size:
        raise DataError(f"spikes must take at most the file's {size} bytes, not {taken}")


def _array(h5, name, size):
    array = h5.get(name)
    if not isinstance(array, h5py.Dataset):
        raise DataError(f"{name} must be an array of the file, not {array}")
    if array.ndim != 1 or len(array) > size:
        raise DataError(f"{name} must be one list, not of shape {array.shape}")
    return array
