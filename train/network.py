"""A spiking network as plain data: its shape, its parameters, its file.

All times are in milliseconds. A weight is what an arrival adds to the slow trace P (and, with an
exponential synapse, to the fast trace Q); the membrane is V = P - Q and the threshold rests at
``theta0``, so weights and thresholds share one unit.
"""

import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..model.files import load_arrays, save_arrays
from .engine import Engine, Inputs

__all__ = ["Network", "NetworkConfig"]

FORMAT = "ranvier.network/1"
BATCH = 256
"""Samples that `Network.predict` runs at once."""

SYNAPSES = ("exponential", "jump")
READOUTS = ("first-spike", "spike-count", "leaky")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """Everything that fixes the shape and the dynamics of a network.

    Parameters
    ----------
    inputs, outputs : int
        Input channels, and classes.
    hidden : tuple of int
        Neurons of each hidden population, from the input on.
    recurrent : bool
        Whether the last hidden population also feeds itself.
    synapse : str
        ``"exponential"``: an arrival adds to P and Q. ``"jump"``: there's no Q, V jumps.
    adaptive : bool
        Whether thresholds rise by ``beta`` at a spike. If not, every ``beta`` is 0.
    readout : str
        ``"first-spike"``, ``"spike-count"`` (the outputs are spiking neurons), or ``"leaky"``
        (they never fire, and a class's score is a weighted integral of V).
    tau_m, tau_s, tau_a : float
        Time constants of P, Q and the adaptation A, ms. ``tau_a >= tau_m > tau_s > 0``.
    delay_min, delay_max : float
        Range of every delay, ms. ``0 < delay_min <= delay_max``.
    duration : float
        Length of a sample, ms. Only spikes up to then count.
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    recurrent: bool = False
    synapse: str = "exponential"
    adaptive: bool = True
    readout: str = "leaky"
    tau_m: float = 20.0
    tau_s: float = 5.0
    tau_a: float = 100.0
    delay_min: float
    delay_max: float
    duration: float

    def __post_init__(self):
        object.__setattr__(self, "hidden", tuple(self.hidden))
        for name, least in (("inputs", 1), ("outputs", 2)):
            _check_count(name.capitalize(), getattr(self, name), least)
        for size in self.hidden:
            _check_count("Each hidden population", size, 1)
        for name, allowed in (("synapse", SYNAPSES), ("readout", READOUTS)):
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
        if self.recurrent and not self.hidden:
            raise ValueError("A recurrent network must have a hidden population, not none")

    @property
    def populations(self) -> dict[str, int]:
        """Size of each population, in order: ``hidden0``, ..., ``output``."""
        hidden = {f"hidden{k}": size for k, size in enumerate(self.hidden)}
        return {**hidden, "output": self.outputs}

    @property
    def spiking(self) -> tuple[str, ...]:
        """Names of the populations that fire, in order."""
        names = tuple(self.populations)
        return names[:-1] if self.readout == "leaky" else names

    @property
    def connections(self) -> tuple[tuple[str, str], ...]:
        """(source, target) of each connection; a source may be ``"input"``.

        In the order of their targets; the recurrent one comes right after its target's other.
        """
        chain = list(pairwise(("input", *self.populations)))
        if self.recurrent:
            last = f"hidden{len(self.hidden) - 1}"
            chain.insert(len(chain) - 1, (last, last))
        return tuple(chain)

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
    weights, delays : dict of (str, str) to array
        For each connection, (sources, targets) float64. Weights in threshold units, delays in ms
        and within the config's range.
    theta0, beta : dict of str to array
        For each spiking population, (neurons,) float64. ``theta0 > 0``, ``beta >= 0``.

    Raises
    ------
    ValueError
        If an array is missing, or has a wrong shape, type or value.
    """

    def __init__(self, config, *, weights, delays, theta0, beta):
        self.config = config
        self.weights = dict(weights)
        self.delays = dict(delays)
        self.theta0 = dict(theta0)
        self.beta = dict(beta)
        self.check()

    def arrays(self) -> dict[str, np.ndarray]:
        """Every parameter under its name in the file, such as ``delays/input/hidden0``."""
        named = {}
        for kind in ("weights", "delays"):
            for pair, array in getattr(self, kind).items():
                named["/".join((kind, *pair))] = array
        for kind in ("theta0", "beta"):
            for population, array in getattr(self, kind).items():
                named[f"{kind}/{population}"] = array
        return named

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
        parts = {"weights": {}, "delays": {}, "theta0": {}, "beta": {}}
        for name in expected:
            kind, *rest = name.split("/")
            parts[kind][tuple(rest) if len(rest) == 2 else rest[0]] = arrays[name]
        return cls(config, **parts)

    def check(self) -> None:
        """Raise ValueError for the first array with a wrong shape, type or value."""
        arrays = self.arrays()
        config = self.config
        ranges = {
            "weights": (-np.inf, np.inf),
            "delays": (config.delay_min, config.delay_max),
            "theta0": (np.finfo(float).tiny, np.inf),
            "beta": (0.0, np.inf if config.adaptive else 0.0),
        }
        expected = _shapes(config)
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

    @classmethod
    def random(cls, config: NetworkConfig, settings, seed: int) -> "Network":
        """Draw a network from the init settings of a `TrainConfig`."""
        rng = np.random.default_rng([seed, 0])
        weights, delays = {}, {}
        for pre, post in config.connections:
            role = "recurrent" if pre == post else "output" if post == "output" else "hidden"
            shape = (config.size(pre), config.size(post))
            mean = 0.0 if role == "recurrent" else getattr(settings, f"{role}_mean")
            weights[pre, post] = rng.normal(mean, getattr(settings, f"{role}_sd"), shape)
            top = np.clip(getattr(settings, f"{role}_delay"), config.delay_min, config.delay_max)
            delays[pre, post] = rng.uniform(config.delay_min, top, shape)
        sizes = {name: config.size(name) for name in config.spiking}
        beta = settings.beta if config.adaptive else 0.0
        return cls(
            config,
            weights=weights,
            delays=delays,
            theta0={name: np.ones(size) for name, size in sizes.items()},
            beta={name: np.full(size, beta) for name, size in sizes.items()},
        )

    def predict(self, dataset, *, threads: int | None = None) -> np.ndarray:
        """Return the class of each sample of a `Dataset`, (samples,) int64.

        Of equal scores the lower class wins; without any output spike it's class 0.
        """
        engine = Engine(self.config, threads)
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
        engine = Engine(self.config, 1)
        tape = engine.forward(engine.pack(self), Inputs.of(dataset), np.array([sample])).tape
        spikes = {}
        for name in ("input", *self.config.spiking):
            place = engine.population(name)
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


def _shapes(config):
    shapes = {}
    for kind in ("weights", "delays"):
        for pre, post in config.connections:
            shapes[f"{kind}/{pre}/{post}"] = (config.size(pre), config.size(post))
    for kind in ("theta0", "beta"):
        for population in config.spiking:
            shapes[f"{kind}/{population}"] = (config.size(population),)
    return shapes


def _check_count(subject, value, least):
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{subject} must be a whole number of at least {least}, not {value!r}")
