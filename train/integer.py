"""Integers in the loop: the core's own spikes forwards, the grid's gradients backwards."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from ..model.emulator import Emulator
from ..model.events import TickEvents
from ..model.tables import ONE
from .grid import TickEngine, TickResult
from .quantise import check_delay_bits, coarse_delays, quantise, rounded_network
from .ticks import structures
from .ticks.events import encode

__all__ = ["IntegerEngine"]


class IntegerNet(NamedTuple):
    """A packed design.

    ``grid`` : the rounded network in floats. ``emulator`` : the design. ``unit`` : (populations,)
    float64, a trace's last place in threshold units.
    """

    grid: structures.Grid
    emulator: Emulator
    unit: np.ndarray

    @property
    def theta0(self) -> np.ndarray:
        """Thresholds, (neurons,); a change has no influence on the integers' spikes."""
        return self.grid.theta0


class IntegerEngine(TickEngine):
    """Runs the integer model of a network, and goes back as `TickEngine` does.

    For fine-tuning a network as its core will compute it: `forward` rounds the network to a design
    and takes the spikes and traces of the integer model, to the bit; `backward` gives the gradients
    on the tick grid at these spikes, which go to the float parameters as if rounding weren't there
    (straight-through).

    The scales of the first network stay: if they followed the weights, every step would round all
    weights anew. A fine-tuned network has to be rounded with them, ``quantise(network, design,
    engine.scales)``.

    Parameters
    ----------
    config : NetworkConfig
        Shape of the networks. With exponential synapses.
    design : DesignConfig
        How they are rounded.
    threads : int or None
        Cores to use; None: all that the process may use. Results don't depend on it.
    delay_bits : int or None
        Delays are those of `coarse_delays`; None: as fine as the tick.

    Raises
    ------
    ValueError
        If the synapse is ``"jump"``: there weights have no gradient to fine-tune by.
    """

    def __init__(self, config, design, threads: int | None = None, delay_bits: int | None = None):
        super().__init__(config, design.tick, threads)
        if config.synapse == "jump":
            raise ValueError("Synapse of integers in the loop must be 'exponential', not 'jump'")
        check_delay_bits(delay_bits)
        self.design = design
        self.delay_bits = delay_bits
        self.scales = None

    @property
    def settings(self) -> dict:
        """What its results depend on beside the network's shape, ready for JSON."""
        return {**asdict(self.design), "delay_bits": self.delay_bits, "scales": self.scales}

    def pack(self, network) -> IntegerNet:
        """Round a `Network` and lay it out.

        Raises
        ------
        ValueError
            If the network doesn't fit the design.
        """
        if self.delay_bits is not None:
            network = coarse_delays(network, self.delay_bits)
        parameters, report = quantise(network, self.design, self.scales)
        self.scales = {name: cost["scale"] for name, cost in report["populations"].items()}
        rounded = rounded_network(network, self.design, self.scales)
        scales = np.array([self.scales[name] for name in self.config.populations])
        unit = scales / (1 << parameters.config.guard_bits)
        return IntegerNet(super().pack(rounded), Emulator(parameters), unit)

    def forward(self, net: IntegerNet, inputs, rows: np.ndarray) -> TickResult:
        """Run samples ``rows``, (batch,) int64, of ``inputs``, which are `Inputs`."""
        begin, at = self._encode(net.grid, inputs, rows)
        events = [self._events(*sample) for sample in zip(begin, at, strict=True)]
        with ThreadPoolExecutor(self.threads) as pool:
            results = list(pool.map(net.emulator.run, events))
        sample = np.repeat(np.arange(len(rows)), [result.trace.size for result in results])
        trace = np.concatenate([result.trace for result in results])
        fires = trace["neuron"] < self._first[net.grid.spiking]
        spikes = self._spikes(net, sample[fires], trace[fires])
        tape, used = self._tape(begin, at, *spikes)
        score = np.array([self._score(net, result) for result in results])
        if self.config.readout == "spike-count":
            score = self._ramp(tape, used)
        counts = np.zeros((len(rows), net.grid.inputs + net.grid.neurons), np.int64)
        counts[:, : net.grid.inputs] = np.diff(begin, axis=1)
        np.add.at(counts, (spikes[0], net.grid.inputs + spikes[1]["neuron"]), 1)
        return TickResult(tape, used, score, counts)

    def backward(self, net: IntegerNet, result, pull, slope_floor=0.0, spike_cap=0.0):
        """Sum the gradients of a batch, as `TickEngine.backward`."""
        return super().backward(net.grid, result, pull, slope_floor, spike_cap)

    def _encode(self, grid, inputs, rows):
        """Return ``begin`` and ``at`` of a `structures.Tape`."""
        most = int((inputs.start[rows, -1] - inputs.start[rows, 0]).max(initial=0))
        begin = np.empty((len(rows), grid.inputs + 1), np.int32)
        at = np.zeros((len(rows), most), np.uint32)
        encode(grid, inputs.time, inputs.start, rows, begin, at)
        return begin, at

    def _events(self, begin, at):
        """Return one sample's events in the order of the emulator."""
        ticks = at[: begin[-1]].astype(np.int64)
        channels = np.repeat(np.arange(begin.size - 1, dtype=np.int32), np.diff(begin))
        order = np.lexsort((channels, ticks))
        return TickEvents(ticks=ticks[order], channels=channels[order])

    def _spikes(self, net, sample, trace):
        """Return (sample, record, Q just before, slope) of each spike, in order.

        A record holds the traces after a touch, so those before it come from the neuron's record
        before, decayed.
        """
        order = np.lexsort((trace["tick"], trace["neuron"], sample))
        known = trace[order]
        same = (np.diff(sample[order]) == 0) & (np.diff(known["neuron"]) == 0)
        fired = np.flatnonzero(known["fired"][1:] * same) + 1
        spike, before = known[fired], known[fired - 1]
        population = np.searchsorted(self._first, spike["neuron"], side="right") - 1
        decay = np.float64(net.grid.decay[population]) ** (spike["tick"] - before["tick"])[:, None]
        p, q, a = (before[name] * factor for name, factor in zip("pqa", decay.T, strict=True))
        rate, unit = net.grid.rate[population], net.unit[population]
        slope = (q * rate[:, 1] + a * rate[:, 2] - p * rate[:, 0]) * unit
        back = np.lexsort((spike["neuron"], spike["tick"], sample[order][fired]))
        return sample[order][fired][back], spike[back], (q * unit)[back], slope[back]

    def _tape(self, begin, at, sample, spike, fast, slope):
        """Return the tape and the spikes on each sample's."""
        used = np.bincount(sample, minlength=len(begin))
        shape = len(begin), int(used.max(initial=0))
        place = np.arange(sample.size) - np.repeat(np.cumsum(used) - used, used)
        tape = structures.Tape(
            begin, at, np.zeros(shape, np.int32), np.zeros(shape, np.int32),
            np.zeros(shape, self._dtype), np.zeros(shape, self._dtype),
        )  # fmt: skip
        columns = (spike["tick"], spike["neuron"], fast, slope)
        for array, values in zip(tape[2:], columns, strict=True):
            array[sample, place] = values
        return tape, used

    def _score(self, net, result):
        """Return one sample's scores in the units of `TickResult`."""
        if self.config.readout == "leaky":
            scale = net.unit[-1] * (1 << net.emulator.parameters.config.guard_bits)
            return result.scores * (scale * net.grid.readout.real.max() / ONE)
        return np.where(result.scores < self.ticks, result.scores * self.tick, np.inf)

    def _ramp(self, tape, used):
        """Return the sum of 1 - t/T over each output's spikes."""
        score = np.zeros((used.size, self.config.outputs))
        sample, place = np.nonzero(np.arange(tape.tick.shape[1]) < used[:, None])
        neuron = tape.neuron[sample, place] - self._first[-2]
        ramp = 1 - tape.tick[sample, place] * self.tick / self.config.duration
        np.add.at(score, (sample[neuron >= 0], neuron[neuron >= 0]), ramp[neuron >= 0])
        return score
