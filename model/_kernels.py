"""All bit-exact arithmetic and the event loop of the integer model.

Every number is int64 unless said; nothing wraps because the config bounds every width
(docs/contract.md).

How a tick is run:

* Arrivals wait in a window over ticks, a row of accumulators each, which slides when its end is
  reached. A synapse's word is its weight plus 2^sum_bits, so an accumulator holds the sum of
  arrivals below and their number above: it's 0 if and only if no arrival is due.
* Spiking neurons stand in blocks of `LANES`; a block's state is `FIELDS` rows of lanes side by side
  in one array, so that LLVM can see that the rows don't overlap and vectorise. A block without
  arrivals and looks due is passed over. One with arrivals for a `DENSE`-th of its lanes or more is
  advanced whole (`_advance_block`), except for lanes that rested longer than the fine table
  reaches; the rest goes lane by lane (`_advance_lanes`). Both apply the same `touch` and `sleep`.
"""

from typing import NamedTuple

import numpy as np

from .config import FRACTION, LOW_WORDS, SLEEP_LEVELS
from .jit import allocating_kernel, kernel

LOW_BITS = LOW_WORDS.bit_length() - 1
FOREVER = SLEEP_LEVELS - 1
WORD_BITS = FRACTION + 1  # of a table's word

# Columns of the counters that `run_sample` fills.
(SATURATIONS, TOUCHES, SPIKES, LOOKS, INPUT_EVENTS, SYNAPTIC_EVENTS, BUSY_TICKS,
 SLEEP_STEPS, INTEGRATIONS) = range(9)
COUNTERS = 9

LANES = 128
DENSE = 5
FAR = 1 << 30  # a tick after every sample
# Rows of a block: traces, ticks of last touch, next look and last spike, packed words of the decay
# since the last touch, parameters.
P, Q, A, LAST, WAKE, SPIKE, WORDS, THETA0, BETA = (np.uint64(row * LANES) for row in range(9))
FIELDS = 9


class Shape(NamedTuple):
    """The integers of a design; see `Design`."""

    duration: int
    inputs: int
    spiking: int
    top: int
    guard_bits: int
    sum_bits: int
    margin: int
    jump: bool
    width: int
    columns: int
    reach: int


class Design(NamedTuple):
    """A design as the kernels take it.

    Source s owns synapses ``row_start[s]`` to ``row_start[s + 1] - 1``; one with ``offset`` o adds
    its word to the accumulator o places after the first one of the spike's tick. ``shape.columns``
    accumulators make a row: ``width`` for the spiking neurons and what pads them, then the leaky
    outputs. ``reach`` is the longest delay. ``words`` (64,) packs the three fine decay tables.
    """

    shape: Shape
    row_start: np.ndarray
    offset: np.ndarray
    theta0: np.ndarray
    beta: np.ndarray
    words: np.ndarray
    low_m: np.ndarray
    high_m: np.ndarray
    low_s: np.ndarray
    high_s: np.ndarray
    low_a: np.ndarray
    high_a: np.ndarray
    sleep_q: np.ndarray
    sleep_a: np.ndarray
    readout: np.ndarray


@kernel
def round_shift(value, bits):
    """Return ``value`` / 2^bits, rounded to nearest with halves up."""
    return (value + (np.int64(1) << np.int64(bits - 1))) >> np.int64(bits)


@kernel
def saturate(value, top):
    """Return ``value`` limited to -top - 1 .. top."""
    return min(max(value, -top - 1), top)


@kernel
def decay(value, ticks, low, high):
    """Return a trace after ``ticks``: one exact product, one rounding."""
    coarse = ticks >> LOW_BITS
    if coarse >= high.size or value == 0:
        return np.int64(0)
    factor = low[ticks & ((1 << LOW_BITS) - 1)] * high[coarse]
    return round_shift(np.int64(value) * factor, 2 * FRACTION)


@kernel
def enough(level, v, q, a, theta0, margin, sleep_q, sleep_a):
    """Return whether a neuron can't fire within the 2^level ticks (`FOREVER`: ever) after a look.

    The masks change nothing, traces have 24 bits and words 17: they let LLVM multiply 32 bits.
    """
    rise = ((max(q, np.int64(0)) & 0xFFFFFF) * (sleep_q[level] & 0xFFFFF)) >> FRACTION
    threshold = theta0 + (((a & 0xFFFFFF) * (sleep_a[level] & 0xFFFFF)) >> FRACTION)
    return max(v, np.int64(0)) + rise + 1 + margin < threshold


