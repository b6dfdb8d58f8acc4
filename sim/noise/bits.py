"""The families of kinds that change bits of the parameters' memories."""

from abc import abstractmethod

import numpy as np

from .kind import Kind, check_bits
from .philox import WORD, stream_key, words

__all__ = ["Bits", "WeightBits"]


class Bits(Kind):
    """Noise on the bits of a memory, for all samples of an instance. A word per bit.

    A word is named by instance, the memory's word and bit.
    """

    unit = "probability per bit"
    origin = "radiation upsets that pile up between reloads, and block RAM below its rated voltage"
    per_sample = False
    columns = 2
    field = "flipped"
    meaning = "word and bit (0 is the lowest) of each flip"
    levels = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)

    @abstractmethod
    def memory(self, subject) -> tuple[np.ndarray, int]:
        """Return the memory's stored words, (n,) int64, and how many bits each has."""

    def draw(self, seed, subject, instance, sample):
        stored, bits = self.memory(subject)
        groups = -(-bits // 4)  # of the four words that a counter gives
        drawn = words(stream_key(seed, self.number), instance, np.arange(stored.size)[:, None],
                      np.arange(groups), 0)
        return drawn.reshape(stored.size, 4 * groups)[:, :bits]

    def only(self, drawn, there):
        """Return drawn words that no level reaches where a bit isn't ``there``."""
        return np.where(there, drawn.astype(np.int64), WORD)

    def change(self, drawn, amount):
        return np.argwhere(drawn < amount)

    def stored(self, subject):
        """Return the bits of the memory, (n, bits), 0 or 1."""
        stored, bits = self.memory(subject)
        return stored[:, None] >> np.arange(bits) & 1

    def check(self, change, amount, subject, sample):
        stored, bits = self.memory(subject)
        check_bits(change, stored.size, bits)

    def counts(self, change, subject, sample):
        stored, bits = self.memory(subject)
        return {"bits": stored.size * bits, "flipped": len(change)}


class WeightBits(Bits):
    """Noise on the bits of the weight memory: the core is loaded, and then they flip."""

    meaning = "synapse and bit (0 is the lowest) of each flip"

    def memory(self, subject):
        parameters = subject.parameters
        code = parameters.config.code(parameters.config.weight_bits)
        return code.encode(parameters.weight), code.bits

    def flips(self, change):
        return change
