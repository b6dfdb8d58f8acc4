"""The event loop of the integer model: runs a sample, or many, tick by tick.

A tick's input spikes add their arrivals to the window (`arrivals`); the blocks that are due advance
(`blocks`) and leaky outputs integrate; then the neurons that fired add theirs.
"""

from typing import NamedTuple

import numpy as np

from .arrivals import amount, clear, count, pay, push, settle, slide, unsent
from .blocks import (
    DENSE,
    FAR,
    FIELDS,
    LANES,
    advance_block,
    advance_lanes,
    ask,
    fresh_state,
    look_up,
    rebase,
    report,
)
from .counters import (
    BUSY_TICKS,
    INPUT_EVENTS,
    INTEGRATIONS,
    SPIKES,
    SYNAPTIC_EVENTS,
    TOUCHES,
)
from .jit import allocating_kernel, kernel
from .tables import Tables
from .upsets import strike


class Shape(NamedTuple):
    """The integers of a design; see `Design`."""

    duration: int
    inputs: int
    spiking: int
    top: int
    guard_bits: int
    sum_bits: int
    jump: bool
    wake_bits: int
    slope_bits: int
    width: int
    columns: int
    reach: int
    slot: int
    late: int
    phase: int


class Memory(NamedTuple):
    """What a network keeps from tick to tick.

    Members
    -------
    state : (blocks * FIELDS * LANES,) int64
        Of the spiking neurons: see `blocks`.
    wakes : (blocks,) int64
        The tick of each block's next look.
    looking : (ticks,) bool
        Whether anyone wanted to look, by tick.
    window : (rows * columns,)
        Accumulators of arrivals: see `arrivals`. Those of the next tick come first.
    """

    state: np.ndarray
    wakes: np.ndarray
    looking: np.ndarray
    window: np.ndarray


class Design(NamedTuple):
    """A design as the kernels take it.

    Source s owns synapses ``row_start[s]`` to ``row_start[s + 1] - 1``; one with ``offset`` o adds
    its word to the accumulator o places after the first one of the spike's tick. ``shape.columns``
    accumulators make a row: ``width`` for the spiking neurons and what pads them, then the leaky
    outputs. ``reach`` is the longest delay. ``words`` (64,) packs the three fine decay tables.
    From tick ``shape.late`` on, spikes may have synaptic events that a core with cursors doesn't
    send before the end: see `arrivals.unsent` on ``slot``, ``phase`` and ``hold`` (synapses,).
    """

    shape: Shape
    row_start: np.ndarray
    offset: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    words: np.ndarray
    hold: np.ndarray
    tables: Tables


@kernel
def _integrate(tick, first, factor, shape, window, integral, record, written):
    """Add one tick's arrivals to the leaky outputs. Returns touches and number of records."""
    touches = 0
    for i in range(integral.size - shape.spiking):
        word = window[np.uint64(first + i)]
        touches += word != 0
        total = amount(word, shape.sum_bits, np.int64(0))
        integral[np.uint64(shape.spiking + i)] += total * factor
    if touches and record.shape[0]:
        for i in range(integral.size - shape.spiking):
            if window[first + i] != 0:
                if written < record.shape[0]:
                    row = record[written]
                    row[0], row[1], row[2] = tick, shape.spiking + i, 0
                    row[3], row[4], row[5] = integral[shape.spiking + i], 0, 0
                written += 1
    return touches, written


