"""The tick grid: the integer contract's rules in floats, and their gradients."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from ..model.config import check_tick
from ..model.readout import readout_kernel
from .engine import Engine
from .ticks import forward, gather, structures, sweep

__all__ = ["TickEngine"]

PIECES = 16
"""Pieces that a batch is cut into, whatever the threads."""

ROOM = 1024
"""Spikes that fit on a sample's first tape. Later ones follow the batch before."""

ROWS = 64
"""Sources whose delays are rounded at once. All together would take most of a step's memory."""

SLOPE_LEAST = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}
"""Slope, 1/ms, below which a spike can't be told from one that just touches its threshold."""

NOTHING = 1e-20
"""What is left of an adjoint when it counts as gone. Smaller numbers would slow the arithmetic."""

READOUTS = {
    "leaky": structures.LEAKY,
    "first-spike": structures.FIRST_SPIKE,
    "spike-count": structures.SPIKE_COUNT,
}


@dataclass(frozen=True)
class TickResult:
    """A batch's forward pass on the grid.

    ``used`` : (batch,) int64, spikes on the tape.
    ``score`` : (batch, classes) float64, as in `engine.Result`. ``counts`` :
    (batch, neurons) int64, spikes of every neuron, input channels first.
    """

    tape: structures.Tape
    used: np.ndarray
    score: np.ndarray
    counts: np.ndarray