@kernel
def sleep(v, q, a, theta0, margin, sleep_q, sleep_a):
    """Return the level k: look again after 2^k ticks, or not before the next touch (`FOREVER`)."""
    level = np.int64(FOREVER)
    while level > 0 and not enough(level, v, q, a, theta0, margin, sleep_q, sleep_a):
        level -= 1
    return level


@kernel
def sleep_steps(level):
    """Return how many levels a search for ``level`` goes through after the first."""
    return min(np.int64(FOREVER - 1), FOREVER - level)


@kernel
def touch(p, q, a, arrival, amount, theta0, beta, top, jump):
    """Apply one touch to decayed traces, without a branch.

    Returns the new p, q and a, whether the neuron fires, and how many traces saturated.
    ``amount`` is the sum of the tick's arrivals in last places of a trace.
    """
    amount = amount if arrival else np.int64(0)
    early = (not jump) & (p - q >= theta0 + a)
    full_p = (q if early else p) + amount
    full_q = q + (np.int64(0) if jump else amount)
    p, q = saturate(full_p, top), saturate(full_q, top)
    late = jump & arrival & (p >= theta0 + a)
    saturations = np.int64(full_p != p) + np.int64(full_q != q)
    p = np.int64(0) if late else p
    fires = early | late
    full_a = a + (beta if fires else np.int64(0))
    a = saturate(full_a, top)
    return p, q, a, fires, saturations + np.int64(full_a != a)


@kernel
def _amount(word, sum_bits, guard_bits):
    """Return the sum in an accumulator, in last places of a trace."""
    unused = np.int64(64) - sum_bits
    return (np.int64(word) << unused) >> (unused - guard_bits)


@kernel
def _push(source, base, row_start, offset, word, window):
    """Add one spike's arrivals to the window. Returns its synaptic events."""
    start, stop = np.uint64(row_start[source]), np.uint64(row_start[source + 1])
    for s in range(start, stop):
        window[np.uint64(base) + offset[s]] += word[s]
    return np.int64(stop - start)


@kernel
def _clear(window, start, stop):
    """Set a part of the window to 0."""
    for i in range(stop - start):
        window[np.uint64(start + i)] = 0


@kernel
def _slide(window, base, kept):
    """Move the ``kept`` accumulators at ``base``, the last ones, to the front, which is 0."""
    for i in range(kept):
        window[np.uint64(i)] = window[np.uint64(base + i)]
    _clear(window, base, base + kept)


@kernel
def _count(first, lanes, window):
    """Return for how many of ``lanes`` accumulators arrivals are due."""
    arrivals = np.int64(0)
    for i in range(lanes):
        arrivals += window[np.uint64(first + i)] != 0
    return arrivals


@kernel
def _look_up(tick, block, lanes, state, words):
    """Fetch each lane's packed decay words. Apart, because LLVM can't vectorise this loop."""
    for i in range(lanes):
        lane = np.uint64(block + i)
        rest = min(tick - state[lane + LAST], np.int64(63))
        state[lane + WORDS] = words[np.uint64(rest)]


@kernel
def _advance_block(tick, first, block, lanes, pauses, window, state, top, guard_bits, sum_bits,
                   margin, jump, sleep_q, sleep_a, counting, counters):
    """Touch and look at the lanes of a block that are due, if they rested less than 64 ticks.

    Without branches, so that LLVM vectorises it. Returns how many lanes are left to do, how many
    fired, ``pauses`` with the bits of the levels at which they sleep, and the tick of the block's
    next look. If ``counting`` is None, the sleep rule is left out and every lane looks again at
    the next tick.
    """
    left, touches, spikes, looks = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    saturations, steps, nearest = np.int64(0), np.int64(0), np.int64(FAR)
    for i in range(lanes):
        word, lane = window[np.uint64(first + i)], np.uint64(block + i)
        old_p, old_q = state[lane + P], state[lane + Q]
        old_a, last = state[lane + A], state[lane + LAST]
        wake, spike = state[lane + WAKE], state[lane + SPIKE]
        words = state[lane + WORDS]
        theta0, beta = state[lane + THETA0], state[lane + BETA]
        arrival = word != 0
        wanted = arrival | (wake == tick)
        recent = tick - last < 1 << LOW_BITS
        due = wanted & recent
        left += wanted & (not recent)

        p = round_shift(old_p * (words & 0x1FFFF), FRACTION)
        q = round_shift(old_q * ((words >> WORD_BITS) & 0x1FFFF), FRACTION)
        a = round_shift(old_a * (words >> (2 * WORD_BITS)), FRACTION)
        p, q, a, fires, saturated = touch(p, q, a, arrival, _amount(word, sum_bits, guard_bits),
                                          theta0, beta, top, jump)
        fires = fires & due
        touched = due & (arrival | fires)
        spikes += fires
        if counting is None:
            level = np.int64(0)
        else:
            level = np.int64(0)
            for k in range(1, FOREVER + 1):
                level = np.int64(k) if enough(k, p - q, q, a, theta0, margin, sleep_q,
                                              sleep_a) else level
            touches += touched
            looks += due & (not arrival)
            saturations += saturated if due else np.int64(0)
        level = np.int64(FOREVER) if jump else level
        if counting is not None:
            steps += sleep_steps(level) if due else np.int64(0)
            pauses |= np.int64(1) << level if due else np.int64(0)
        pause = np.int64(FAR) if level == FOREVER else tick + (np.int64(1) << level)
        wake = pause if due else wake
        nearest = min(nearest, wake)

        state[lane + P] = p if touched else old_p
        state[lane + Q] = q if touched else old_q
        state[lane + A] = a if touched else old_a
        state[lane + LAST] = tick if touched else last
        state[lane + WAKE] = wake
        state[lane + SPIKE] = tick if fires else spike
    counters[TOUCHES] += touches
    counters[LOOKS] += looks
    counters[SATURATIONS] += saturations
    counters[SLEEP_STEPS] += steps
    return left, spikes, pauses, nearest