@allocating_kernel
def rest(design, window):
    """Return the `Memory` of a network at rest; ``window`` is 0."""
    state = fresh_state(design.shape, design.theta0, design.beta)
    wakes = np.full(state.size // (LANES * FIELDS), FAR, np.int64)
    return Memory(state, wakes, np.zeros(1 << design.shape.wake_bits, np.bool_), window)


@allocating_kernel
def run_window(ticks, channels, upsets, design, word, memory, counting, record, owed, counters,
               first_spike, spike_count, integral):
    """Run ``design.shape.duration`` ticks on.

    ``ticks`` and ``channels`` (events,) are the input, sorted and without repeats; ``upsets`` are
    rows of `upsets.upset_rows`, sorted, and need ``counting``; ``word``
    (synapses,) and ``memory.window`` are of one type, `Design` says how they're made.
    ``record`` (capacity, 6) receives (tick, neuron, fired, p, q, a) per touch, as many as fit; with
    a capacity of 0 touches aren't even counted. ``owed`` (longest delay and a slot,) is what cores
    with cursors owed when the window began, by its ticks, and then when it ends: see
    `arrivals.unsent`.
    ``counters`` (9,), ``first_spike``, ``spike_count`` and ``integral`` (neurons,) are overwritten.
    ``counting`` is True, or None to leave out what only counts: ``counters`` mean nothing then.
    Returns the number of touches, which may exceed the capacity, and where the accumulators of the
    tick after the last one stand in the window. Ticks of the memory count from the first one still.
    """
    shape, row_start, offset, _, _, words, hold, tables = design
    low_m, high_m, low_s, high_s, low_a, high_a, words_of_sleep, readout = tables
    state, wakes, looking, window = memory
    blocks = wakes.size
    fired = np.empty(shape.spiking, np.int64)
    counters[:] = 0
    first_spike[:] = shape.duration
    spike_count[:] = 0
    integral[:] = 0
    kept = shape.reach * shape.columns
    event = struck = written = base = latest = 0
    counters[SYNAPTIC_EVENTS] = pay(shape.duration, owed)
    for tick in range(shape.duration):
        if base + kept == window.size:
            slide(window, base, kept)
            base = 0
        while struck < upsets.shape[0] and upsets[struck, 0] == tick:
            strike(upsets[struck], base, shape, state, window)
            struck += 1
        while event < ticks.size and ticks[event] == tick:
            latest = tick
            counters[SYNAPTIC_EVENTS] += push(channels[event], base, row_start, offset, word,
                                              window)
            if tick >= shape.late:
                counters[SYNAPTIC_EVENTS] -= unsent(channels[event], tick, shape.duration,
                                                    shape.slot, shape.phase, row_start, hold, owed)
            event += 1
        n_fired, busy = 0, looking[tick % looking.size]
        looking[tick % looking.size] = False
        for index in range(blocks):
            start = index * LANES
            block, first, lanes = start * FIELDS, base + start, min(LANES, shape.width - start)
            arrivals = count(first, lanes, window)
            if arrivals == 0 and wakes[index] != tick:
                continue
            busy, left, spikes = True, np.int64(1), np.int64(0)
            if arrivals * DENSE >= lanes:
                look_up(tick, block, lanes, state, words)
                left, spikes, wakes[index] = advance_block(
                    tick, first, block, lanes, window, state, shape.top, shape.guard_bits,
                    shape.sum_bits, shape.jump, shape.wake_bits, shape.slope_bits, words_of_sleep,
                    counting, counters)
            if left:
                spikes, wakes[index] = advance_lanes(
                    tick, first, block, lanes, spikes, shape, window, state, low_m, high_m, low_s,
                    high_s, low_a, high_a, words_of_sleep, counters)
            if counting is not None:
                ask(block, lanes, state, looking)
            if spikes or record.shape[0]:
                n_fired, written = report(tick, start, block, lanes, state, fired, n_fired, record,
                                          written)
        if shape.spiking < integral.size:
            touches, written = _integrate(tick, base + shape.width, readout[tick], shape, window,
                                          integral, record, written)
            counters[INTEGRATIONS] += touches
            busy |= touches != 0
        counters[BUSY_TICKS] += busy
        latest = tick if busy else latest
        for i in range(n_fired):
            j = fired[i]
            spike_count[j] += 1
            first_spike[j] = min(first_spike[j], tick)
            counters[SYNAPTIC_EVENTS] += push(shape.inputs + j, base, row_start, offset,
                                              word, window)
            if tick >= shape.late:
                counters[SYNAPTIC_EVENTS] -= unsent(shape.inputs + j, tick, shape.duration,
                                                    shape.slot, shape.phase, row_start, hold, owed)
        counters[SPIKES] += n_fired
        clear(window, base, base + shape.columns)
        base += shape.columns
    if shape.duration:
        counters[SYNAPTIC_EVENTS] += settle(latest, shape.duration, shape.slot, shape.phase, owed)
    counters[TOUCHES] += counters[INTEGRATIONS]
    counters[INPUT_EVENTS] = event
    return written, base


@allocating_kernel
def run_sample(ticks, channels, upsets, design, word, window, counting, record, counters,
               first_spike, spike_count, integral):
    """Run one sample from rest: `run_window` has the arguments.

    ``window`` is 0 and left so. Returns the number of touches.
    """
    kept = design.shape.reach * design.shape.columns
    written, base = run_window(
        ticks, channels, upsets, design, word, rest(design, window), counting, record,
        np.zeros(design.shape.reach + design.shape.slot, np.int64), counters, first_spike,
        spike_count, integral)
    clear(window, base, base + kept)
    return written


@allocating_kernel
def move_on(design, memory, base, oldest):
    """Count the ticks of a memory, which `run_window` has left with ``base``, from the next on.

    Traces of ``oldest`` ticks are 0.
    """
    state, wakes, looking, window = memory
    passed = design.shape.duration
    slide(window, base, design.shape.reach * design.shape.columns)
    rebase(state, passed, oldest)
    for index in range(wakes.size):
        wakes[index] -= passed if wakes[index] != FAR else 0
    looking[:] = np.roll(looking, -passed)


@allocating_kernel
def run_batch(ticks, channels, offsets, upsets, upset_offsets, design, word, window, counting,
              counters, first_spike, spike_count, integral):
    """Run many samples without records; the outputs of `run_sample`, a row per sample."""
    record = np.empty((0, 6), np.int64)
    for i in range(offsets.size - 1):
        events = slice(offsets[i], offsets[i + 1])
        struck = slice(upset_offsets[i], upset_offsets[i + 1])
        run_sample(ticks[events], channels[events], upsets[struck], design, word, window, counting,
                   record, counters[i], first_spike[i], spike_count[i], integral[i])
