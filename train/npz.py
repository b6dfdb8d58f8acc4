"""Events in one ``.npz`` file: the layout of ``docs/data.md``, read without trust, and written.

Nothing is allocated before the file's own lists and headers have agreed on its size.
"""

import math
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from .samples import DataError, Dataset, inflation_limit, within

SETS = ("train", "test", "validation")
"""Names of the values of the array ``split``."""

_DIMENSIONS = {
    "times": 1,
    "channels": 1,
    "offsets": 1,
    "labels": 1,
    "split": 1,
    "n_channels": 0,
    "n_classes": 0,
}
_HEADER = re.compile(
    r"\{'descr': ?'([^']*)', ?'fortran_order': ?(?:True|False), ?'shape': ?\(([\d, ]*)\),? ?\} *\n"
)
# What zipfile and zlib were seen to raise in 700,000 broken files.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)


def load_npz(path: str | Path) -> dict[str, Dataset]:
    """Load the sets of one file.

    Returns
    -------
    dict
        ``"train"`` and ``"test"``, and ``"validation"`` if the file has such samples.

    Raises
    ------
    DataError
        If the file isn't there, isn't sound, holds other arrays than the layout's, or a value
        breaks the rules of `Dataset`. Names file, array and index.
    """
    path = Path(path)
    try:
        return _sets(_read(path))
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def save_npz(path: str | Path, whole: Dataset, split: np.ndarray) -> None:
    """Write one file. The same data gives the same bytes, with the same zlib.

    Parameters
    ----------
    path : str or pathlib.Path
    whole : Dataset
        The samples of all sets.
    split : numpy.ndarray
        (samples,) integers. The set of each sample, as an index of `SETS`.
    """
    arrays = {name: split if name == "split" else getattr(whole, name) for name in _DIMENSIONS}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, values in arrays.items():
            narrow = np.asarray(values, np.min_scalar_type(np.max(values, initial=0)))
            # A ZipInfo of its own has a fixed date; numpy.savez would write the time of day.
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w") as file:
                np.lib.format.write_array(file, narrow, version=(1, 0), allow_pickle=False)


def _sets(arrays):
    split = arrays.pop("split")
    whole = Dataset(**arrays)
    if len(whole.times) == 0:
        raise DataError("times must hold at least one event, not none")
    if len(split) != len(whole):
        raise DataError(f"split must have {len(whole)} items, not {len(split)}")
    within("split", split, 0, len(SETS) - 1)
    members = {name: np.flatnonzero(split == number) for number, name in enumerate(SETS)}
    for number, name in enumerate(SETS[:2]):
        if len(members[name]) == 0:
            raise DataError(f"split must be {number} for at least one {name} sample, not for none")
    return {name: whole.subset(indices) for name, indices in members.items() if len(indices)}


def _read(path):
    if not path.is_file():
        raise DataError("file must be there, not missing")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members, path.stat().st_size)
            return {_name(info): _array(archive, info) for info in members}
    except DataError:
        raise
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise DataError(f"file must be a sound .npz, not broken: {reason}") from error


def _name(info):
    return info.filename.removesuffix(".npy")


def _check_members(members, size):
    counts = Counter(info.filename for info in members)
    names = [f"{name}.npy" for name in _DIMENSIONS]
    for name in sorted(counts.keys() - set(names)):
        raise DataError(f"arrays must be {', '.join(_DIMENSIONS)}, not {name!r}")
    for name in names:
        if counts[name] != 1:
            raise DataError(f"{name[:-4]} must be in the file once, not {counts[name]} times")
    for info in members:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # The others inflate a whole read at once, without a limit.
            raise DataError(
                f"{_name(info)} must be stored or deflated, "
                f"not compressed by method {info.compress_type}"
            )
    total = sum(info.file_size for info in members)
    most = inflation_limit(size)
    if total > most:
        raise DataError(f"arrays must inflate to at most {most} bytes, not {total}")


def _array(archive, info):
    name = _name(info)
    with archive.open(info) as member:
        dtype, shape = _header(name, member)
        if len(shape) != _DIMENSIONS[name]:
            raise DataError(f"{name} must have {_DIMENSIONS[name]} dimensions, not {len(shape)}")
        needed = math.prod(shape) * dtype.itemsize
        present = info.file_size - member.tell()
        if present != needed:
            raise DataError(f"{name} must have {needed} bytes of items, not {present}")
        data = member.read(needed)
    if len(data) != needed:
        raise DataError(f"{name} must have {needed} bytes of items, not {len(data)}")
    values = np.frombuffer(data, dtype)
    return values if shape else int(values[0])


def _header(name, member):
    """Return type and shape of one array. Own parser, as numpy's evaluates Python literals."""
    start = member.read(8)
    width = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(start)
    if width is None:
        raise DataError(f"{name} must start as an .npy array, not with {start!r}")
    length = int.from_bytes(member.read(width), "little")
    if length > 10_000:
        raise DataError(f"{name} must have a header of at most 10000 bytes, not {length}")
    header = member.read(length).decode("latin1")
    match = _HEADER.fullmatch(header)
    if match is None:
        raise DataError(f"{name} must have the header of a plain array, not {header[:80]!r}")
    descr, shape = match.groups()
    if not re.fullmatch(r"[<>|=]?[iu][1248]", descr):
        kind = "pickled objects" if "O" in descr else f"type {descr!r}"
        raise DataError(f"{name} must hold integers, not {kind}")
    return np.dtype(descr), tuple(int(n) for n in shape.replace(" ", "").split(",") if n)
