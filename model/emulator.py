"""The emulator: runs a design on events, exactly as the core does, without a simulator.

A sample runs from rest; a `Stream` goes on from window to window.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .arithmetic import WORD_BITS
from .counters import COUNTERS
from .cursors import holds
from .events import TRACE, check_events
from .run import Design, Memory, Shape, move_on, rest, run_batch, run_sample, run_window
from .sizes import WHEEL_TICKS
from .upsets import NO_UPSETS, check_upsets, join_upsets, upset_rows

CHUNK = 16  # samples that a thread takes at a time
PAD = 16  # spiking neurons stand in whole vectors


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
        Indexed by the names in ``model.counters``: saturations, touches, spikes, looks, input
        events, synaptic events, ticks with work, pauses of the sleep rule that aren't for ever,
        touches of leaky outputs.
    """

    trace: np.ndarray
    decision: int
    scores: np.ndarray
    counters: np.ndarray


@dataclass(frozen=True, eq=False)
class BatchResult:
    """Decisions (samples,), scores (samples, outputs) and counters (samples, 9) of a batch.

    ``counters`` is None where they weren't asked for.
    """

    decisions: np.ndarray
    scores: np.ndarray
    counters: np.ndarray | None


def decide(config, scores):
    """Return the class of each row of ``scores`` (..., outputs); ties go to the lower index."""
    return np.argmin(scores, -1) if config.readout == "first-spike" else np.argmax(scores, -1)


