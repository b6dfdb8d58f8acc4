"""What flipped bits do to the weights."""

import numpy as np

__all__ = ["flip_bits"]


def flip_bits(weight: np.ndarray, flips: np.ndarray, bits: int) -> np.ndarray:
    """Return the weights after some bits of their words have flipped.

    Parameters
    ----------
    weight : (synapses,) int32
        Values of ``bits`` bits in two's complement.
    flips : (flips, 2) int64
        Synapse and bit, 0 the lowest. A bit that comes twice is as before.

    Examples
    --------
    >>> flip_bits(np.array([5, -1], np.int32), np.array([[0, 7], [1, 0]]), 8)
    array([-123,   -2], dtype=int32)
    """
    word = weight & ((1 << bits) - 1)
    np.bitwise_xor.at(word, flips[:, 0], (1 << flips[:, 1]).astype(np.int32))
    sign = 1 << (bits - 1)
    return (word ^ sign) - sign
