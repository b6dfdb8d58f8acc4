"""Integer tables of a core: decay, sleep bounds, leaky readout.

Why the sleep bound is safe. Let E bound the error of one decayed trace against the ideal
exponential. Both table words are within 1/2 of a last place of 2^-16, so their product is within
2^-16 + 2^-34 of a^u (past the table's end a^u < 2^-17), and one rounding adds 1/2:
E <= 2^(trace_bits-1) (2^-16 + 2^-34) + 1/2 <= 2^(trace_bits-17) + 1. At a look after u ticks the
decayed v = p - q is within 2E of the ideal membrane, q and a within E of theirs. In ideal numbers
v(u') <= max(v, 0) + max(q, 0) (a^u' - b^u'), so the integer membrane stays below
max(v, 0) + max(q, 0) K + 5E, and the integer adaptation above a C - 2E. Rounding K up, C down and
the two shifts costs at most one last place, which the bound adds. Hence margin = 7E, taken as 8.
"""

from typing import NamedTuple

import numpy as np

from .config import FRACTION, LOW_WORDS, SLEEP_LEVELS
from .readout import readout_kernel

ONE = 1 << FRACTION


def _nearest(values):
    return np.floor(np.asarray(values) * ONE + 0.5).astype(np.int64)


class Tables(NamedTuple):
    """Tables of a core; every array is int64, every word has 16 fractional bits and 17 bits.

    Members
    -------
    low_m, low_s, low_a : (64,)
        Decay of P, Q and A over 0 to 63 ticks.
    high_m, high_s, high_a : (H,)
        Decay over multiples of 64 ticks, up to the last word that isn't 0.
    sleep_q, sleep_a : (8,)
        Bounds for the sleep rule, a level each.
    readout : (ticks,) or (0,)
        Weight of an arrival in a leaky output's integral. Empty for other readouts.
    """

    low_m: np.ndarray
    high_m: np.ndarray
    low_s: np.ndarray
    high_s: np.ndarray
    low_a: np.ndarray
    high_a: np.ndarray
    sleep_q: np.ndarray
    sleep_a: np.ndarray
    readout: np.ndarray



def high_words_limit(config):
    """Return the most words that a coarse decay table of ``config`` can have."""
    return -(-config.ticks // LOW_WORDS)


def decay_tables(config, tau):
    """Return the fine and the coarse decay table for a time constant of ``tau`` ms."""
    low = _nearest(np.exp(-np.arange(LOW_WORDS) * config.tick / tau))
    steps = np.arange(high_words_limit(config)) * LOW_WORDS
    high = _nearest(np.exp(-steps * config.tick / tau))
    zero = np.flatnonzero(high == 0)
    return low, high[: zero[0]] if zero.size else high


def sleep_tables(config):
    """Return ``sleep_q`` and ``sleep_a`` of the sleep rule (see the module's text)."""
    response_peak = np.log(config.tau_m / config.tau_s) / (1 / config.tau_s - 1 / config.tau_m)

    def response(time):
        return np.exp(-time / config.tau_m) - np.exp(-time / config.tau_s)

    # The response rises to its peak and falls after it, so a window's largest value is at its
    # end or at the peak. The level ``SLEEP_LEVELS - 1`` stands for ever.
    ends = [((1 << k) - 1) * config.tick for k in range(SLEEP_LEVELS - 1)] + [np.inf]
    sleep_q = [int(np.ceil(ONE * response(min(end, response_peak)))) for end in ends]
    sleep_a = [int(ONE * np.exp(-(1 << k) * config.tick / config.tau_a))
               for k in range(SLEEP_LEVELS - 1)] + [0]
    return np.array(sleep_q, np.int64), np.array(sleep_a, np.int64)


def make_tables(config):
    """Return the `Tables` of a `CoreConfig`."""
    low_m, high_m = decay_tables(config, config.tau_m)
    low_s, high_s = decay_tables(config, config.tau_s)
    low_a, high_a = decay_tables(config, config.tau_a)
    sleep_q, sleep_a = sleep_tables(config)
    readout = np.zeros(0, np.int64)
    if config.readout == "leaky":
        times = np.arange(config.ticks) * config.tick
        kernel = readout_kernel(times, duration=config.ticks * config.tick, tau_m=config.tau_m,
                                tau_s=config.tau_s, synapse=config.synapse)
        # One common factor doesn't change which class is largest: use the words' full range.
        readout = np.floor(kernel / kernel.max() * ONE + 0.5).astype(np.int64)
    return Tables(low_m=low_m, high_m=high_m, low_s=low_s, high_s=high_s, low_a=low_a,
                  high_a=high_a, sleep_q=sleep_q, sleep_a=sleep_a, readout=readout)
