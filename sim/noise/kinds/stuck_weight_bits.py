"""Bits of the weight memory are stuck."""

from ..bits import WeightBits


class StuckWeightBits(WeightBits):
    """Sticks each bit of each weight at 0 or 1 with one probability, on its own.

    Only those that ought to be the other one are in the plan: nothing writes a weight in a run, so
    a stuck bit and a flipped one are the same.
    """

    name = "stuck_weight_bits"
    number = 28
    origin = "defects of block RAM"

    def draw(self, seed, subject, instance, sample):
        drawn = super().draw(seed, subject, instance, sample)
        return self.only(drawn, drawn & 1 != self.stored(subject))
