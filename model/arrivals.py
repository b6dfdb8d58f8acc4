"""Arrivals wait in a window over ticks, a row of accumulators each.

The window slides when its end is reached. A synapse's word is its weight plus 2^sum_bits, so an
accumulator holds the sum of arrivals below and their number above: it's 0 if and only if no arrival
is due.
"""

import numpy as np

from .jit import kernel


@kernel
def amount(word, sum_bits, guard_bits):
    """Return the sum in an accumulator, in last places of a trace."""
    unused = np.int64(64) - sum_bits
    return (np.int64(word) << unused) >> (unused - guard_bits)


@kernel
def push(source, base, row_start, offset, word, window):
    """Add one spike's arrivals to the window. Returns its synaptic events."""
    start, stop = np.uint64(row_start[source]), np.uint64(row_start[source + 1])
    for s in range(start, stop):
        window[np.uint64(base) + offset[s]] += word[s]
    return np.int64(stop - start)


@kernel
def unsent(source, tick, duration, slot, phase, row_start, hold, owed):
    """Return how many of one spike's synaptic events a core with cursors owes in the end.

    It sends those of a stretch of the row in the first tick with work in a ``slot`` of ticks, or
    else in the last one: that's the slot before the one in which the first of them arrives, which
    is after ``hold`` ticks. Tick 0 is tick ``phase`` of its slot. ``owed`` counts them by the tick
    after the end in which they're sent at the latest.
    """
    late = np.int64(0)
    for s in range(row_start[source], row_start[source + 1]):
        beyond = (phase + tick + hold[s]) // slot * slot - 1 - phase - duration
        if beyond >= 0:
            late += 1
            owed[beyond] += 1
    return late


@kernel
def pay(duration, owed):
    """Return what is sent of ``owed`` in ``duration`` ticks, and let it count from their end on."""
    sent = np.int64(0)
    for k in range(min(duration, owed.size)):
        sent += owed[k]
    for k in range(owed.size):
        owed[k] = owed[k + duration] if k + duration < owed.size else 0
    return sent


@kernel
def settle(latest, duration, slot, phase, owed):
    """Return how many of ``owed`` have been sent after all: those of the slot that isn't over.

    They have if the ``latest`` tick with work is in it, and are owed no more.
    """
    over = (phase + duration) % slot
    if over == 0 or latest < duration - over:
        return 0
    sent, owed[slot - 1 - over] = owed[slot - 1 - over], 0
    return sent


@kernel
def upset_sum(place, mask, sum_bits, window):
    """Flip the bits of ``mask`` in the sum of an accumulator, if any arrival is in it."""
    word = window[np.uint64(place)]
    if word != 0:
        total = amount(word, sum_bits, np.int64(0))
        window[np.uint64(place)] += amount(total ^ mask, sum_bits, np.int64(0)) - total


@kernel
def clear(window, start, stop):
    """Set a part of the window to 0."""
    for i in range(stop - start):
        window[np.uint64(start + i)] = 0


@kernel
def slide(window, base, kept):
    """Move the ``kept`` accumulators at ``base``, the last ones, to the front."""
    for i in range(kept):
        window[np.uint64(i)] = window[np.uint64(base + i)]
    clear(window, max(base, kept), base + kept)


@kernel
def count(first, lanes, window):
    """Return for how many of ``lanes`` accumulators arrivals are due."""
    arrivals = np.int64(0)
    for i in range(lanes):
        arrivals += window[np.uint64(first + i)] != 0
    return arrivals
