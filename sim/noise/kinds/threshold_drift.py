"""Thresholds rise from sample to sample."""

import numpy as np

from ..normal import STEPS
from ..values import ANALOG, ValueKind


class ThresholdDrift(ValueKind):
    """Lets all thresholds at rest rise in a straight line over the samples, from their own."""

    name = "threshold_drift"
    number = 9
    array = "theta0"
    unit = "share of the value, at the last sample"
    origin = ANALOG + "temperature and ageing of an analog chip"
    levels = (0.02, 0.05, 0.1, 0.2)
    meaning = "last places added to each threshold at rest"
    per_sample = True

    def draw(self, seed, subject, instance, sample):
        share = STEPS * (sample + 1) // len(subject)
        return np.int64(share) * self.values(subject)
