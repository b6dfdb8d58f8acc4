"""All thresholds are too high."""

import numpy as np

from ..normal import STEPS
from ..values import ANALOG, ValueKind


class ThresholdOffset(ValueKind):
    """Multiplies all thresholds at rest by one factor."""

    name = "threshold_offset"
    number = 7
    array = "theta0"
    unit = "share of the value"
    origin = ANALOG + "a reference voltage that's off, or temperature"
    levels = (0.01, 0.03, 0.05, 0.1, 0.2, 0.3)
    meaning = "last places added to each threshold at rest"
    alike = True

    def draw(self, seed, subject, instance, sample):
        return np.int64(STEPS) * self.values(subject)