@kernel
def _advance_lanes(tick, first, block, lanes, spikes, pauses, shape, window, state, low_m, high_m,
                   low_s, high_s, low_a, high_a, sleep_q, sleep_a, counters):
    """Touch and look at the lanes of a block that are still due, one by one.

    Returns ``spikes`` and ``pauses`` with theirs added and the tick of the block's next look.
    """
    nearest = np.int64(FAR)
    for i in range(lanes):
        lane = np.uint64(block + i)
        word, last = window[np.uint64(first + i)], state[lane + LAST]
        arrival = word != 0 and last != tick
        if arrival or state[lane + WAKE] == tick:
            rest = tick - last
            p = decay(state[lane + P], rest, low_m, high_m)
            q = decay(state[lane + Q], rest, low_s, high_s)
            a = decay(state[lane + A], rest, low_a, high_a)
            theta0 = state[lane + THETA0]
            p, q, a, fires, saturated = touch(
                p, q, a, arrival, _amount(word, shape.sum_bits, shape.guard_bits), theta0,
                state[lane + BETA], shape.top, shape.jump)
            counters[LOOKS] += not arrival
            counters[SATURATIONS] += saturated
            if arrival or fires:
                counters[TOUCHES] += 1
                state[lane + P], state[lane + Q], state[lane + A] = p, q, a
                state[lane + LAST] = tick
            if fires:
                spikes += 1
                state[lane + SPIKE] = tick
            level = np.int64(FOREVER)
            if not shape.jump:
                level = sleep(p - q, q, a, theta0, shape.margin, sleep_q, sleep_a)
            counters[SLEEP_STEPS] += sleep_steps(level)
            pauses |= np.int64(1) << level
            pause = np.int64(FAR) if level == FOREVER else tick + (np.int64(1) << level)
            state[lane + WAKE] = pause
        nearest = min(nearest, state[lane + WAKE])
    return spikes, pauses, nearest


@kernel
def _report(tick, start, block, lanes, state, fired, n_fired, record, written):
    """Append a block's neurons that fired to ``fired``, and its touches to ``record``.

    Returns the new lengths of both; ``record`` takes as many as fit.
    """
    for i in range(lanes):
        lane = np.uint64(block + i)
        if state[lane + LAST] == tick:
            fires = state[lane + SPIKE] == tick
            if written < record.shape[0]:
                row = record[written]
                row[0], row[1], row[2] = tick, start + i, fires
                row[3], row[4], row[5] = state[lane + P], state[lane + Q], state[lane + A]
            written += 1
            if fires:
                fired[n_fired] = start + i
                n_fired += 1
    return n_fired, written


