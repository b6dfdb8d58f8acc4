"""Thresholds are a little off, in each sample in another way."""

from ..values import ANALOG, ValueKind


class ThresholdTrial(ValueKind):
    """Multiplies each threshold at rest by 1 + a normal number, anew for each sample."""

    name = "threshold_trial"
    number = 8
    array = "theta0"
    origin = ANALOG + "noise of an analog comparator from trial to trial"
    levels = (0.015, 0.03, 0.05, 0.1)
    meaning = "last places added to each threshold at rest"
    per_sample = True
