"""Blocks of spiking neurons: their state, and how a tick advances it.

Spiking neurons stand in blocks of `LANES`; a block's state is `FIELDS` rows of lanes side by side
in one array, so that LLVM can see that the rows don't overlap and vectorise. A block without
arrivals and looks due is passed over. One with arrivals for a `DENSE`-th of its lanes or more is
advanced whole (`advance_block`), except for lanes that rested longer than the fine table reaches;
the rest goes lane by lane (`advance_lanes`). Both apply the same `touch` and `sleep`.
"""

import numpy as np

from .arithmetic import (
    FOREVER,
    LOW_BITS,
    WORD_BITS,
    decay,
    round_shift,
    size,
    sleep,
    touch,
)
from .arrivals import amount
from .counters import LOOKS, SATURATIONS, SEARCHES, TOUCHES
from .jit import allocating_kernel, kernel
from .sizes import FRACTION

LANES = 128
DENSE = 5
FAR = 1 << 62  # a tick that never comes
# Rows of a block: traces, ticks of last touch, next look and last spike, packed words of the decay
# since the last touch, parameters.
P, Q, A, LAST, WAKE, SPIKE, WORDS, THETA0, BETA = (np.uint64(row * LANES) for row in range(9))
FIELDS = 9


@allocating_kernel
def fresh_state(shape, theta0, beta):
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


@kernel
def rebase(state, ticks, oldest):
    """Count time from ``ticks`` ticks later on; forget traces that are ``oldest`` by then."""
    for start in range(0, state.size, LANES * FIELDS):
        for i in range(LANES):
            lane = np.uint64(start + i)
            if ticks - state[lane + LAST] >= oldest:  # they're 0; the sleep rule has to see it
                state[lane + P], state[lane + Q], state[lane + A] = 0, 0, 0
            state[lane + LAST] -= ticks
            state[lane + SPIKE] -= ticks
            state[lane + WAKE] -= ticks if state[lane + WAKE] != FAR else np.int64(0)


@kernel
def upset_trace(row, neuron, mask, top, state):
    """Flip the bits of ``mask`` in a neuron's trace: P, Q or A, the ``row`` of its block."""
    block, lane = neuron // LANES * (LANES * FIELDS), neuron % LANES
    place = np.uint64(block + row * LANES + lane)
    state[place] = ((state[place] ^ mask) + top + 1 & 2 * top + 1) - top - 1


@kernel
def look_up(tick, block, lanes, state, words):
    """Fetch each lane's packed decay words. Apart, because LLVM can't vectorise this loop."""
    for i in range(lanes):
        lane = np.uint64(block + i)
        rest = min(tick - state[lane + LAST], np.int64(63))
        state[lane + WORDS] = words[np.uint64(rest)]


@kernel
def advance_block(tick, first, block, lanes, window, state, top, guard_bits, sum_bits, jump,
                  wake_bits, slope_bits, words_of_sleep, counting, counters):
    """Touch and look at the lanes of a block that are due, if they rested less than 64 ticks.

    Without branches, so that LLVM vectorises it. Returns how many lanes are left to do, how many
    fired, and the tick of the block's next look. If ``counting`` is None, the sleep rule is left
    out and every lane looks again at the next tick.
    """
    left, touches, spikes, looks = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    saturations, searches, nearest = np.int64(0), np.int64(0), np.int64(FAR)
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
        p, q, a, fires, saturated = touch(p, q, a, arrival, amount(word, sum_bits, guard_bits),
                                          theta0, beta, top, jump)
        fires = fires & due
        touched = due & (arrival | fires)
        spikes += fires
        new_p, new_q = p if touched else old_p, q if touched else old_q
        new_a = a if touched else old_a
        if counting is None:
            pause = np.int64(1)
        else:
            pause = sleep(p, q, a, size(new_p, new_q, new_a), theta0, top, wake_bits,
                          slope_bits, words_of_sleep)
            touches += touched
            looks += due & (not arrival)
            saturations += saturated if due else np.int64(0)
        pause = np.int64(FOREVER) if jump else pause
        if counting is not None:
            searches += due & (pause != FOREVER)
        pause = np.int64(FAR) if pause == FOREVER else tick + pause
        wake = pause if due else wake
        nearest = min(nearest, wake)

        state[lane + P] = new_p
        state[lane + Q] = new_q
        state[lane + A] = new_a
        state[lane + LAST] = tick if touched else last
        state[lane + WAKE] = wake
        state[lane + SPIKE] = tick if fires else spike
    counters[TOUCHES] += touches
    counters[LOOKS] += looks
    counters[SATURATIONS] += saturations
    counters[SEARCHES] += searches
    return left, spikes, nearest


@kernel
def advance_lanes(tick, first, block, lanes, spikes, shape, window, state, low_m, high_m, low_s,
                  high_s, low_a, high_a, words_of_sleep, counters):
    """Touch and look at the lanes of a block that are still due, one by one.

    Returns ``spikes`` with theirs added and the tick of the block's next look.
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
                p, q, a, arrival, amount(word, shape.sum_bits, shape.guard_bits), theta0,
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
            pause = np.int64(FOREVER)
            if not shape.jump:
                stored = size(state[lane + P], state[lane + Q], state[lane + A])
                pause = sleep(p, q, a, stored, theta0, shape.top, shape.wake_bits,
                              shape.slope_bits, words_of_sleep)
            counters[SEARCHES] += pause != FOREVER
            state[lane + WAKE] = np.int64(FAR) if pause == FOREVER else tick + pause
        nearest = min(nearest, state[lane + WAKE])
    return spikes, nearest


@kernel
def ask(block, lanes, state, looking):
    """Note in ``looking`` when lanes will be looked at: again, for those that weren't due."""
    for i in range(lanes):
        wake = state[np.uint64(block + i) + WAKE]
        if wake != FAR:
            looking[np.uint64(wake & (looking.size - 1))] = True


@kernel
def report(tick, start, block, lanes, state, fired, n_fired, record, written):
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