class TickEngine(Engine):
    """Runs one shape of network on a grid of ticks, forwards and backwards.

    Forwards it obeys docs/contract.md but for the rounding: the core's own spikes before anything
    but times is rounded. Backwards it gives the gradients of that system in the sense of
    docs/gradients.md, section 7; a delay's is that of the delay before rounding. Time constants
    get none: theirs are 0.

    Parameters
    ----------
    config : NetworkConfig
        Shape of the networks. Any readout but ``"max"``.
    tick : float
        Milliseconds; a whole number of microseconds from 1 us to 10 ms.
    threads : int or None
        Cores to use; None: all that the process may use. Results don't depend on it.
    dtype : type
        float32, or float64 where that's not exact enough. Takes twice the time and memory.
    """

    def __init__(self, config, tick: float, threads: int | None = None, dtype=np.float32):
        check_tick(tick)
        if config.readout not in READOUTS:
            raise ValueError(
                f"Readout on a grid must be one of {', '.join(READOUTS)}, not {config.readout!r}"
            )
        super().__init__(config, threads)
        self.tick = tick
        self.ticks = ceil(config.duration / tick - 1e-9) + 1
        self._dtype = np.dtype(dtype)
        self._readout = READOUTS[config.readout]
        self._first = np.cumsum([0, *config.populations.values()])
        self._rows, self._synapses = self._arrange()
        self._room = ROOM

    @property
    def settings(self) -> dict:
        """What its results depend on beside the network's shape, ready for JSON."""
        return {"tick": self.tick, "dtype": self._dtype.name}

    def _arrange(self):
        """Return where each source population's synapses are, and how many there are in all.

        Where: the first synapse, the synapses of each source, and {target: columns among these}.
        """
        rows, at = {}, 0
        for pre in ("input", *self.config.spiking):
            columns, width = {}, 0
            for post in (post for source, post in self.config.connections if source == pre):
                columns[post] = slice(width, width + self.config.size(post))
                width += self.config.size(post)
            rows[pre] = at, width, columns
            at += self.config.size(pre) * width
        return rows, at

    def population(self, name: str) -> slice:
        """Neurons of a population, or of ``"input"``, among all."""
        if name == "input":
            return slice(0, self.config.inputs)
        index = list(self.config.populations).index(name)
        first = self._first + self.config.inputs
        return slice(int(first[index]), int(first[index + 1]))

    def pack(self, network) -> structures.Grid:
        """Lay a `Network` out for the kernels."""
        config, neurons, real = self.config, int(self._first[-1]), self._dtype
        names = list(config.populations)
        weight, hop = np.empty(self._synapses, real), np.empty(self._synapses, np.uint32)
        connections, row_start = [], []
        for pre, (at, width, columns) in self._rows.items():
            sources = config.size(pre)
            block = slice(at, at + sources * width)
            own = weight[block].reshape(sources, width), hop[block].reshape(sources, width)
            row_start.append(at + width * np.arange(sources))
            for post, place in columns.items():
                index = names.index(post)
                target = np.arange(self._first[index], self._first[index + 1])
                own[0][:, place] = network.weights[pre, post]
                for k in range(0, sources, ROWS):
                    rows = slice(k, k + ROWS)
                    part = network.delay_ticks(pre, post, self.tick, rows)
                    own[1][rows, place] = np.minimum(part, self.ticks) * neurons + target
                source = self.population(pre).start
                connections.append((index, source, sources, at + place.start, width))
        slots = int(hop.max()) // neurons + 1
        theta0, beta = np.ones(neurons, real), np.zeros(neurons, real)
        for name in config.spiking:
            low = self.population(name).start - config.inputs
            theta0[low : low + config.size(name)] = network.theta0[name]
            beta[low : low + config.size(name)] = network.beta[name]
        return structures.Grid(
            inputs=config.inputs, neurons=neurons, ticks=self.ticks, slots=slots,
            spiking=len(config.spiking), jump=config.synapse == "jump", tick=self.tick,
            duration=config.duration, first=self._first, theta0=theta0, beta=beta,
            row_start=np.concatenate([*row_start, [self._synapses]]), weight=weight, hop=hop,
            connections=np.array(connections, np.int64),
            readout=self._leak(network, slots).astype(np.result_type(real, 1j)),
            **{name: array.astype(real) for name, array in self._decays(network).items()},
        )  # fmt: skip

    def _decays(self, network):
        """Return what depends on the time constants alone, as in `structures.Grid`."""
        step = self.tick / np.array([network.taus(name) for name in self.config.populations])
        power = np.exp(-step[:, :2, None] * np.arange(self.ticks, 0, -1))
        power[power < NOTHING] = 0
        return {"decay": np.exp(-step), "rate": np.expm1(step) / self.tick, "power": power}

    def _leak(self, network, slots):
        """Return K and its derivative for arrivals in every tick, 0 after the last."""
        table = np.zeros(self.ticks + slots, np.complex128)
        if self.config.readout == "leaky":
            tau_m, tau_s, _ = network.taus("output")
            duration = self.ticks * self.tick
            times = np.arange(self.ticks) * self.tick
            value = readout_kernel(
                times, duration=duration, tau_m=tau_m, tau_s=tau_s, synapse=self.config.synapse
            )
            left = (duration - times)[:, None] * (1 / duration + 1 / np.array([tau_m, tau_s]))
            slow, fast = np.exp(-left).T
            edge = fast - slow if self.config.synapse == "exponential" else -slow
            table[: self.ticks] = value + 1j * (np.exp(-times / duration) * edge - value) / duration
        return table

    def forward(self, net: structures.Grid, inputs, rows: np.ndarray) -> TickResult:
        """Run samples ``rows``, (batch,) int64, of ``inputs``, which are `Inputs`."""
        batch = len(rows)
        events = int((inputs.start[rows, -1] - inputs.start[rows, 0]).max(initial=0))
        used, score = np.empty(batch, np.int64), np.empty((batch, self.config.outputs))
        counts = np.empty((batch, net.inputs + net.neurons), np.int64)
        while True:
            shape = (batch, self._room)
            tape = structures.Tape(
                begin=np.empty((batch, net.inputs + 1), np.int32),
                at=np.empty((batch, events), np.uint32),
                tick=np.empty(shape, np.int32), neuron=np.empty(shape, np.int32),
                fast=np.empty(shape, self._dtype), slope=np.empty(shape, self._dtype),
            )  # fmt: skip
            with self._threads():
                forward.forward(
                    net, self._readout, inputs.time, inputs.start, rows, PIECES, tape, used, score,
                    counts,
                )  # fmt: skip
            if (used != structures.FULL).all():
                self._room = max(ROOM, 5 * int(used.max(initial=0)) // 4)
                return TickResult(tape, used, score, counts)
            self._room *= 2

    def backward(self, net, result: TickResult, pull: np.ndarray, slope_floor=0.0, spike_cap=0.0):
        """Sum the gradients of a batch.

        Parameters
        ----------
        pull : (batch, classes) float64
            dL/dscore.
        slope_floor : float
            Least slope at threshold to divide by, 1/ms. 0: none.
        spike_cap : float
            Largest share of one spike in dL/dtheta0. 0: no limit.

        Returns
        -------
        gradients : dict of str to array
            Named and shaped as `Network.arrays`. Of weights and delays in the engine's dtype, those
            of ``tau`` 0.
        limited : int
            Spikes that one of the two limits changed.
        """
        batch, most = len(pull), int(result.used.max(initial=0))
        spikes = structures.Spikes(
            np.empty((batch, net.neurons + 1), np.int32), np.empty((batch, most), np.uint32),
            np.empty((batch, most), self._dtype), np.empty((batch, most), self._dtype),
            np.empty((batch, net.inputs + net.neurons), np.int32),
        )  # fmt: skip
        theta0, beta = np.empty((batch, net.neurons)), np.empty((batch, net.neurons))
        limited = np.empty(batch, np.int64)
        gradients = np.empty((2, net.weight.size), self._dtype)
        limits = (max(float(slope_floor), SLOPE_LEAST[self._dtype]), float(spike_cap) or np.inf)
        with self._threads():
            sweep.sweep(
                net, self._readout, PIECES, result.tape, result.used, pull, limits, spikes, theta0,
                beta, limited,
            )  # fmt: skip
            gather.gather(net, PIECES, result.tape, spikes, pull, gradients)
        return self._named(gradients, theta0.sum(axis=0), beta.sum(axis=0)), int(limited.sum())

    def _named(self, gradients, theta0, beta):
        """Return the gradients as `Network.arrays` has them."""
        named = {}
        for pre, (at, width, columns) in self._rows.items():
            size = self.config.size(pre)
            block = gradients[:, at : at + size * width].reshape(2, size, width)
            for post, place in columns.items():
                name = f"{pre}/{post}"
                named[f"weights/{name}"], by_delay = block[:, :, place]
                if self.config.delays == "synaptic":
                    named[f"delays/{name}"] = by_delay
                    continue
                named[f"delays/{name}/axonal"] = by_delay.sum(axis=1, keepdims=True)
                if self.config.delays == "axonal+dendritic":
                    named[f"delays/{name}/dendritic"] = by_delay.sum(axis=0, keepdims=True)
        for name in self.config.spiking:
            place = self.population(name)
            own = slice(place.start - self.config.inputs, place.stop - self.config.inputs)
            named[f"theta0/{name}"], named[f"beta/{name}"] = theta0[own], beta[own]
        return named | {f"tau/{name}": np.zeros(3) for name in self.config.populations}

    def counts(self, result: TickResult) -> dict[str, np.ndarray]:
        """Return the spikes of each population and of ``"input"``, (batch, neurons) int64."""
        names = ("input", *self.config.populations)
        return {name: result.counts[:, self.population(name)] for name in names}
