"""A spiking network as plain data: its parameters, its file.

All times are in milliseconds. A weight is what an arrival adds to the slow trace P (and, with an
exponential synapse, to the fast trace Q); the membrane is V = P - Q and the threshold rests at
``theta0``, so weights and thresholds share one unit.
"""

import importlib.metadata
import json
from pathlib import Path

import numpy as np

from ..model.config import MOST_DELAY
from ..model.events import delay_parts, delay_ticks
from ..model.files import load_arrays, save_arrays
from .config import NetworkConfig
from .engine import Engine, Inputs
from .engines import make_engine

__all__ = ["Network"]

FORMAT = "ranvier.network/2"
BATCH = 256
"""Samples that `Network.predict` runs at once."""

TAU_LEAST = 0.1
"""Shortest time constant, ms, that training may reach."""


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

    def delay_ticks(self, pre: str, post: str, tick: float, rows=slice(None)) -> np.ndarray:
        """Return the delays of a connection in whole ticks, (sources, targets) int64.

        That's what training on a grid, the quantiser and so the core have.

        Parameters
        ----------
        tick : float
            Milliseconds.
        rows : slice
            Sources to take.
        """
        if self.config.delays == "axonal+dendritic":
            return sum(self.delay_parts(pre, post, tick, rows))
        return delay_ticks(self.delay(pre, post)[rows], tick, self.longest_delay(tick))

    def delay_parts(self, pre: str, post: str, tick: float, rows=slice(None)):
        """Return the parts of delays that are sums, in ticks: (sources, 1) and (1, targets)."""
        axonal, dendritic = self.delays[pre, post]
        return delay_parts(axonal[rows], dendritic, tick, self.longest_delay(tick))

    def longest_delay(self, tick: float) -> int:
        """Return the longest delay that a synapse may have, in ticks of ``tick`` ms."""
        return int(delay_ticks(self.config.delay_max, tick, MOST_DELAY))

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
