"""Bits of the weight memory that a test of a device found to be defective."""

import numpy as np

from ..bits import WeightBits
from ..kind import parts

_MOST = 1 << 31


class WeightMap(WeightBits):
    """Lets the bits of a fault map read as it says, from its level on: see `faultmap`.

    Nothing is drawn, so there's one instance, and without a map there are no levels.
    """

    name = "weight_map"
    number = 34
    unit = "level of the fault map"
    origin = "defects and weak cells of one device, as a test of it found them"
    levels = ()
    alike = True

    def amount(self, level):
        return parts(level, 1, _MOST, "steps of the map's level")

    def draw(self, seed, subject, instance, sample):
        """Return synapse, bit and level of those that read as what isn't stored, (n, 3)."""
        if subject.fault_map is None:
            raise ValueError("Subject must have a fault map for weight_map, and has none")
        synapse, bit, value, level = subject.fault_map.T
        wrong = self.stored(subject)[synapse, bit] != value
        return np.stack([synapse, bit, level], axis=1)[wrong]

    def change(self, drawn, amount):
        return drawn[drawn[:, 2] <= amount, :2]

    def check(self, change, amount, subject, sample):
        wanted = self.change(self.draw(0, subject, 0, None), amount)
        if not np.array_equal(change, wanted):
            raise ValueError(f"must be the {len(wanted)} bits of the fault map that differ from "
                             "what is stored, and isn't")
