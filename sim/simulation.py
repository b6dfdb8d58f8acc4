"""What every way of running the RTL shares: what goes in, and the record of what came out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Shape

from ..hw import payloads
from ..hw.upsets import upset_places
from ..model.bank import SEARCH_CYCLES, VISIT_CYCLES
from ..model.counters import INPUT_EVENTS, LOOKS, SATURATIONS, SPIKES, SYNAPTIC_EVENTS, TOUCHES
from ..model.events import TRACE
from ..model.upsets import NO_UPSETS, check_upsets
from .compare import MismatchError, check_run
from .fields import Field

__all__ = [
    "COMPARED",
    "HangError",
    "Run",
    "Simulator",
    "StreamError",
    "check_results",
    "core_fields",
    "cycle_limit",
    "input_words",
    "make_run",
    "quiet_limit",
    "upset_places_of",
    "window_starts",
    "word_limit",
]

# Counters on which model and RTL agree, and the model's columns for them.
COMPARED = {
    "saturations": SATURATIONS,
    "touches": TOUCHES,
    "spikes": SPIKES,
    "looks": LOOKS,
    "input_events": INPUT_EVENTS,
    "synaptic_events": SYNAPTIC_EVENTS,
}


class HangError(RuntimeError):
    """The core stopped answering, or never stops; the text says where.

    Members
    -------
    sample : int or None
        Index of the sample in the run, where that's known.
    """

    def __init__(self, text, sample=None):
        super().__init__(text)
        self.sample = sample


@dataclass(frozen=True, eq=False)
class Run:
    """What the RTL did with one sample.

    Members
    -------
    trace : (touches,) array of `ranvier.model.events.TRACE`, sorted by tick and neuron
    spikes : (spikes, 2) int64
        Ticks and neurons of the spikes that left the core, sorted.
    decision : int
        Class index.
    scores : (outputs,) int64
        Readout values: first spike tick (``config.ticks``: none), spike count or integral.
    counters : dict of str to int
        Registers of the core after the sample: ``cycles``, ``saturations`` and the others that
        `ranvier.sim.bus.READ_BACK` names.
    """

    trace: np.ndarray
    spikes: np.ndarray
    decision: int
    scores: np.ndarray
    counters: dict


class StreamError(MismatchError):
    """A stream broke the core's contract.

    Members
    -------
    run : Run or None
        What a reader finds who doesn't check: the words up to the first last one, as they are.
        None if there's no last one.
    """

    def __init__(self, sample, text, run):
        super().__init__(sample, text)
        self.run = run


class Simulator(ABC):
    """One way to run the RTL of a core.

    Parameters
    ----------
    parameters : Parameters
        What the core is loaded with, over its bus.
    """

    def __init__(self, parameters):
        self._parameters = parameters

    @property
    def parameters(self):
        """What the core is loaded with."""
        return self._parameters

    def load(self, parameters):
        """Load other `Parameters` of the same config from the next run on.

        Raises
        ------
        ValueError
            If the config is another one: the core would have another shape.
        """
        if parameters.config != self._parameters.config:
            raise ValueError(f"Parameters must have the core's config {self._parameters.config}, "
                             f"not {parameters.config}")
        self._parameters = parameters

    @abstractmethod
    def run(self, samples, *, expected=None, stall=0.0, seed=0, flips=(), upsets=(), strikes=(),
            waves=None, lengths=None):
        """Run samples one after the other on one core.

        With ``config.streaming`` they are the windows of a stream, which begins at rest.

        Parameters
        ----------
        samples : sequence of TickEvents
        expected : sequence of Result, optional
            What the emulator (of windows, its `Stream`) says; the run stops at the first
            difference.
        stall : float
            Probability, below 1, with which each of the three streams is held up on a cycle.
        seed : int
            Of the stalls.
        flips : sequence of sequences of (int, int, int), optional
            For each sample the bits of the weight memories that are flipped during it: bank,
            address, bit.
        upsets : sequence of arrays of `ranvier.model.upsets.UPSET`, optional
            For each sample the words of state that are upset during it, as in the model.
        strikes : sequence of sequences of (int, int, int), optional
            For each sample the bits of registers that flip during it, whatever comes of it: cycle,
            from 0 in the one after that in which the sample's first word was taken; index of the
            register; bit. Those after the sample's end don't strike. The samples after it run on
            the same core, up to the next one that's struck, which begins on a fresh one. Under
            CXXRTL alone.
        waves : path, optional
            File for a waveform of the whole run.
        lengths : sequence of int, optional
            Ticks of each window, ``config.ticks`` at most, which they are without it.

        Returns
        -------
        list of Run, one per sample

        Raises
        ------
        MismatchError
            At the first difference from ``expected``; a `StreamError` where a stream breaks its
            contract.
        HangError
            If the core stops answering.
        ValueError
            If what is flipped, upset or struck isn't there.
        """


def core_fields(config):
    """Return the fields of the payloads of ``i``, ``o`` and ``trace``, by port name."""
    layouts = {
        "i": payloads.input_word(config),
        "o": payloads.output_word(config),
        "trace": payloads.trace_record(config),
    }
    return {
        port: [
            Field(name, field.offset, field.width, Shape.cast(field.shape).signed)
            for name, field in layout
        ]
        for port, layout in layouts.items()
    }


def input_words(config, events, start=0, ticks=None):
    """Return the words (events + 1,) uint64 that bring one sample in, the last one included.

    A window of a stream starts at tick ``start`` and has ``ticks`` ticks (``config.ticks``).
    """
    tick, channel, last = core_fields(config)["i"]
    wraps = (1 << tick.width) - 1
    words = np.zeros(len(events) + 1, np.uint64)
    words[:-1] = (((events.ticks + start) & wraps).astype(np.uint64) << np.uint64(tick.offset)) | (
        events.channels.astype(np.uint64) << np.uint64(channel.offset)
    )
    end = (start + (config.ticks if ticks is None else ticks)) & wraps
    words[-1] = (end << tick.offset) | (1 << last.offset)
    return words


def window_starts(config, lengths):
    """Return the tick at which each sample starts: 0, but in a stream after the one before."""
    starts = [0, *np.cumsum(lengths, dtype=np.int64).tolist()][:-1]
    return starts if config.streaming else [0] * len(lengths)


def upset_places_of(config, upsets, samples):
    """Check the upsets of a run; return `upset_places` of each of its samples."""
    upsets = upsets if len(upsets) else [NO_UPSETS] * samples
    if len(upsets) != samples:
        raise ValueError(f"Upsets must be given for {samples} samples, not for {len(upsets)}")
    for each in upsets:
        check_upsets(each, config)
    return [upset_places(config, each) for each in upsets]


def quiet_limit(config):
    """Return a number of cycles within which a working core moves some stream.

    A tick without any traffic costs a few cycles, and a look at every neuron: those whose threshold
    is below the margin of the sleep rule are looked at in every tick. The longest work of one tick
    is a row of every source and cursor, a touch of every neuron and a scan of every slot; clearing
    is a sweep of the memories.
    """
    looks, work, sweep = _longest(config)
    return 10_000 + looks * config.ticks + 4 * work + sweep


def cycle_limit(config):
    """Return a number of cycles within which a working core is done with a sample, unstalled."""
    looks, work, sweep = _longest(config)
    return 10_000 + (looks + 4 * work) * config.ticks + sweep


def _longest(config):
    """Return cycles of a tick's looks, of its other work, and of clearing: see `quiet_limit`."""
    look = VISIT_CYCLES[config.synapse] + SEARCH_CYCLES + config.wake_bits
    work = config.synapses + 64 * config.neurons + 8 * (
        config.sources * config.segments + config.cursors)
    sweep = 2 * sum(config.wheel_sizes) * (config.bank_neurons + 8)
    return 32 + look * config.bank_neurons, work, sweep


