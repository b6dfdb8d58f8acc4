"""Neighbouring bits of the weight memory are wrong."""

import numpy as np

from ..bits import WeightBits


class WeightClusters(WeightBits):
    """Flips runs of 2 to 9 bits of the weight memory; one may start at each bit, on its own.

    Bits are neighbours within a word, and from a word's highest bit to the next one's lowest.
    """

    name = "weight_clusters"
    number = 32
    unit = "probability per bit that a run starts"
    origin = "heavy ions, which upset up to 9 neighbouring cells"
    levels = (0.00001, 0.0001, 0.001, 0.01)

    def draw(self, seed, subject, instance, sample):
        """Return the words that decide where runs start; their low bits say how long."""
        return super().draw(seed, subject, instance, sample)

    def change(self, drawn, amount):
        flat = drawn.astype(np.int64).ravel()
        starts = np.flatnonzero(flat < amount)
        # The lowest bits of a word are as random as before where its value was found small.
        lengths = 2 + flat[starts] % 8
        places = np.concatenate([np.arange(s, s + n) for s, n in
                                 zip(starts.tolist(), lengths.tolist(), strict=True)] or
                                [np.zeros(0, np.int64)])
        places, times = np.unique(places[places < flat.size], return_counts=True)
        places = places[times % 2 == 1]  # twice is as before
        return np.stack(np.divmod(places, drawn.shape[1]), axis=1)