class Emulator:
    """Runs `Parameters` in integers, bit for bit like the shape.

    Parameters
    ----------
    parameters : Parameters
    """

    def __init__(self, parameters):
        self._parameters = parameters
        config, tables = parameters.config, parameters.tables
        width = -(-config.spiking // PAD) * PAD
        columns = width + config.neurons - config.spiking
        reach = int(parameters.delay.max(initial=1))
        if (reach + 1) * columns > 1 << 32:
            raise ValueError(f"Emulator must have at most 2^32 accumulators, not {reach + 1} ticks "
                             f"of {columns}")
        cursors = config.buffer == "cursor"
        target = parameters.target.astype(np.int64)
        target += np.where(target < config.spiking, 0, width - config.spiking)
        self._shape = Shape(
            duration=config.ticks, inputs=config.inputs, spiking=config.spiking,
            top=config.trace_top, guard_bits=config.guard_bits, sum_bits=config.sum_bits,
            jump=config.synapse == "jump", wake_bits=config.wake_bits,
            slope_bits=config.slope_bits, width=width, columns=columns, reach=reach,
            slot=WHEEL_TICKS, late=config.ticks - reach if cursors else config.ticks,
            phase=0)
        self._design = Design(
            shape=self._shape, row_start=parameters.row_start,
            offset=(parameters.delay.astype(np.int64) * columns + target).astype(np.uint32),
            theta0=parameters.theta0, beta=parameters.beta,
            words=tables.low_m | tables.low_s << WORD_BITS | tables.low_a << 2 * WORD_BITS,
            hold=holds(parameters) if cursors else np.zeros(0, np.int64), tables=tables)
        # An accumulator holds a sum and, above it, the number of arrivals: at most fan_in.
        bits = config.sum_bits + config.fan_in.bit_length() + 1
        self._word = np.int32 if bits <= 32 else np.int64

    @property
    def parameters(self):
        """The design that is run."""
        return self._parameters

    def _load(self, weight):
        """Return the `Design` with these weights (None: its own), and what its synapses add.

        That's a weight, and one arrival.
        """
        config, design = self._parameters.config, self._design
        if weight is None:
            weight = self._parameters.weight
        limit = 1 << (config.weight_bits - 1)
        if np.min(weight, initial=0) < -limit or np.max(weight, initial=0) >= limit:
            raise ValueError(f"Emulator weight must be from {-limit} to {limit - 1}, not "
                             f"{np.min(weight)} to {np.max(weight)}")
        word = np.asarray(weight, self._word) + self._word(1 << config.sum_bits)
        there = np.asarray(weight) != 0
        if config.rows == "dense" and not there.all():  # a fault has made it 0: it's no synapse
            word = word[there]
            design = design._replace(
                row_start=np.append(0, np.cumsum(there))[design.row_start],
                offset=design.offset[there],
                hold=design.hold[there] if design.hold.size else design.hold)
        return design, word

    def _window(self):
        """Return room for the arrivals of some ticks; a longer one has to slide less often."""
        shape = self._shape
        rows = shape.reach + min(2 * shape.reach, shape.duration)
        return np.zeros(rows * shape.columns, self._word)

    def _scores(self, first, count, integral):
        config = self._parameters.config
        table = {"first-spike": first, "spike-count": count, "leaky": integral}[config.readout]
        return table[..., config.first_output:].copy()

    def run(self, events, *, weight=None, upsets=NO_UPSETS):
        """Run one sample and keep its trace.

        Parameters
        ----------
        events : TickEvents
        weight : (synapses,) int32, optional
            Weights to use in place of the design's, for studies of faults.
        upsets : (upsets,) array of `ranvier.model.upsets.UPSET`, optional

        Raises
        ------
        ValueError
            If events are unsorted, repeated or out of range, weights are out of range, or
            `check_upsets` refuses the upsets.
        """
        check_events(events, self._parameters.config)
        check_upsets(upsets, self._parameters.config)
        (design, word), outputs = self._load(weight), self._outputs(())
        capacity = 64 * (len(events) + 16)
        while True:
            record = np.empty((capacity, 6), np.int64)
            touches = run_sample(
                np.asarray(events.ticks, np.int64), np.asarray(events.channels, np.int32),
                upset_rows(upsets), design, word, self._window(), True, record, *outputs)
            if touches <= capacity:
                break
            capacity = touches
        scores = self._scores(*outputs[1:])
        trace = np.ascontiguousarray(record[:touches]).view(TRACE).reshape(touches)
        return Result(trace, int(decide(self._parameters.config, scores)), scores, outputs[0])

    def stream(self, *, weight=None):
        """Return a `Stream` of the design at rest; ``weight`` is that of `run`."""
        return Stream(self._parameters, *self._load(weight), self._window(), self._outputs,
                      self._scores)

    def _outputs(self, shape):
        neurons = self._parameters.config.neurons
        return (np.zeros((*shape, COUNTERS), np.int64),
                *(np.zeros((*shape, neurons), np.int64) for _ in range(3)))

    def run_batch(self, samples, *, weight=None, upsets=None, threads=None, counters=True):
        """Run many samples without traces, on ``threads`` threads (default: all processors).

        The result doesn't depend on the number of threads. Without ``counters`` a busy network
        runs up to 1.6 times as fast, because the sleep rule needn't be followed to the letter;
        with upsets it is anyway. ``upsets`` are an array for each sample, ``weight`` and errors
        those of `run`.
        """
        for events in samples:
            check_events(events, self._parameters.config)
        ticks = np.concatenate([e.ticks for e in samples] or [np.zeros(0)]).astype(np.int64)
        channels = np.concatenate([e.channels for e in samples] or [np.zeros(0)]).astype(np.int32)
        offsets = np.cumsum([0, *(len(e) for e in samples)])
        struck, strikes = join_upsets(upsets, len(samples), self._parameters.config)
        (design, word), outputs = self._load(weight), self._outputs((len(samples),))
        counting = True if counters or len(struck) else None

        def work(start):
            stop = min(start + CHUNK, len(samples))
            run_batch(ticks, channels, offsets[start : stop + 1], struck,
                      strikes[start : stop + 1], design, word, self._window(), counting,
                      *(array[start:stop] for array in outputs))

        with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
            list(pool.map(work, range(0, len(samples), CHUNK)))
        scores = self._scores(*outputs[1:])
        decisions = decide(self._parameters.config, scores)
        return BatchResult(decisions, scores, outputs[0] if counters else None)


class Stream:
    """A network that is never cleared: `Emulator.stream` makes it.

    Time is cut into windows. Each is decided as a sample is, over its own ticks, which count from
    0; the neurons, and what is on its way to them, go on from one window to the next. Ticks never
    wrap here.
    """

    def __init__(self, parameters, design, word, window, outputs, scores):
        self._config = parameters.config
        self._design = design
        self._word = word
        self._memory = rest(design, window)
        self._outputs = outputs
        self._scores = scores
        self._owed = np.zeros(design.shape.reach + design.shape.slot, np.int64)
        self._tick = 0

    @property
    def tick(self):
        """Ticks that have been run: the first one of the next window, counted from the start."""
        return self._tick

    def run(self, events, ticks=None):
        """Run the next window. Returns its `Result`.

        Parameters
        ----------
        events : TickEvents
            Their ticks count from the window's first.
        ticks : int, optional
            Length of the window, from 0 to ``config.ticks``, which is the default.

        Raises
        ------
        ValueError
            If events are unsorted, repeated or out of range, or the window is too long.
        """
        ticks = self._config.ticks if ticks is None else ticks
        if not 0 <= ticks <= self._config.ticks:
            raise ValueError(f"Window must have 0 to {self._config.ticks} ticks, not {ticks}")
        check_events(events, self._config)
        if len(events) and events.ticks[-1] >= ticks:
            raise ValueError(f"Input events must lie in ticks 0 to {ticks - 1} of their window, "
                             f"not {events.ticks[-1]}")
        shape = self._design.shape
        late = shape.late - shape.duration + ticks  # as long before the end
        phase = self._tick % shape.slot
        design = self._design._replace(
            shape=shape._replace(duration=ticks, late=late, phase=phase))
        capacity = 64 * (len(events) + 16)
        while True:
            record, outputs = np.empty((capacity, 6), np.int64), self._outputs(())
            memory = Memory(*(array.copy() for array in self._memory))
            owed = self._owed.copy()
            touches, base = run_window(
                np.asarray(events.ticks, np.int64), np.asarray(events.channels, np.int32),
                upset_rows(NO_UPSETS), design, self._word, memory, True, record, owed, *outputs)
            if touches <= capacity:
                break
            capacity = touches
        move_on(design, memory, base, self._config.forgets_after)
        outputs[1][outputs[1] == ticks] = self._config.ticks  # no spike, however short the window
        self._memory, self._owed, self._tick = memory, owed, self._tick + ticks
        scores = self._scores(*outputs[1:])
        trace = np.ascontiguousarray(record[:touches]).view(TRACE).reshape(touches)
        return Result(trace, int(decide(self._config, scores)), scores, outputs[0])
