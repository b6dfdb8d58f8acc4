"""Bits of the weight memory read as 0."""

from ..bits import WeightBits


class WeightDrops(WeightBits):
    """Lets each 1 of the weight memory be 0 with one probability, on its own."""

    name = "weight_drops"
    number = 33
    unit = "probability per bit that is 1"
    origin = "block RAM below its rated voltage, whose faults were measured to be ones that read 0"

    def draw(self, seed, subject, instance, sample):
        drawn = super().draw(seed, subject, instance, sample)
        return self.only(drawn, self.stored(subject) == 1)
