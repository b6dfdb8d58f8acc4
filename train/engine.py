"""From networks and datasets to the kernels and back: layouts, buffers, threads."""

import functools
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import numba
import numpy as np

from .exact import backward, forward, gradient, peak, readout, structures, taus
from .exact.grid import grid_of
from .layout import Layout

__all__ = ["Engine", "Inputs"]

SPIKES_MOST = 1 << 20
"""Spikes of a sample: far more than networks that compute make, and what memory can hold."""

CHUNKS = 16
"""Pieces that a batch is cut into for the threads. Each sample is on its own, so that results
depend on neither."""

SLOPE_LEAST = 1e-12
"""Slope, 1/ms, below which a spike can't be told from one that just touches its threshold."""

LAYER = "workqueue"
"""Numba's threads that sleep while they wait. OpenMP's spin: where other work shares the cores,
small batches then took ten times as long."""

_ALONE = threading.Lock()  # that layer can't take two callers at once

READOUTS = {
    "leaky": readout.LEAKY,
    "first-spike": readout.FIRST_SPIKE,
    "spike-count": readout.SPIKE_COUNT,
    "max": readout.MAX,
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

    @property
    def arrays(self):
        """All of it, as the kernels take it."""
        return self.time, self.start

    @functools.cached_property
    def sizes(self) -> np.ndarray:
        """Spikes of each sample, (samples,) int64."""
        return self.start[:, -1] - self.start[:, 0]

    def events(self, rows: np.ndarray) -> int:
        """Most spikes that one of the samples ``rows`` has."""
        return int(self.sizes[rows].max(initial=0))


def sample_of(dataset) -> np.ndarray:
    """Return the sample of each event, (events,) int64."""
    return np.repeat(np.arange(len(dataset.labels)), np.diff(dataset.offsets))


@dataclass(frozen=True)
class Result:
    """A batch's forward pass.

    ``score`` : (batch, classes) float64. First spike: its time in ms, inf if there's none. Spike
    count: the sum of 1 - t/T over the spikes. Leaky: the integral Y. Max: the largest V, at least
    0. ``counts`` : (batch, channels + neurons) int64, spikes of every channel and neuron. ``peaks``
    : those that were found, see `Engine.forward`. The others are what the backward pass reads.
    """

    score: np.ndarray
    counts: np.ndarray
    tape: structures.Tape
    grid: structures.Grid
    inputs: Inputs
    rows: np.ndarray
    peaks: peak.Peaks | None


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
        self._chunks = CHUNKS if self.threads > 1 else 1
        if "NUMBA_THREADING_LAYER" not in os.environ:
            numba.config.THREADING_LAYER = LAYER
        self._readout = READOUTS[config.readout]
        self.layout = Layout(config)
        self._room = 256  # spikes on a sample's tape; grows when they don't fit

    @property
    def settings(self) -> dict:
        """What its results depend on beside the network's shape, ready for JSON."""
        return {}

    @contextmanager
    def _threads(self):
        """Hold the threads, as many as this engine uses."""
        with _ALONE:
            numba.set_num_threads(self.threads)
            yield

    def pack(self, network) -> structures.Net:
        """Lay a `Network` out for the kernels."""
        return self.layout.pack(network)

    def forward(self, net: structures.Net, inputs: Inputs, rows: np.ndarray, *, complete=False,
                silent=False) -> Result:  # fmt: skip
        """Run samples ``rows``, (batch,) int64, of ``inputs``.

        Outputs that are read by their first spike stop there, unless the spikes are wanted to be
        ``complete``. With ``silent``, the largest V of each neuron that stayed silent is found.

        Raises
        ------
        OverflowError
            If a sample makes more than `SPIKES_MOST` spikes.
        """
        batch, events = len(rows), inputs.events(rows)
        if complete:
            net = net._replace(single=False)
        grid = grid_of(net, len(inputs.time) / len(inputs.start))
        used, score = np.empty(batch, np.int64), np.empty((batch, self.config.outputs))
        counts = np.empty((batch, self.config.inputs + self.layout.neurons), np.int64)
        while True:
            tape = structures.Tape(
                *(np.empty((batch, self._room)) for _ in range(3)),
                np.empty((batch, self.layout.neurons + 1), np.int64),
            )
            with self._threads():
                forward.forward(
                    net, grid, self._readout, inputs.arrays, rows, self._chunks, events, tape,
                    used, score, counts,
                )  # fmt: skip
            if (used != structures.FULL).all():
                break
            if self._room >= SPIKES_MOST:
                raise OverflowError(
                    f"A sample must make at most {SPIKES_MOST} spikes, not more: the network "
                    "excites itself without bound; lower its recurrent weights (recurrent_sd), "
                    "or raise its thresholds (theta_min), beta or delay_min"
                )
            self._room *= 2
        spikes = counts[:, self.config.inputs :]
        peaks, output = None, self.layout.population("output")
        if silent or self.config.readout == "max":
            wanted = np.broadcast_to(spikes == 0, spikes.shape).copy()
            if not silent:
                wanted[:, : output.start] = False
            peaks = self._peaks(net, inputs, rows, tape, wanted)
        if self.config.readout == "max":
            score = peaks.value[:, output].copy()
        return Result(score, counts, tape, grid, inputs, rows, peaks)

    def _peaks(self, net, inputs, rows, tape, wanted):
        """Find the largest V of the neurons ``wanted``, (batch, neurons) bool."""
        peaks = peak.Peaks(
            np.empty(wanted.shape), np.zeros(wanted.shape), np.empty(wanted.shape, np.int64),
            np.zeros(wanted.shape, np.int64), np.zeros(wanted.shape),
        )  # fmt: skip
        arrivals = len(net.pairs) * max(inputs.events(rows), self._room)
        with self._threads():
            peak.find(net, inputs.arrays, rows, self._chunks, arrivals, tape, wanted, peaks)
        return peaks

    def backward(self, net, result: Result, pull: np.ndarray, slope_floor=0.0, spike_cap=0.0, *,
                 tau=False, peak_pull: np.ndarray | None = None):  # fmt: skip
        """Sum the gradients of a batch.

        Parameters
        ----------
        pull : (batch, classes) float64
            dL/dscore.
        slope_floor : float
            Least slope at threshold to divide by, 1/ms. 0: the exact one.
        spike_cap : float
            Largest share of one spike in dL/dtheta0. 0: no limit.
        tau : bool
            Whether to find those of time constants, which are 0 else.
        peak_pull : (batch, neurons) float64, optional
            dL/dV of the peaks in ``result``, if silent neurons' were found.

        Returns
        -------
        gradients : dict of str to array
            Named and shaped as `Network.arrays`.
        limited : int
            Spikes that one of the two limits changed.
        """
        if self.config.readout == "max":
            peak_pull = np.zeros_like(result.peaks.value) if peak_pull is None else peak_pull.copy()
            peak_pull[:, self.layout.population("output")] = pull
            pull = np.zeros_like(pull)
        limits = (max(float(slope_floor), SLOPE_LEAST), float(spike_cap) or np.inf)
        batch = len(result.rows)
        worth = (np.zeros_like(result.tape.time), np.empty_like(result.tape.time),
                 np.empty_like(result.tape.time))  # fmt: skip
        by_neuron = tuple(np.zeros((batch, self.layout.neurons)) for _ in range(2))
        by_synapse = tuple(np.zeros(self.layout.synapses) for _ in range(2))
        by_tau = np.zeros((self.layout.neurons, 3))
        limited = np.empty(batch, np.int64)
        what = (net, result.inputs.arrays, result.rows, self.threads)
        with self._threads():
            if peak_pull is not None:
                peak.seed(net, self._chunks, result.tape, result.peaks, peak_pull, worth[0])
                peak.gradient(*what, result.tape, result.peaks, peak_pull, *by_synapse, by_tau)
            backward.backward(
                net, result.grid, self._readout, self._chunks, result.tape, pull, limits, worth,
                by_neuron, limited,
            )  # fmt: skip
            gradient.gradient(
                net, result.grid, *what[1:], result.inputs.events(result.rows), result.tape, worth,
                pull, *by_synapse,
            )  # fmt: skip
            if tau:
                taus.gradient(*what, result.tape, worth[1], worth[2], pull, by_tau)
        theta0, beta = (values.sum(axis=0) for values in by_neuron)
        gradients = self.layout.gradients(*by_synapse, theta0, beta, by_tau if tau else None)
        return gradients, int(limited.sum())

    def counts(self, result: Result) -> dict[str, np.ndarray]:
        """Return the spikes of each population and of ``"input"``, (batch, neurons) int64."""
        inputs = self.config.inputs
        counts = {"input": result.counts[:, :inputs]}
        for name in self.config.populations:
            place = self.layout.population(name)
            counts[name] = result.counts[:, inputs + place.start : inputs + place.stop]
        return counts

    def decide(self, result: Result) -> np.ndarray:
        """Return the class of each sample, (batch,) int64; of equals the lowest."""
        if self.config.readout == "first-spike":
            return result.score.argmin(axis=1)
        if self.config.readout == "spike-count":
            return self.counts(result)["output"].argmax(axis=1)
        return result.score.argmax(axis=1)


def _usable_threads():
    """Cores that this process may use, which in a container are fewer than the machine has."""
    return max(1, min(numba.config.NUMBA_NUM_THREADS, len(os.sched_getaffinity(0))))

