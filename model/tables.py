"""Integer tables of a core: decay, sleep rule, leaky readout.

How long a neuron is safe from firing. Let P, Q and A be its ideal traces now, V = P - Q, and a, b
and c their decays in a tick. For Q > 0 and P > 0 the slope of V after u ticks is at most b^u times
that of now, so that with D = Q - P tau_s / tau_m

    V(u) <= max(V, 0) + max(D, 0) (1 - b^u) <= max(V, 0) + max(D, 0) (1 - b) u    for whole u,

and in all other cases V(u) <= max(V, 0) anyway. For ever, V(u) <= max(V, 0) + max(Q, 0) K, where K
is the largest a^u - b^u. The threshold stays above theta0 + A - A (1 - c) u, and above theta0.

Why rounding can't beat these bounds. Both words of a decay are within 1/2 of a last place of 2^-16,
so their product is within 2^-16 + 2^-34 of a^u (past a table's end a^u < 2^-17), and one rounding
adds 1/2. All traces decay from those that are stored: if these are at most X, each is within
E = X (2^-16 + 2^-34) + 1/2 of its ideal. Then V and the max on it are within 2E now and V is within
2E later, D is within 2E, A is within E now and later: 8E in all, which is below X / 2^13 + 5, and
X is taken as ``size(p, q, a)``, which is at most one place less than the largest. The bound for
ever loses one more place to the shift of its product. Slopes lose none: they're rounded up.
"""

from typing import NamedTuple

import numpy as np

from .readout import readout_kernel
from .sizes import FRACTION, LOW_WORDS

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
    sleep : (4,)
        Of the sleep rule: see `sleep_table`.
    readout : (ticks,) or (0,)
        Weight of an arrival in a leaky output's integral. Empty for other readouts.
    """

    low_m: np.ndarray
    high_m: np.ndarray
    low_s: np.ndarray
    high_s: np.ndarray
    low_a: np.ndarray
    high_a: np.ndarray
    sleep: np.ndarray
    readout: np.ndarray


def high_words_limit(config):
    """Return the most words that a coarse decay table of ``config`` can have."""
    return -(-(config.forgets_after if config.streaming else config.ticks) // LOW_WORDS)


def high_words_stored(config):
    """Return the words of a core's coarse decay tables, filled up with zeros.

    There is one for any gap: in a stream a touch is up to ``forgets_after`` and a window ago.
    """
    limit = high_words_limit(config)
    return limit + -(-config.ticks // LOW_WORDS) if config.streaming else limit


def decay_tables(config, tau):
    """Return the fine and the coarse decay table for a time constant of ``tau`` ms."""
    low = _nearest(np.exp(-np.arange(LOW_WORDS) * config.tick / tau))
    steps = np.arange(high_words_limit(config)) * LOW_WORDS
    high = _nearest(np.exp(-steps * config.tick / tau))
    zero = np.flatnonzero(high == 0)
    return low, high[: zero[0]] if zero.size else high


def sleep_table(config):
    """Return the words of the sleep rule: K, and what a tick adds for each last place of Q, P, A.

    P's is taken away. The last three have ``config.slope_bits`` fractional bits more than others.
    """
    peak = np.log(config.tau_m / config.tau_s) / (1 / config.tau_s - 1 / config.tau_m)
    response = np.exp(-peak / config.tau_m) - np.exp(-peak / config.tau_s)
    one = ONE << config.slope_bits
    fast, slow = (-np.expm1(-config.tick / tau) for tau in (config.tau_s, config.tau_a))
    return np.array([np.ceil(ONE * response), np.ceil(one * fast),
                     np.floor(one * fast * config.tau_s / config.tau_m), np.ceil(one * slow)],
                    np.int64)


def make_tables(config):
    """Return the `Tables` of a `CoreConfig`."""
    low_m, high_m = decay_tables(config, config.tau_m)
    low_s, high_s = decay_tables(config, config.tau_s)
    low_a, high_a = decay_tables(config, config.tau_a)
    readout = np.zeros(0, np.int64)
    if config.readout == "leaky":
        times = np.arange(config.ticks) * config.tick
        kernel = readout_kernel(times, duration=config.ticks * config.tick, tau_m=config.tau_m,
                                tau_s=config.tau_s, synapse=config.synapse)
        # One common factor doesn't change which class is largest: use the words' full range.
        readout = np.floor(kernel / kernel.max() * ONE + 0.5).astype(np.int64)
    return Tables(low_m=low_m, high_m=high_m, low_s=low_s, high_s=high_s, low_a=low_a,
                  high_a=high_a, sleep=sleep_table(config), readout=readout)
