"""The streams of the core are held up."""

import numpy as np

from ..kind import Kind, parts
from ..values import MILLION


class Stalls(Kind):
    """Holds up each of the core's three streams in each cycle with one probability.

    Time is counted in ticks, so nothing may change. Simulators draw the cycles themselves.
    """

    name = "stalls"
    number = 20
    unit = "probability per stream and cycle"
    origin = "whatever the core is connected to"
    verdict = "masked"
    levels = (0.1, 0.5, 0.9)
    field = "changed"
    meaning = "nothing"
    per_sample = True

    def amount(self, level):
        return parts(level, MILLION, 0.95, "millionths")

    def draw(self, seed, subject, instance, sample):
        return np.zeros(0, np.int64)

    def change(self, drawn, amount):
        return drawn

    def check(self, change, amount, subject, sample):
        if change.size:
            raise ValueError(f"must be empty, not {change.size} numbers")

    def counts(self, change, subject, sample):
        return {}

    def stall(self, level):
        return level
