"""Bits of the weight memory are wrong."""

from ..bits import WeightBits


class WeightFlips(WeightBits):
    """Flips each bit of each weight with one probability, on its own, before the first sample."""

    name = "weight_flips"
    number = 3
