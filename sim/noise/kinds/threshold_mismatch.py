"""Thresholds are a little off, on each chip in another way."""

from ..values import ANALOG, ValueKind


class ThresholdMismatch(ValueKind):
    """Multiplies each threshold at rest by 1 + a normal number."""

    name = "threshold_mismatch"
    number = 6
    array = "theta0"
    origin = ANALOG + "mismatch of the comparators of an analog chip"
    levels = (0.01, 0.03, 0.05, 0.1, 0.2, 0.3)
    meaning = "last places added to each threshold at rest"
