"""Files of named arrays with a text header: safetensors, written whole or not at all."""

import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

__all__ = ["read_arrays", "replace_file", "write_arrays"]


def replace_file(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` so that a reader, or a crash, sees the old file or the new one."""
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write_arrays(path: Path, arrays: dict[str, np.ndarray], header: dict[str, str]) -> None:
    """Write arrays and header to a safetensors file, atomically."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    replace_file(path, save(contiguous, metadata=header))


def read_arrays(path: Path, kind: str) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read what `write_arrays` wrote.

    Parameters
    ----------
    kind : str
        What the header's ``kind`` must be.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is cut short, isn't safetensors, or is of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} must be a file of kind {kind!r}, not missing")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in list(file.keys())}
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must be a whole safetensors file, not damaged: {error}") from None
    if header.get("kind") != kind:
        raise ValueError(f"{path} must be of kind {kind!r}, not {header.get('kind')!r}")
    return arrays, header
