"""Bit-exact arithmetic of the integer model: decay, touch and the sleep rule.

Every number is int64 unless said; nothing wraps because the config bounds every width
(docs/contract.md).
"""

import numpy as np

from .config import FRACTION, LOW_WORDS, SLEEP_LEVELS
from .jit import kernel

LOW_BITS = LOW_WORDS.bit_length() - 1
FOREVER = SLEEP_LEVELS - 1
WORD_BITS = FRACTION + 1  # of a table's word


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
