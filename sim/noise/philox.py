"""Philox4x32-10: random words that are a function of a key and a counter, and of nothing else.

After J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3"
(SC11). A word of a plan depends on what it's for, so any worker may draw it, at any time.
"""

import numpy as np

__all__ = ["WORD", "philox", "stream_key", "words"]

WORD = 1 << 32
"""Number of values of a random word."""

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_CHUNK = 1 << 13  # counters at a time, so that the temporaries stay in the cache


def philox(counter: np.ndarray, key: tuple[int, int]) -> np.ndarray:
    """Return the four random words of each counter.

    Parameters
    ----------
    counter : (..., 4) uint32
    key : (int, int)
        Two words, each from 0 to 2**32 - 1.

    Returns
    -------
    (..., 4) uint32

    Examples
    --------
    >>> [f"{word:08x}" for word in philox(np.zeros(4, np.uint32), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    rows = np.ascontiguousarray(counter, np.uint32).reshape(-1, 4)
    out = np.empty_like(rows)
    for start in range(0, len(rows), _CHUNK):
        out[start : start + _CHUNK] = _rounds(rows[start : start + _CHUNK], key)
    return out.reshape(np.shape(counter))


def stream_key(seed: int, number: int) -> tuple[int, int]:
    """Return the key of one stream of random words: of a seed below 2**64 and a kind's number."""
    if not 0 <= seed < WORD * WORD:
        raise ValueError(f"Seed must be from 0 to 2**64 - 1, not {seed!r}")
    low, high, _, _ = philox(np.array([seed % WORD, seed // WORD, number, 0], np.uint32), (0, 0))
    return int(low), int(high)


def words(key: tuple[int, int], *counter: int | np.ndarray) -> np.ndarray:
    """Return (..., 4) uint32 for four counter words of shapes that broadcast to (...)."""
    return philox(np.stack(np.broadcast_arrays(*counter), -1), key)


def _rounds(rows, key):
    a, b, c, d = (rows[:, i].astype(np.uint64) for i in range(4))
    low = np.uint64(WORD - 1)
    half = np.uint64(32)
    left, right = key
    for _ in range(_ROUNDS):
        first, second = a * np.uint64(_MULTIPLIERS[0]), c * np.uint64(_MULTIPLIERS[1])
        a, b, c, d = ((second >> half) ^ b ^ np.uint64(left), second & low,
                      (first >> half) ^ d ^ np.uint64(right), first & low)
        left, right = (left + _WEYL[0]) % WORD, (right + _WEYL[1]) % WORD
    return np.stack([a, b, c, d], -1)
