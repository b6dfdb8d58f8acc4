"""Where a training run stands, as one file that's replaced whole."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..model.files import load_arrays, save_arrays

__all__ = ["Checkpoint"]

FORMAT = "ranvier.checkpoint/1"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """State after some epochs.

    Parameters
    ----------
    run : str
        Hash of everything that fixes the run.
    history : list of dict
        A record an epoch, so its length is the number of epochs done.
    arrays : dict of str to array
        Parameters and optimiser state.
    """

    run: str
    history: list
    arrays: dict[str, np.ndarray]

    def save(self, path: Path) -> None:
        """Write to ``path``, atomically."""
        header = {"format": FORMAT, "run": self.run, "history": json.dumps(self.history)}
        save_arrays(path, self.arrays, header)

    @classmethod
    def load(cls, path: Path, run: str) -> "Checkpoint":
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged, or belongs to a run other than ``run``.
        """
        arrays, header = load_arrays(path, FORMAT)
        if header.get("run") != run:
            raise ValueError(
                f"{path} must be of this run, not of one with other settings, data or seed; "
                "remove it to start anew"
            )
        return cls(run=run, history=json.loads(header["history"]), arrays=arrays)
