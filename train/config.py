"""A network's shape and dynamics as plain data. All times are in milliseconds."""

import functools
import hashlib
import json
from dataclasses import asdict, dataclass, fields
from graphlib import TopologicalSorter
from itertools import pairwise

import numpy as np
from scipy.sparse.csgraph import connected_components

__all__ = ["NetworkConfig"]

SYNAPSES = ("exponential", "jump")
READOUTS = ("first-spike", "spike-count", "leaky", "max")
DELAYS = ("synaptic", "axonal", "axonal+dendritic")
TAUS = ("shared", "population")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Everything that fixes the shape and the dynamics of a network.

    Parameters
    ----------
    inputs, outputs : int
        Input channels, and classes.
    hidden : tuple of int
        Neurons of each hidden population, from the input on.
    connections : tuple of (str, str)
        (source, target) of each connection; a source may be ``"input"``. Any graph: layers may be
        skipped, and populations may feed themselves and each other. By default the chain
        ``input``, ``hidden0``, ..., ``output``. Kept in the order of targets, then of sources.
    delays : str
        ``"synaptic"``: one for each synapse. ``"axonal"``: one for each source of a connection.
        ``"axonal+dendritic"``: one for each source plus one for each target.
    synapse : str
        ``"exponential"``: an arrival adds to P and Q. ``"jump"``: there's no Q, V jumps.
    adaptive : bool
        Whether thresholds rise by ``beta`` at a spike. If not, every ``beta`` is 0.
    readout : str
        ``"first-spike"``, ``"spike-count"`` (the outputs are spiking neurons), ``"leaky"`` (they
        never fire, and a class's score is a weighted integral of V), or ``"max"`` (its largest V).
    tau_m, tau_s, tau_a : float
        First time constants of P, Q and the adaptation A, ms. ``tau_a >= tau_m > tau_s > 0``.
    taus : str
        Time constants that are trained: ``"shared"``, the same in all populations, as a core has
        them, or each ``"population"`` its own.
    delay_min, delay_max : float
        Range of every delay, ms. ``0 < delay_min <= delay_max``.
    duration : float
        Length of a sample, ms. Only spikes up to then count.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    connections: tuple[tuple[str, str], ...] | None = None
    delays: str = "synaptic"
    synapse: str = "exponential"
    adaptive: bool = True
    readout: str = "leaky"
    tau_m: float = 20.0
    tau_s: float = 5.0
    tau_a: float = 100.0
    taus: str = "shared"
    delay_min: float
    delay_max: float
    duration: float

    def __post_init__(self):
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, least in (("inputs", 1), ("outputs", 2)):
            _check_count(name.capitalize(), getattr(self, name), least)
        for size in self.hidden:
            _check_count("Each hidden population", size, 1)
        choices = {"synapse": SYNAPSES, "readout": READOUTS, "delays": DELAYS, "taus": TAUS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name.capitalize()} must be one of {', '.join(allowed)}, "
                    f"not {getattr(self, name)!r}"
                )
        for field in fields(self):
            if field.type is float:
                value = getattr(self, field.name)
                if not isinstance(value, int | float) or not 0 < value < float("inf"):
                    raise ValueError(f"{field.name} must be a positive time in ms, not {value!r}")
                object.__setattr__(self, field.name, float(value))
            if field.type is bool and not isinstance(getattr(self, field.name), bool):
                raise TypeError(
                    f"{field.name} must be true or false, not {getattr(self, field.name)!r}"
                )
        if not self.tau_a >= self.tau_m > self.tau_s:
            raise ValueError(
                "Time constants must obey tau_a >= tau_m > tau_s, not "
                f"tau_a = {self.tau_a}, tau_m = {self.tau_m}, tau_s = {self.tau_s}"
            )
        if self.delay_min > self.delay_max:
            raise ValueError(
                f"delay_min must be at most delay_max = {self.delay_max}, not {self.delay_min}"
            )
        object.__setattr__(self, "connections", self._check_connections())

    def _check_connections(self):
        """Return the connections in their order."""
        names = ("input", *self.populations)
        if self.connections is None:
            return tuple(pairwise(names))
        pairs = [tuple(pair) for pair in self.connections]
        sources = ("input", *self.spiking)
        for pair in pairs:
            if len(pair) != 2 or pair[0] not in sources or pair[1] not in names[1:]:
                raise ValueError(
                    f"A connection must be a source ({', '.join(sources)}) and a target "
                    f"({', '.join(names[1:])}), not {list(pair)}"
                )
            if pairs.count(pair) > 1:
                raise ValueError(f"A connection must be given once, not {list(pair)} twice")
        for name in names[1:]:
            if not any(target == name for _, target in pairs):
                raise ValueError(f"Connections must reach every population, not miss {name!r}")
        return tuple(sorted(pairs, key=lambda pair: (names.index(pair[1]), names.index(pair[0]))))

    @functools.cached_property
    def populations(self) -> dict[str, int]:
        """Size of each population, in order: ``hidden0``, ..., ``output``."""
        hidden = {f"hidden{k}": size for k, size in enumerate(self.hidden)}
        return {**hidden, "output": self.outputs}

    @functools.cached_property
    def spiking(self) -> tuple[str, ...]:
        """Names of the populations that fire, in order."""
        names = tuple(self.populations)
        return names[:-1] if self.readout in ("leaky", "max") else names

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Populations in an order in which each comes after those that feed it.

        Populations that feed each other, in whatever way, are in one group.
        """
        names = tuple(self.populations)
        pairs = [pair for pair in self.connections if pair[0] != "input"]
        edges = np.zeros((len(names), len(names)))
        for pre, post in pairs:
            edges[names.index(pre), names.index(post)] = 1
        labels = connected_components(edges, connection="strong")[1]
        before = {label: set() for label in labels}
        for pre, post in pairs:
            before[labels[names.index(post)]].add(labels[names.index(pre)])
        order = TopologicalSorter({label: before[label] - {label} for label in before})
        return tuple(
            tuple(name for name, own in zip(names, labels, strict=True) if own == label)
            for label in order.static_order()
        )

    @property
    def recurrent(self) -> bool:
        """Whether any population feeds itself, be it through others."""
        group = {name: group for group in self.groups for name in group}
        return any(group.get(pre) == group[post] for pre, post in self.connections)

    def size(self, name: str) -> int:
        """Size of a population or of ``"input"``."""
        return self.inputs if name == "input" else self.populations[name]

    def to_json(self) -> str:
        """Return the canonical JSON text: equal configs give equal text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "NetworkConfig":
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value out of range.
        """
        values = json.loads(text)
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"Network config must have exactly its fields: {error}") from None

    @property
    def sha256(self) -> str:
        """Hash of `to_json`, in hexadecimal."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def _check_count(subject, value, least):
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{subject} must be a whole number of at least {least}, not {value!r}")
