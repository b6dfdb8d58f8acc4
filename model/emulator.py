"""The emulator: runs a design on events, exactly as the core does, without a simulator."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from . import _kernels as kernels
from .config import FRACTION, LOW_WORDS, SLEEP_LEVELS, WAKE_SLOTS
from .events import TRACE

if (1 << kernels.LOW_BITS, kernels.FRACTION, kernels.FOREVER + 1) != (
        LOW_WORDS, FRACTION, SLEEP_LEVELS):
    raise ImportError("model._kernels must repeat the constants of model.config")

CHUNK = 16  # samples that a thread takes at a time


@dataclass(frozen=True, eq=False)
class Result:
    """What a design did with one sample.

    Members
    -------
    trace : (touches,) TRACE records, sorted by tick and neuron.
    decision : int
        Class index.
    scores : (outputs,) int64
        First spike tick (``config.ticks``: none), spike count or integral, by readout.
    counters : (9,) int64
        Indexed by the names in ``model._kernels``: saturations, touches, spikes, looks, input
        events, synaptic events, ticks with work, levels searched by the sleep rule, touches of
        leaky outputs.
    """

    trace: np.ndarray
    decision: int
    scores: np.ndarray
    counters: np.ndarray


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Decisions (samples,), scores (samples, outputs) and counters (samples, 9) of a batch."""

    decisions: np.ndarray
    scores: np.ndarray
    counters: np.ndarray


def decide(config, scores):
    """Return the class of each row of ``scores`` (..., outputs); ties go to the lower index."""
    return np.argmin(scores, -1) if config.readout == "first-spike" else np.argmax(scores, -1)


class Emulator:
    """Runs `Parameters` in integers, bit for bit like the core.

    Parameters
    ----------
    parameters : Parameters
    """

    def __init__(self, parameters):
        self._parameters = parameters
        config, tables = parameters.config, parameters.tables
        self._shape = (np.int64(config.ticks), np.int64(config.inputs), np.int64(config.spiking),
                       np.int64(config.trace_top), np.int64(config.guard_bits),
                       np.int64(config.sleep_margin), config.synapse == "jump", config.adaptive,
                       parameters.row_start, parameters.target)
        self._tail = (parameters.delay, parameters.theta0, parameters.beta,
                      tables.low_m, tables.high_m, tables.low_s, tables.high_s, tables.low_a,
                      tables.high_a, tables.sleep_q, tables.sleep_a, tables.readout,
                      np.int64(config.slots), np.int64(WAKE_SLOTS))

    @property
    def parameters(self):
        """The design that is run."""
        return self._parameters

    def _check(self, ticks, channels):
        config = self._parameters.config
        keys = np.asarray(ticks, np.int64) * config.inputs + channels
        if np.any(np.diff(keys) <= 0):
            at = int(np.flatnonzero(np.diff(keys) <= 0)[0]) + 1
            raise ValueError(f"Input event {at} must come after event {at - 1} in (tick, channel), "
                             f"not at tick {ticks[at]}, channel {channels[at]}")
        if keys.size and (ticks[0] < 0 or ticks[-1] >= config.ticks or min(channels) < 0
                          or max(channels) >= config.inputs):
            raise ValueError(f"Input events must lie in ticks 0 to {config.ticks - 1} and channels "
                             f"0 to {config.inputs - 1}")

    def _scores(self, first, count, integral):
        config = self._parameters.config
        table = {"first-spike": first, "spike-count": count, "leaky": integral}[config.readout]
        return table[..., config.first_output:].copy()

    def run(self, events, *, weight=None):
        """Run one sample and keep its trace.

        Parameters
        ----------
        events : TickEvents
        weight : (synapses,) int32, optional
            Weights to use in place of the design's, for studies of faults.

        Raises
        ------
        ValueError
            If events are unsorted, repeated or out of range.
        """
        parameters = self._parameters
        self._check(events.ticks, events.channels)
        weight = parameters.weight if weight is None else weight
        outputs = self._outputs(())
        capacity = 64 * (len(events) + 16)
        while True:
            record = np.empty((capacity, 6), np.int64)
            touches = kernels.run_sample(
                np.asarray(events.ticks, np.int64), np.asarray(events.channels, np.int32),
                *self._shape, weight, *self._tail, record, *outputs)
            if touches <= capacity:
                break
            capacity = touches
        scores = self._scores(*outputs[1:])
        trace = np.ascontiguousarray(record[:touches]).view(TRACE).reshape(touches)
        return Result(trace, int(decide(parameters.config, scores)), scores, outputs[0])

    def _outputs(self, shape):
        neurons = self._parameters.config.neurons
        return (np.zeros((*shape, kernels.COUNTERS), np.int64),
                *(np.zeros((*shape, neurons), np.int64) for _ in range(3)))

    def run_batch(self, samples, *, weight=None, threads=None):
        """Run many samples without traces, on ``threads`` threads (default: all processors).

        The result doesn't depend on the number of threads.
        """
        for events in samples:
            self._check(events.ticks, events.channels)
        ticks = np.concatenate([e.ticks for e in samples] or [np.zeros(0)]).astype(np.int64)
        channels = np.concatenate([e.channels for e in samples] or [np.zeros(0)]).astype(np.int32)
        offsets = np.cumsum([0, *(len(e) for e in samples)])
        weight = self._parameters.weight if weight is None else weight
        outputs = self._outputs((len(samples),))

        def work(start):
            stop = min(start + CHUNK, len(samples))
            kernels.run_batch(ticks, channels, offsets[start : stop + 1], *self._shape, weight,
                              *self._tail, *(array[start:stop] for array in outputs))

        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            list(pool.map(work, range(0, len(samples), CHUNK)))
        scores = self._scores(*outputs[1:])
        return BatchResult(decide(self._parameters.config, scores), scores, outputs[0])
