"""The designs that a run's trained network can become."""

import hashlib
import json
from dataclasses import asdict, replace
from itertools import product

from ..model.config import check_stored
from ..train.buffer import choose_buffer
from ..train.network import Network
from ..train.quantise import encode_dataset, quantise
from .experiment import section_hash
from .folder import file_hash

__all__ = ["Subject", "combinations", "storages", "trained_network", "with_buffer"]

CURSOR_SAMPLES = 200  # training samples by which cursors are counted, from the first on
FINETUNED = ("finetune/network.safetensors", "finetune/scales.json")


def trained_network(run):
    """Return the network that a run rounds, and the scales that fine-tuning kept, or None."""
    if run.experiment.finetune is None:
        return Network.load(run.need("network.safetensors")), None
    network, scales = FINETUNED
    return Network.load(run.need(network)), run.read_json(scales)["scales"]


def with_buffer(parameters, design, train):
    """Return the parameters with the delay buffer of a design, and a report on it.

    ``train`` : Dataset, by which cursors are counted.
    """
    samples = encode_dataset(train.subset(range(min(CURSOR_SAMPLES, len(train)))),
                             parameters.config) if design.buffer != "ring" else ()
    return choose_buffer(parameters, design, samples)


class Subject:
    """A run's network, to be rounded to any design.

    Where it was fine-tuned, the scales that were kept count for designs with the weight bits that
    it was fine-tuned for.
    """

    def __init__(self, run):
        self.run = run
        self.network, self._scales = trained_network(run)

    @staticmethod
    def key(run):
        """Return a hash of all that decides what a design does, but for the design."""
        own = FINETUNED if run.experiment.finetune is not None else ("network.safetensors",)
        parts = [section_hash(run.experiment, ("seed", "data", "network")), run.data_hash,
                 run.stamp()["versions"]["ranvier"], asdict(run.experiment.design),
                 *(file_hash(run.need(name)) for name in own)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def parameters(self, design):
        """Return the `Parameters` of a `DesignConfig`.

        Raises
        ------
        ValueError
            If the network doesn't fit the design.
        """
        own = design.weight_bits == self.run.experiment.design.weight_bits
        parameters, _ = quantise(self.network, design, self._scales if own else None)
        return with_buffer(parameters, design, self.run.data["train"])[0]


def storages(buffers, rows, delays):
    """Return how rows and delays can be stored: fields of a `DesignConfig`, a dict each.

    Rows are sparse where a buffer can't have dense ones.
    """
    ways = []
    for buffer, row, delay in product(buffers, rows, delays):
        try:
            check_stored(buffer, row, delay)
        except ValueError:
            row = "sparse"
        way = {"buffer": buffer, "rows": row, "delays": delay}
        ways += [way] if way not in ways else []
    return ways


def combinations(design, table):
    """Yield what is changed of a `DesignConfig` at each point of an `ExploreConfig`."""
    own = {name: getattr(table, name) or (getattr(design, name),)
           for name in ("weight_bits", "trace_bits", "tick", "banks", "buffer", "rows", "delays")}
    ways = storages(own["buffer"], own["rows"], own["delays"])
    grains = ("weight_bits", "trace_bits", "tick", "banks")
    for values in product(*(own[name] for name in grains)):
        for way in ways:
            yield dict(zip(grains, values, strict=True)) | way


def changed(design, values):
    """Return a `DesignConfig` with some fields changed. Raises ValueError if there can't be any."""
    cursors = None if values.get("buffer", design.buffer) == "ring" else design.cursors
    return replace(design, **values, cursors=cursors)
