"""Bit-exact arithmetic of the integer model: decay, touch and the sleep rule.

Every number is int64 unless said; nothing wraps because the config bounds every width
(docs/contract.md).
"""

import numpy as np

from .jit import kernel
from .sizes import FRACTION, LOW_WORDS

LOW_BITS = LOW_WORDS.bit_length() - 1
FOREVER = 0  # the pause before a look that needn't be
WORD_BITS = FRACTION + 1  # of a table's word
LEAST_SLOPE = 2.0**-12
MARGIN, MARGIN_SHIFT = 7, 13  # what the sleep rule allows for rounding: see `tables`


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
def size(p, q, a):
    """Return a bound on traces, a place below the largest of them at the least."""
    return (p ^ (p >> 63)) | (q ^ (q >> 63)) | (a ^ (a >> 63))


@kernel
def sleep(p, q, a, stored, theta0, top, wake_bits, slope_bits, words):
    """Return for how many ticks a neuron is safe from firing and one more: its next look's pause.

    `FOREVER` says that it can't fire before its next touch. ``stored`` is the `size` of the traces
    of which p, q and a are what is left now. ``words`` is the table ``sleep``. A negative ``a``,
    which only an upset makes, may wrap the slope, as it does in the core.
    """
    room = theta0 - max(p - q, np.int64(0)) - (stored >> MARGIN_SHIFT) - MARGIN
    if room >= (max(q, np.int64(0)) * words[0]) >> FRACTION:
        return np.int64(FOREVER)
    room += a
    rise = ((q * words[1]) >> FRACTION) - ((p * words[2]) >> FRACTION) + 1
    slope = (max(rise, np.int64(0)) + ((a * words[3]) >> FRACTION) + 1) & (4 * top + 3)
    # Exact: room is below 2^36, so the quotient is rounded by less than 2^-16 / slope, and is at
    # least 1 / (2 slope) away from a whole number. By a slope of 0 it's longer than any pause.
    scaled = max(np.float64(room << slope_bits) + 0.5, 0.0)
    ticks = np.int64(scaled / max(np.float64(slope), LEAST_SLOPE))
    return min(ticks + 1, (np.int64(1) << wake_bits) - 1)


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
