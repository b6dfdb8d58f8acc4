"""From networks and datasets to the kernels and back: layouts, buffers, threads."""

import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import numba
import numpy as np

from . import _adjoint, _kernels

__all__ = ["Engine", "Inputs"]

CHUNKS = 16
"""Pieces that a batch is cut into. Fixed, so that sums don't depend on the threads."""

SLOPE_LEAST = 1e-12
"""Slope, 1/ms, below which a spike can't be told from one that just touches its threshold."""

LAYER = "workqueue"
"""Numba's threads that sleep while they wait. OpenMP's spin: where other work shares the cores,
small batches then took ten times as long."""

_ALONE = threading.Lock()  # that layer can't take two callers at once

READOUTS = {
    "leaky": _adjoint.LEAKY,
    "first-spike": _adjoint.FIRST_SPIKE,
    "spike-count": _adjoint.SPIKE_COUNT,
}


@dataclass(frozen=True)
class Inputs:
    """Input spikes of many samples, as the kernels read them.

    ``time`` : (events,) float64, ms, by sample, then channel, then time. ``start`` :
    (samples, channels + 1) int64, where each channel's spikes begin.
    """

    time: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, dataset) -> "Inputs":
        """Lay out a `Dataset`."""
        return cls.arrange(
            dataset.times * 1e-3, dataset.channels, sample_of(dataset), len(dataset.labels),
            dataset.n_channels,
        )  # fmt: skip

    @classmethod
    def arrange(cls, time, channel, sample, samples, channels) -> "Inputs":
        """Lay out single events: (events,) times in ms, channels and samples, in any order."""
        line = sample * channels + channel
        order = np.lexsort((time, line))
        edges = np.concatenate([[0], np.cumsum(np.bincount(line, minlength=samples * channels))])
        start = np.lib.stride_tricks.sliding_window_view(edges, channels + 1)[::channels]
        return cls(np.ascontiguousarray(time[order]), np.ascontiguousarray(start))


def sample_of(dataset) -> np.ndarray:
    """Return the sample of each event, (events,) int64."""
    return np.repeat(np.arange(len(dataset.labels)), np.diff(dataset.offsets))


@dataclass(frozen=True)
class Result:
    """A batch's forward pass.

    ``score`` : (batch, classes) float64. First spike: its time in ms, inf if there's none. Spike
    count: the sum of 1 - t/T over the spikes. Leaky: the integral Y. ``counts`` :
    (batch, neurons) int64, spikes of every neuron, input channels first.
    """

    tape: _kernels.Tape
    score: np.ndarray
    counts: np.ndarray


