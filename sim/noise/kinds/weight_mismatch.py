"""Weights are a little off, on each chip in another way."""

from ..values import ANALOG, ValueKind


class WeightMismatch(ValueKind):
    """Multiplies each weight by 1 + a normal number."""

    name = "weight_mismatch"
    number = 4
    array = "weight"
    origin = ANALOG + "mismatch of the transistors that make an analog synapse"
    levels = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
    meaning = "last places added to each weight"