@kernel
def _integrate(tick, first, factor, shape, window, integral, record, written):
    """Add one tick's arrivals to the leaky outputs. Returns touches and number of records."""
    touches = 0
    for i in range(integral.size - shape.spiking):
        word = window[np.uint64(first + i)]
        touches += word != 0
        total = _amount(word, shape.sum_bits, np.int64(0))
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
def _fresh_state(shape, theta0, beta):
    """Return the state of all blocks at rest, padded with lanes that never are due."""
    blocks = -(-shape.width // LANES)
    state = np.zeros(blocks * LANES * FIELDS, np.int64)
    for index in range(blocks):
        for i in range(LANES):
            lane, j = np.uint64(index * LANES * FIELDS + i), index * LANES + i
            state[lane + WAKE] = FAR
            state[lane + SPIKE] = -1
            state[lane + THETA0] = theta0[j] if j < shape.spiking else shape.top
            state[lane + BETA] = beta[j] if j < shape.spiking else 0
    return state


@allocating_kernel
def run_sample(ticks, channels, design, word, window, counting, record, counters, first_spike,
               spike_count, integral):
    """Run one sample from rest.

    ``ticks`` and ``channels`` (events,) are the input, sorted and without repeats; ``word``
    (synapses,) and ``window`` (rows * columns,) are of one type, `Design` says how they're made;
    ``window`` is 0 and left so. ``record`` (capacity, 6) receives (tick, neuron, fired, p, q, a)
    per touch, as many as fit; with a capacity of 0 touches aren't even counted.
    ``counters`` (9,), ``first_spike``, ``spike_count`` and ``integral`` (neurons,) are overwritten.
    ``counting`` is True, or None to leave out what only counts: ``counters`` mean nothing then.
    Returns the number of touches, which may exceed the capacity.
    """
    (shape, row_start, offset, theta0, beta, words, low_m, high_m, low_s, high_s, low_a, high_a,
     sleep_q, sleep_a, readout) = design
    state = _fresh_state(shape, theta0, beta)
    blocks = state.size // (LANES * FIELDS)
    wakes = np.full(blocks, FAR, np.int64)
    fired = np.empty(shape.spiking, np.int64)
    looking = np.zeros(2 << (FOREVER - 1), np.bool_)  # whether anyone wanted to look, by tick
    counters[:] = 0
    first_spike[:] = shape.duration
    spike_count[:] = 0
    integral[:] = 0
    kept = shape.reach * shape.columns
    event = written = base = 0
    for tick in range(shape.duration):
        if base + kept == window.size:
            _slide(window, base, kept)
            base = 0
        while event < ticks.size and ticks[event] == tick:
            counters[SYNAPTIC_EVENTS] += _push(channels[event], base, row_start, offset, word,
                                               window)
            event += 1
        n_fired, pauses, busy = 0, np.int64(0), looking[tick % looking.size]
        looking[tick % looking.size] = False
        for index in range(blocks):
            start = index * LANES
            block, first, lanes = start * FIELDS, base + start, min(LANES, shape.width - start)
            arrivals = _count(first, lanes, window)
            if arrivals == 0 and wakes[index] != tick:
                continue
            busy, left, spikes = True, np.int64(1), np.int64(0)
            if arrivals * DENSE >= lanes:
                _look_up(tick, block, lanes, state, words)
                left, spikes, pauses, wakes[index] = _advance_block(
                    tick, first, block, lanes, pauses, window, state, shape.top, shape.guard_bits,
                    shape.sum_bits, shape.margin, shape.jump, sleep_q, sleep_a, counting, counters)
            if left:
                spikes, pauses, wakes[index] = _advance_lanes(
                    tick, first, block, lanes, spikes, pauses, shape, window, state, low_m, high_m,
                    low_s, high_s, low_a, high_a, sleep_q, sleep_a, counters)
            if spikes or record.shape[0]:
                n_fired, written = _report(tick, start, block, lanes, state, fired, n_fired, record,
                                           written)
        if shape.spiking < integral.size:
            touches, written = _integrate(tick, base + shape.width, readout[tick], shape, window,
                                          integral, record, written)
            counters[INTEGRATIONS] += touches
            busy |= touches != 0
        counters[BUSY_TICKS] += busy
        for level in range(FOREVER):
            if pauses >> level & 1:
                looking[(tick + (1 << level)) % looking.size] = True
        for i in range(n_fired):
            j = fired[i]
            spike_count[j] += 1
            first_spike[j] = min(first_spike[j], tick)
            counters[SYNAPTIC_EVENTS] += _push(shape.inputs + j, base, row_start, offset,
                                               word, window)
        counters[SPIKES] += n_fired
        _clear(window, base, base + shape.columns)
        base += shape.columns
    _clear(window, base, base + kept)
    counters[TOUCHES] += counters[INTEGRATIONS]
    counters[INPUT_EVENTS] = event
    return written


@allocating_kernel
def run_batch(ticks, channels, offsets, design, word, window, counting, counters, first_spike,
              spike_count, integral):
    """Run many samples without records; the outputs of `run_sample`, a row per sample."""
    record = np.empty((0, 6), np.int64)
    for i in range(offsets.size - 1):
        events = slice(offsets[i], offsets[i + 1])
        run_sample(ticks[events], channels[events], design, word, window, counting, record,
                   counters[i], first_spike[i], spike_count[i], integral[i])