def word_limit(config):
    """Return the most words that a stream of the core gives for one sample."""
    return config.ticks * config.neurons + 1


def make_run(config, spikes, records, counters, scores, *, sample, start=0, ticks=None):
    """Return the `Run` of one sample from its unpacked words.

    The ticks of a window of a stream are counted from its ``start``: see `input_words`.

    Parameters
    ----------
    spikes, records : dict of str to (n,) int64
        Fields of the words of ``o`` and ``trace``, the last ones included.
    counters : dict of str to int
    scores : (outputs,) int64
    sample : int
        Index that errors name.

    Raises
    ------
    StreamError
        If a stream breaks the core's contract: a word after the last one, or a tick that goes
        back.
    """
    ticks = config.ticks if ticks is None else ticks
    broken = []
    for name, words in (("output word", spikes), ("record", records)):
        words["tick"] = (words["tick"] - start) & ((1 << config.tick_bits) - 1)
        broken += _broken(name, words)
    if not (spikes["last"].any() and records["last"].any()):
        raise StreamError(sample, broken[0], None)
    out, record = (int(np.argmax(words["last"])) for words in (spikes, records))
    if spikes["tick"][out] != ticks:
        broken.append(f"the last output word must be at tick {ticks}, not {spikes['tick'][out]}")
    trace = np.empty(record, TRACE)
    for name in TRACE.names:
        trace[name] = records[name][:record]
    pairs = np.stack([spikes["tick"][:out], spikes["neuron"][:out]], axis=1)
    run = Run(trace[np.lexsort((trace["neuron"], trace["tick"]))],
              pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))], int(spikes["neuron"][out]), scores,
              counters)
    if broken:
        raise StreamError(sample, broken[0], run)
    return run


def _broken(name, words):
    """Return texts on how the words of a stream break its contract."""
    lasts = np.flatnonzero(words["last"])
    if lasts.size != 1 or lasts[0] != words["last"].size - 1:
        return [f"the {name} with last must be word {words['last'].size - 1}, "
                f"not {lasts.tolist()}"]
    back = np.flatnonzero(np.diff(words["tick"][:-1]) < 0)
    return [f"{name} {at + 1} goes back from tick {words['tick'][at]} to tick "
            f"{words['tick'][at + 1]}" for at in back[:1]]


def check_results(runs, results, *, first=0):
    """Check runs of the RTL against the emulator's results of the same samples.

    Parameters
    ----------
    runs : sequence of Run
    results : sequence of ranvier.model.emulator.Result
    first : int
        Index of the first of them, for errors.

    Raises
    ------
    MismatchError
        At the first difference.
    """
    for sample, (run, result) in enumerate(zip(runs, results, strict=True), first):
        counters = {name: int(result.counters[column]) for name, column in COMPARED.items()}
        check_run(run, result.trace, result.scores, result.decision, counters, sample=sample)
