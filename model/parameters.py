"""The integers of a design: synapses, thresholds and tables, with every bound checked."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from .config import CoreConfig
from .files import load_arrays, save_arrays
from .rows import bank_rows
from .tables import ONE, Tables, high_words_limit, make_tables

ARRAYS = {"row_start": np.int64, "target": np.int32, "weight": np.int32, "delay": np.int32,
          "theta0": np.int64, "beta": np.int64}
SPLIT = {"dendritic": np.int32, "kind": np.int32}  # arrays of a design whose delays are sums
FORMAT = "ranvier.design/2"


def _check_range(name, array, low, high):
    bad = np.argwhere((array < low) | (array > high))
    if bad.size:
        at = tuple(bad[0])
        raise ValueError(f"Parameters {name}[{', '.join(map(str, at))}] must be from {low} to "
                         f"{high}, not {array[at]}")


@dataclass(frozen=True, eq=False, kw_only=True)
class Parameters:
    """Everything that a core is loaded with, and the config that it fits.

    Members
    -------
    config : CoreConfig
    row_start : (sources + 1,) int64
        Source s owns synapses ``row_start[s]`` to ``row_start[s + 1] - 1``.
    target, weight, delay : (synapses,) int32
        Target neuron, weight in its last places, delay in ticks.
    dendritic : (neurons, kinds) int32, or None
        Where delays are sums, so many ticks of them are the target's, by the kind of the source.
        The config says whether they're stored so.
    kind : (sources,) int32, or None
        Of each source. None where ``dendritic`` is.
    theta0, beta : (neurons,) int64
        Threshold at rest and its rise per spike, in last places of a trace. Leaky outputs have
        none: 1 and 0 stand there.
    tables : Tables

    Raises
    ------
    ValueError
        If an array has the wrong shape or type, or a value is out of its range.
    """

    config: CoreConfig
    row_start: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    delay: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    tables: Tables
    dendritic: np.ndarray | None = None
    kind: np.ndarray | None = None

    def __post_init__(self):
        config = self.config
        synapses = np.size(self.target)
        shapes = {"row_start": (config.sources + 1,), "theta0": (config.neurons,),
                  "beta": (config.neurons,), "target": (synapses,), "weight": (synapses,),
                  "delay": (synapses,), "kind": (config.sources,),
                  "dendritic": (config.neurons, self._kinds())}
        for name, dtype in self._dtypes().items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != dtype:
                raise ValueError(f"Parameters {name} must be an array of {np.dtype(dtype)}, not "
                                 f"{getattr(array, 'dtype', type(array).__name__)}")
            if array.shape != shapes[name]:
                raise ValueError(f"Parameters {name} must have shape {shapes[name]}, "
                                 f"not {array.shape}")
        if self.row_start[0] != 0 or self.row_start[-1] != synapses or np.any(
                np.diff(self.row_start) < 0):
            raise ValueError(f"Parameters row_start must rise from 0 to {synapses}, not from "
                             f"{self.row_start[0]} to {self.row_start[-1]} or with falls between")
        limit = 1 << (config.weight_bits - 1)
        _check_range("target", self.target, 0, config.neurons - 1)
        _check_range("weight", self.weight, -limit, limit - 1)
        _check_range("delay", self.delay, 1, config.delay_max)
        _check_range("theta0", self.theta0, 1, config.trace_top)
        _check_range("beta", self.beta, 0, config.trace_top if config.adaptive else 0)
        if self.dendritic is not None:
            _check_range("dendritic", self.dendritic, 0,
                         config.dendritic_max if config.dendrites else config.delay_max)
            _check_range("kind", self.kind, 0, self._kinds() - 1)
        self._check_tables()
        self._check_capacity()

    def _kinds(self):
        """Return how many dendritic delays a neuron has."""
        given = self.dendritic.shape[1] if np.ndim(self.dendritic) == 2 else 1
        return self.config.dendrites or given

    def _dtypes(self):
        """Return the types of the arrays that are there, by their names."""
        split = self.config.dendrites or self.dendritic is not None or self.kind is not None
        return ARRAYS | SPLIT if split else ARRAYS

    def _check_tables(self):
        config = self.config
        limit = high_words_limit(config)
        sizes = {name: (64, 64) for name in ("low_m", "low_s", "low_a")}
        sizes |= {name: (1, limit) for name in ("high_m", "high_s", "high_a")}
        sizes["sleep"] = (4, 4)
        words = config.ticks if config.readout == "leaky" else 0
        sizes["readout"] = (words, words)
        for name, (low, high) in sizes.items():
            table = getattr(self.tables, name)
            if table.ndim != 1 or table.dtype != np.int64 or not low <= table.size <= high:
                raise ValueError(f"Parameters tables.{name} must be {low} to {high} words of "
                                 f"int64, not {table.shape} of {table.dtype}")
            _check_range(f"tables.{name}", table, 0, ONE)

    def _check_capacity(self):
        config = self.config
        fan_in = np.bincount(self.target, minlength=config.neurons)
        if fan_in.max() > config.fan_in:
            raise ValueError(f"Neuron {fan_in.argmax()} must have at most {config.fan_in} synapses "
                             f"(config fan_in), not {fan_in.max()}")
        per_bank = np.array([self._words(bank) for bank in range(config.banks)])
        if per_bank.max() > config.synapses:
            raise ValueError(f"Bank {per_bank.argmax()} must have at most {config.synapses} "
                             f"synapses (config synapses), not {per_bank.max()}")

    def _words(self, bank):
        """Return how many synapses a bank has, those of no weight that fill up rows included."""
        config = self.config
        if (config.rows, config.delays) == ("sparse", "synaptic"):
            return np.count_nonzero(self.target % config.banks == bank)
        nothing = np.flatnonzero(self.weight == 0)
        if config.rows == "dense" and nothing.size:
            raise ValueError(f"Parameters weight[{nothing[0]}] must not be 0 with dense rows, "
                             "where that is no synapse")
        return bank_rows(self, bank).place.size

    def for_stream(self):
        """Return the same design for a core with ``config.streaming``: it has longer tables."""
        config = replace(self.config, streaming=True)
        tables = make_tables(config)
        longer = {name: getattr(tables, name) for name in ("high_m", "high_s", "high_a")}
        return replace(self, config=config, tables=self.tables._replace(**longer))

    @cached_property
    def hash(self):
        """SHA-256 over the config and every array, as hexadecimal text."""
        digest = hashlib.sha256(self.config.to_json().encode())
        for name, array in self._arrays().items():
            digest.update(f"{name} {array.dtype} {array.shape};".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def _arrays(self):
        arrays = {name: getattr(self, name) for name in self._dtypes()}
        return arrays | {f"tables.{name}": table for name, table in self.tables._asdict().items()}

    def save(self, path, **metadata):
        """Write the parameters to a safetensors file; ``metadata`` (text) goes with them."""
        save_arrays(path, self._arrays(), {
            **metadata, "format": FORMAT, "config": self.config.to_json(), "hash": self.hash})

    @classmethod
    def load(cls, path):
        """Read what ``save`` wrote; every bound and the hash are checked.

        Raises
        ------
        ValueError
            If the file isn't such a file, or damaged; the message names file and array.
        """
        arrays, metadata = load_arrays(path, FORMAT)
        try:
            config = CoreConfig.from_json(metadata["config"])
            wanted = set(ARRAYS) | {f"tables.{name}" for name in Tables._fields}
            if set(arrays) - set(SPLIT) != wanted:
                raise ValueError(f"Parameters must be the arrays {sorted(wanted)}, "
                                 f"not {sorted(arrays)}")
            tables = Tables(**{name: arrays.pop(f"tables.{name}") for name in Tables._fields})
            parameters = cls(config=config, tables=tables, **arrays)
            if parameters.hash != metadata["hash"]:
                raise ValueError(f"Parameters hash must be {metadata['hash']}, "
                                 f"not {parameters.hash}")
        except (KeyError, TypeError, ValueError, json.JSONDecodeError) as error:
            raise ValueError(f"{Path(path)}: {error}") from error
        return parameters
