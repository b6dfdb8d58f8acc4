"""A spiking network as plain data: its shape, its parameters, its file.

All times are in milliseconds. A weight is what an arrival adds to the slow trace P (and, with an
exponential synapse, to the fast trace Q); the membrane is V = P - Q and the threshold rests at
``theta0``, so weights and thresholds share one unit.
"""

import functools
import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass, fields
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components

from ..model.files import load_arrays, save_arrays
from .engine import Engine, Inputs
from .engines import make_engine

__all__ = ["Network", "NetworkConfig"]

FORMAT = "ranvier.network/2"
BATCH = 256
"""Samples that `Network.predict` runs at once."""

TAU_LEAST = 0.1
"""Shortest time constant, ms, that training may reach."""

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


class Network:
    """Parameters of a network, as float64 arrays.

    Parameters
    ----------
    config : NetworkConfig
        The shape.
    weights : dict of (str, str) to array
        For each connection, (sources, targets) float64, in threshold units.
    delays : dict of (str, str) to tuple of arrays
        For each connection, ms. Synaptic: one array (sources, targets). Axonal: one of
        (sources, 1). Axonal and dendritic: these and one of (1, targets); a synapse's delay is
        their sum, so each of the two is within half the config's range.
    theta0, beta : dict of str to array
        For each spiking population, (neurons,) float64. ``theta0 > 0``, ``beta >= 0``.
    tau : dict of str to array, optional
        For each population, (3,) float64: tau_m, tau_s and tau_a in ms. By default the config's.

    Raises
    ------
    ValueError
        If an array is missing, or has a wrong shape, type or value.
    """

    def __init__(self, config, *, weights, delays, theta0, beta, tau=None):
        self.config = config
        self.weights = dict(weights)
        self.delays = dict(delays)
        self.theta0 = dict(theta0)
        self.beta = dict(beta)
        first = (config.tau_m, config.tau_s, config.tau_a)
        self.tau = dict(tau) if tau else {name: np.array(first) for name in config.populations}
        self.check()

    def delay(self, pre: str, post: str) -> np.ndarray:
        """Return the delay of each synapse of a connection, (sources, targets) float64, ms."""
        first, *others = self.delays[pre, post]
        if self.config.delays == "axonal":
            return np.broadcast_to(first, (self.config.size(pre), self.config.size(post)))
        return sum(others, first)

    def taus(self, population: str) -> tuple[float, float, float]:
        """Return tau_m, tau_s and tau_a of a population, ms."""
        tau_m, tau_s, tau_a = (float(tau) for tau in self.tau[population])
        return tau_m, tau_s, tau_a

    def order_taus(self) -> None:
        """Bring time constants that have come too close back to tau_a >= tau_m >= 1.05 tau_s."""
        for tau in self.tau.values():
            tau[1] = max(tau[1], TAU_LEAST)
            tau[0] = max(tau[0], 1.05 * tau[1])
            tau[2] = max(tau[2], tau[0])

    def arrays(self) -> dict[str, np.ndarray]:
        """Every parameter under its name in the file, such as ``delays/input/hidden0``.

        Delays of sources and of targets are ``delays/input/hidden0/axonal`` and ``.../dendritic``.
        """
        named = {"/".join(("weights", *pair)): array for pair, array in self.weights.items()}
        for pair, parts in self.delays.items():
            for part, array in zip(_DELAY_PARTS[self.config.delays], parts, strict=True):
                named["/".join(("delays", *pair, *part))] = array
        for kind in ("theta0", "beta", "tau"):
            for population, array in getattr(self, kind).items():
                named[f"{kind}/{population}"] = array
        return named

    def copy(self) -> "Network":
        """Return a network with arrays of its own."""
        return self.from_arrays(
            self.config, {name: array.copy() for name, array in self.arrays().items()}
        )

    @classmethod
    def from_arrays(cls, config: NetworkConfig, arrays: dict[str, np.ndarray]) -> "Network":
        """Build a network from the dict that `arrays` gives.

        Raises
        ------
        ValueError
            If a name is missing or unknown, or an array isn't valid.
        """
        expected = _shapes(config)
        for name in sorted(expected.keys() ^ arrays.keys()):
            state = "not missing" if name in expected else "nothing more"
            raise ValueError(f"Arrays must be exactly those of the config: {name!r}, {state}")
        return cls(
            config,
            weights={pair: arrays["/".join(("weights", *pair))] for pair in config.connections},
            delays={
                pair: tuple(
                    arrays["/".join(("delays", *pair, *part))]
                    for part in _DELAY_PARTS[config.delays]
                )
                for pair in config.connections
            },
            **{
                kind: {name: arrays[f"{kind}/{name}"] for name in names}
                for kind, names in _by_population(config).items()
            },
        )

    @staticmethod
    def bounds(config: NetworkConfig) -> dict[str, tuple[float, float]]:
        """Return the range of each kind of parameter: of ``weights``, ``delays`` and so on."""
        parts = len(_DELAY_PARTS[config.delays])
        return {
            "weights": (-np.inf, np.inf),
            "delays": (config.delay_min / parts, config.delay_max / parts),
            "theta0": (np.finfo(float).tiny, np.inf),
            "beta": (0.0, np.inf if config.adaptive else 0.0),
            "tau": (np.finfo(float).tiny, np.inf),
        }

    def check(self) -> None:
        """Raise ValueError for the first array with a wrong shape, type or value."""
        ranges = self.bounds(self.config)
        arrays, expected = self.arrays(), _shapes(self.config)
        for name in sorted(expected.keys() ^ arrays.keys()):
            raise ValueError(f"Array {name} must be {'there' if name in expected else 'absent'}")
        for name, shape in expected.items():
            array = arrays[name]
            if array.dtype != np.float64 or array.shape != shape:
                raise ValueError(
                    f"Array {name} must be float64 of shape {shape}, "
                    f"not {array.dtype} of shape {array.shape}"
                )
            low, high = ranges[name.split("/")[0]]
            wrong = np.argwhere(~(np.isfinite(array) & (array >= low) & (array <= high)))
            if wrong.size:
                index = tuple(int(i) for i in wrong[0])
                raise ValueError(
                    f"{name}{list(index)} must be finite and within [{low:g}, {high:g}], "
                    f"not {array[index]!r}"
                )
        for name, (tau_m, tau_s, tau_a) in self.tau.items():
            if not tau_a >= tau_m > tau_s:
                raise ValueError(
                    f"tau/{name} must obey tau_a >= tau_m > tau_s, not tau_a = {tau_a}, "
                    f"tau_m = {tau_m}, tau_s = {tau_s}"
                )

    @classmethod
    def random(cls, config: NetworkConfig, settings, seed: int) -> "Network":
        """Draw a network from the init settings of a `TrainConfig`."""
        rng = np.random.default_rng([seed, 0])
        weights, delays = {}, {}
        low, high = cls.bounds(config)["delays"]
        names = ("input", *config.populations)
        for pre, post in config.connections:
            back = names.index(pre) >= names.index(post)
            role = "recurrent" if back else "output" if post == "output" else "hidden"
            shape = (config.size(pre), config.size(post))
            mean = 0.0 if role == "recurrent" else getattr(settings, f"{role}_mean")
            weights[pre, post] = rng.normal(mean, getattr(settings, f"{role}_sd"), shape)
            parts = _delay_shapes(config, pre, post)
            top = np.clip(getattr(settings, f"{role}_delay") / len(parts), low, high)
            delays[pre, post] = tuple(rng.uniform(low, top, part) for part in parts)
        sizes = {name: config.size(name) for name in config.spiking}
        beta = settings.beta if config.adaptive else 0.0
        return cls(
            config,
            weights=weights,
            delays=delays,
            theta0={name: np.ones(size) for name, size in sizes.items()},
            beta={name: np.full(size, beta) for name, size in sizes.items()},
        )

    def predict(self, dataset, tick: float = 0.0, *, threads: int | None = None) -> np.ndarray:
        """Return the class of each sample of a `Dataset`, (samples,) int64.

        ``tick`` : the grid on which the network runs, ms, or 0 for continuous time.
        Of equal scores the lower class wins; without any output spike it's class 0.
        """
        engine = make_engine(self.config, tick, threads)
        inputs, net = Inputs.of(dataset), engine.pack(self)
        decisions = [
            engine.decide(engine.forward(net, inputs, np.arange(k, min(k + BATCH, len(dataset)))))
            for k in range(0, len(dataset), BATCH)
        ]
        return np.concatenate([np.empty(0, np.int64), *decisions])

    def spikes(self, dataset, sample: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return one sample's spikes, for pictures.

        For each spiking population and ``"input"``: (spikes,) float64 times in ms, sorted, and
        (spikes,) int64 neurons.
        """
        engine, inputs = Engine(self.config, 1), Inputs.of(dataset)
        tape = engine.forward(
            engine.pack(self), inputs, np.array([sample]), complete=True
        ).tape  # fmt: skip
        times, channels = dataset.sample(sample)
        spikes = {"input": (times * 1e-3, channels.astype(np.int64))}
        for name in self.config.spiking:
            place = engine.layout.population(name)
            start = tape.start[0, place.start : place.stop + 1]
            times = tape.time[0, start[0] : start[-1]]
            neurons = np.repeat(np.arange(len(start) - 1), np.diff(start))
            order = np.argsort(times, kind="stable")
            spikes[name] = times[order], neurons[order]
        return spikes

    def save(self, path: Path, **metadata) -> None:
        """Write the network to ``path``, atomically.

        ``metadata`` (such as the seed) goes into the file's header as JSON, beside the config,
        its hash and the versions.
        """
        self.check()
        names = ("ranvier", "numpy", "numba")
        header = {
            "format": FORMAT,
            "config": self.config.to_json(),
            "config_sha256": self.config.sha256,
            "versions": json.dumps({name: importlib.metadata.version(name) for name in names}),
            "metadata": json.dumps(metadata, sort_keys=True),
        }
        save_arrays(path, self.arrays(), header)

    @classmethod
    def load(cls, path: Path) -> "Network":
        """Read a network that `save` wrote, and check all of it.

        Raises
        ------
        ValueError
            If the file is missing or damaged, or anything in it isn't valid. Names file,
            array and index.
        """
        arrays, header = load_arrays(path, FORMAT)
        try:
            config = NetworkConfig.from_json(header["config"])
            if header["config_sha256"] != config.sha256:
                raise ValueError(
                    f"Hash of the config must be {config.sha256}, not {header['config_sha256']}"
                )
            return cls.from_arrays(config, arrays)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from None


# What follows a connection in the name of each of its arrays of delays.
_DELAY_PARTS = {
    "synaptic": ((),),
    "axonal": (("axonal",),),
    "axonal+dendritic": (("axonal",), ("dendritic",)),
}


def _delay_shapes(config, pre, post):
    sources, targets = config.size(pre), config.size(post)
    shapes = {(): (sources, targets), ("axonal",): (sources, 1), ("dendritic",): (1, targets)}
    return [shapes[part] for part in _DELAY_PARTS[config.delays]]


def _by_population(config):
    """Return the populations that have an array of each kind."""
    return {"theta0": config.spiking, "beta": config.spiking, "tau": tuple(config.populations)}


def _shapes(config):
    shapes = {
        "/".join(("weights", *pair)): tuple(config.size(name) for name in pair)
        for pair in config.connections
    }
    for pair in config.connections:
        parts = zip(_DELAY_PARTS[config.delays], _delay_shapes(config, *pair), strict=True)
        shapes |= {"/".join(("delays", *pair, *part)): shape for part, shape in parts}
    for kind, names in _by_population(config).items():
        for name in names:
            shapes[f"{kind}/{name}"] = (3,) if kind == "tau" else (config.size(name),)
    return shapes


def _check_count(subject, value, least):
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{subject} must be a whole number of at least {least}, not {value!r}")
