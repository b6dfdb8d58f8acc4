"""Safetensors files with a format name, written whole or not at all."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save


def write_atomically(path, content):
    """Write bytes to ``path`` so that the old file or the whole new one is there at any time."""
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def save_arrays(path, arrays, metadata):
    """Write named arrays and text metadata to a safetensors file, the same bytes for the same.

    The library orders several metadata entries at random, so all of ours are one JSON entry.
    """
    text = json.dumps({key: str(value) for key, value in metadata.items()}, sort_keys=True)
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, save(contiguous, metadata={"ranvier": text}))


def load_arrays(path, expected_format):
    """Return the arrays and the metadata of a safetensors file of one format.

    Raises
    ------
    ValueError
        If the file is missing, damaged or of another format; the message names it.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path} must be a file, and there is none")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = json.loads((file.metadata() or {}).get("ranvier", "{}"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise ValueError(f"{path} must be a whole safetensors file: {error}") from error
    if metadata.get("format") != expected_format:
        raise ValueError(f"{path} must have the format {expected_format}, "
                         f"not {metadata.get('format')!r}")
    return arrays, metadata