class Engine:
    """Runs one shape of network, forwards and backwards.

    Parameters
    ----------
    config : NetworkConfig
        Shape of the networks.
    threads : int or None
        Cores to use; None: all that the process may use. Results don't depend on it.
    """

    def __init__(self, config, threads: int | None = None):
        self.config = config
        self.threads = _usable_threads() if threads is None else threads
        if not 1 <= self.threads <= numba.config.NUMBA_NUM_THREADS:
            raise ValueError(
                f"Threads must be within 1 and {numba.config.NUMBA_NUM_THREADS}, not {threads!r}"
            )
        if "NUMBA_THREADING_LAYER" not in os.environ:
            numba.config.THREADING_LAYER = LAYER
        self._readout = READOUTS[config.readout]
        sizes = [config.inputs, *config.populations.values()]
        self._first = np.concatenate([[0], np.cumsum(sizes)])
        self._slices, at = {}, 0
        for pre, post in config.connections:
            size = config.size(pre) * config.size(post)
            self._slices[pre, post] = slice(at, at + size)
            at += size
        self._synapses = at
        self._room = 256  # spikes on a sample's tape; grows when they don't fit
        self._heap = 64  # arrivals on their way to a recurrent neuron; grows as well

    @contextmanager
    def _threads(self):
        """Hold the threads, as many as this engine uses."""
        with _ALONE:
            numba.set_num_threads(self.threads)
            yield

    def population(self, name: str) -> slice:
        """Neurons of a population, or of ``"input"``, among all."""
        index = ["input", *self.config.populations].index(name)
        return slice(int(self._first[index]), int(self._first[index + 1]))

    def pack(self, network) -> _kernels.Net:
        """Lay a `Network` out for the kernels."""
        config = self.config
        flat = {"weights": np.empty(self._synapses), "delays": np.empty(self._synapses)}
        offset = np.zeros(len(self._first) - 1, np.int64)
        loop, loop_offset, lookahead = -1, 0, 0.0
        names = ["input", *config.populations]
        for (pre, post), place in self._slices.items():
            if pre == post:
                loop, loop_offset = names.index(post), place.start
                lookahead = float(network.delay(pre, post).min())
            else:
                offset[names.index(post)] = place.start
            blocks = {"weights": network.weights[pre, post], "delays": network.delay(pre, post)}
            for kind, values in flat.items():
                array = blocks[kind]
                values[place] = (array if pre == post else array.T).ravel()
        by_neuron = {"theta0": np.ones(self._first[-1]), "beta": np.zeros(self._first[-1])}
        for kind, values in by_neuron.items():
            for name, array in getattr(network, kind).items():
                values[self.population(name)] = array
        return _kernels.Net(
            first=self._first, offset=offset, loop=loop, loop_offset=loop_offset,
            lookahead=lookahead, spiking=1 + len(config.spiking), jump=config.synapse == "jump",
            duration=config.duration, rate_m=1 / config.tau_m, rate_s=1 / config.tau_s,
            rate_a=1 / config.tau_a, rise=_rise(config.tau_m, config.tau_s), **flat, **by_neuron,
        )  # fmt: skip

    def forward(self, net: _kernels.Net, inputs: Inputs, rows: np.ndarray) -> Result:
        """Run samples ``rows``, (batch,) int64, of ``inputs``."""
        batch, neurons = len(rows), int(self._first[-1])
        events = int((inputs.start[rows, -1] - inputs.start[rows, 0]).max(initial=0))
        self._room = max(self._room, 2 * events)
        while True:
            shape = (batch, self._room)
            tape = _kernels.Tape(
                np.empty(shape), np.empty(shape), np.empty(shape),
                np.empty((batch, neurons + 1), np.int64),
            )  # fmt: skip
            used = np.empty(batch, np.int64)
            with self._threads():
                _kernels.forward(
                    net, inputs.time, inputs.start, rows, CHUNKS, self._heap, tape, used
                )
            if (used == _kernels.TAPE_FULL).any():
                self._room *= 2
            if (used == _kernels.HEAP_FULL).any():
                self._heap *= 2
            if used.min(initial=0) >= 0:
                break
        score = np.empty((batch, self.config.outputs))
        with self._threads():
            _adjoint.score(net, self._readout, CHUNKS, tape, score)
        return Result(tape, score, np.diff(tape.start, axis=1))

    def backward(self, net, result: Result, pull: np.ndarray, slope_floor=0.0, spike_cap=0.0):
        """Sum the gradients of a batch.

        Parameters
        ----------
        pull : (batch, classes) float64
            dL/dscore.
        slope_floor : float
            Least slope at threshold to divide by, 1/ms. 0: the exact one.
        spike_cap : float
            Largest share of one spike in dL/dtheta0. 0: no limit.

        Returns
        -------
        gradients : dict of str to array
            Named and shaped as `Network.arrays`.
        limited : int
            Spikes that one of the two limits changed.
        """
        synapses, neurons = (CHUNKS, self._synapses), (CHUNKS, int(self._first[-1]))
        sums = _adjoint.Gradient(
            np.zeros(synapses), np.zeros(synapses), np.zeros(neurons), np.zeros(neurons)
        )
        limited = np.empty(CHUNKS, np.int64)
        limits = (max(float(slope_floor), SLOPE_LEAST), float(spike_cap) or np.inf)
        with self._threads():
            _adjoint.backward(net, self._readout, result.tape, pull, limits, sums, limited)
        gradients = {}
        for kind in ("weights", "delays"):
            total = getattr(sums, kind).sum(axis=0)
            for (pre, post), place in self._slices.items():
                block = total[place]
                shape = (self.config.size(pre), self.config.size(post))
                gradients[f"{kind}/{pre}/{post}"] = (
                    block.reshape(shape) if pre == post else block.reshape(shape[::-1]).T
                )
        for kind in ("theta0", "beta"):
            total = getattr(sums, kind).sum(axis=0)
            for name in self.config.spiking:
                gradients[f"{kind}/{name}"] = total[self.population(name)]
        return gradients, int(limited.sum())

    def counts(self, result: Result) -> dict[str, np.ndarray]:
        """Return the spikes of each population and of ``"input"``, (batch, neurons) int64."""
        names = ("input", *self.config.populations)
        return {name: result.counts[:, self.population(name)] for name in names}

    def decide(self, result: Result) -> np.ndarray:
        """Return the class of each sample, (batch,) int64; of equals the lowest."""
        if self.config.readout == "first-spike":
            return result.score.argmin(axis=1)
        if self.config.readout == "spike-count":
            return result.counts[:, self.population("output")].argmax(axis=1)
        return result.score.argmax(axis=1)


def _usable_threads():
    """Cores that this process may use, which in a container are fewer than the machine has."""
    return max(1, min(numba.config.NUMBA_NUM_THREADS, len(os.sched_getaffinity(0))))


def _rise(tau_m, tau_s):
    """Largest value of exp(-u/tau_m) - exp(-u/tau_s)."""
    ratio = tau_s / tau_m
    return ratio ** (ratio / (1 - ratio)) - ratio ** (1 / (1 - ratio))
