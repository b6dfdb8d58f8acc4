"""Bits of the weight memory are wrong."""

import numpy as np

from ..kind import WeightKind, probability


class WeightFlips(WeightKind):
    """Flips each bit of each weight with one probability, on its own, before the first sample."""

    name = "weight_flips"
    number = 3
    unit = "probability per bit"
    origin = "radiation upsets that pile up between reloads, and block RAM below its rated voltage"
    exact = True
    levels = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)

    def amount(self, level):
        return probability(level)

    def change(self, drawn, amount):
        return np.argwhere(drawn < amount)
