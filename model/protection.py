"""Check bits of the words in a core's memories, and what it reads when bits have flipped."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import NamedTuple

import numpy as np

PROTECTIONS = ("none", "parity", "secded")


class Reading(NamedTuple):
    """What a core reads of words: their values, and which it ``corrected`` or ``detected``.

    A value that's ``detected`` is wrong, and no code knows the right one.
    """

    values: np.ndarray
    corrected: np.ndarray
    detected: np.ndarray


@dataclass(frozen=True)
class Code:
    """The check bits of words of one width: what they are, and what they tell.

    They stand above the word. Check bit c is the parity of the word's bits whose column has bit c
    set. With ``"parity"`` there's one check bit, and a word with an odd number of flips is
    detected. With ``"secded"`` (M. Y. Hsiao, 1970) columns have three or more bits set, an odd
    number, and are all different: so one flip is corrected and any two are detected.

    Parameters
    ----------
    protection : str
        One of `PROTECTIONS`.
    width : int
        Bits of a word without its check bits.

    Examples
    --------
    >>> code = Code("secded", 8)
    >>> code.bits
    13
    >>> code.decode(code.encode(np.array([90, 91])) ^ np.array([1 << 3, 0]))
    Reading(values=array([90, 91]), corrected=array([ True, False]), \
detected=array([False, False]))
    """

    protection: str
    width: int

    @property
    def check_bits(self):
        """Number of check bits."""
        if self.protection == "none":
            return 0
        if self.protection == "parity":
            return 1
        return next(bits for bits in count(1) if (1 << bits - 1) - bits >= self.width)

    @property
    def bits(self):
        """Width of a stored word, check bits included."""
        return self.width + self.check_bits

    @cached_property
    def columns(self):
        """Which check bits each bit of a word goes into: a number for each, from the lowest on."""
        if self.protection != "secded":
            return (1,) * self.width
        odd = [n for n in range(1 << self.check_bits) if n.bit_count() % 2 and n.bit_count() > 1]
        return tuple(sorted(odd, key=int.bit_count)[: self.width])

    @cached_property
    def masks(self):
        """The bits of a word that each check bit is the parity of: a mask for each."""
        return tuple(sum(1 << k for k, column in enumerate(self.columns) if column >> bit & 1)
                     for bit in range(self.check_bits))

    @cached_property
    def _flips(self):
        """What is flipped of a word, by how its check bits differ; -1: nobody knows."""
        flips = np.full(1 << self.check_bits, -1, np.int64)
        flips[0] = 0
        if self.protection == "secded":
            flips[[1 << bit for bit in range(self.check_bits)]] = 0
            flips[list(self.columns)] = [1 << k for k in range(self.width)]
        return flips

    def _checks(self, values):
        checks = np.zeros_like(values)
        for bit, mask in enumerate(self.masks):
            checks |= (np.bitwise_count(values & mask).astype(np.int64) & 1) << bit
        return checks

    def encode(self, values):
        """Return the stored words of values; both int64. Of negative ones the low bits are kept."""
        values = np.asarray(values, np.int64) & ((1 << self.width) - 1)
        return values | self._checks(values) << self.width

    def decode(self, words):
        """Return the `Reading` of stored words, (n,) int64; values are unsigned."""
        words = np.asarray(words, np.int64)
        values = words & ((1 << self.width) - 1)
        differ = self._checks(values) ^ (words >> self.width)
        flips = self._flips[differ]
        return Reading(values ^ np.maximum(flips, 0), (differ != 0) & (flips >= 0), flips < 0)


def flip(words, flips):
    """Return words after some of their bits have flipped.

    Parameters
    ----------
    words : (n,) int64
    flips : (flips, 2) ints
        Place of a word, and bit, 0 the lowest. A bit that comes twice is as before.
    """
    words = words.copy()
    flips = np.asarray(flips, np.int64).reshape(-1, 2)
    np.bitwise_xor.at(words, flips[:, 0], 1 << flips[:, 1])
    return words


def read_weights(config, weight, flips):
    """Return what a core reads of weights after bits of their stored words have flipped.

    One that's detected counts as 0.

    Parameters
    ----------
    config : CoreConfig
    weight : (synapses,) int32
    flips : (flips, 2) ints
        Synapse and bit, check bits included: below ``config.code(config.weight_bits).bits``.

    Returns
    -------
    Reading
        Its ``values`` are (synapses,) int32.
    """
    code, sign = config.code(config.weight_bits), 1 << (config.weight_bits - 1)
    flips = np.asarray(flips, np.int64).reshape(-1, 2)
    # Words without flips are as they were: studies read big networks many times over.
    places, own = np.unique(flips[:, 0], return_inverse=True)
    stored = flip(code.encode(weight[places]), np.stack([own, flips[:, 1]], 1))
    read, size = code.decode(stored), len(weight)
    found = Reading(np.array(weight, np.int32), np.zeros(size, bool), np.zeros(size, bool))
    found.values[places] = np.where(read.detected, 0, (read.values ^ sign) - sign)
    found.corrected[places], found.detected[places] = read.corrected, read.detected
    return found
